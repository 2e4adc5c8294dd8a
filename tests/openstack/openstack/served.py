# SPDX-License-Identifier: Apache-2.0
"""Small HTTP services of our own, in a thread that ends with the block."""

import http.server
import json
import threading


class Service(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answering):
        """answering: a subclass of Answering, whose `service` this then is."""
        super().__init__(("127.0.0.1", 0), type(answering.__name__, (answering,), {"service": self}))
        self.address = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Answering(http.server.BaseHTTPRequestHandler):
    """One connection. Subclasses give do_GET and its like."""

    protocol_version = "HTTP/1.1"
    service = None

    def log_message(self, *_):
        pass

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, content, **headers):
        """content: JSON, or bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": len(body)} | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

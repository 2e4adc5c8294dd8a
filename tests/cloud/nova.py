#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nova.py PORT FILE: plays nova-api for who sends events, as a process that can be killed: each event that it took is
a line of FILE before it is answered. (Real Nova: tests/openstack/with-nova.)"""

import http.server
import json
import os
import socket
import sys


class Events(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["events"]
        with open(self.server.taken, "a", encoding="utf-8") as file:
            for event in events:
                file.write(f"{event['name']} {event['tag']} {event['server_uuid']}\n")
            file.flush()
            os.fsync(file.fileno())
        answer = json.dumps({"events": [event | {"code": 200, "status": "completed"} for event in events]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Events)
    server.taken = sys.argv[2]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    server.serve_forever()


if __name__ == "__main__":
    main()

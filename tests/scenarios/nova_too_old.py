#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scenario 2: a capable driver and a Nova that does not know the event: real nova-api, asked at microversion 2.50,
answers 400. The back end and the record have grown, the volume is in-use, a message and the attachments say what
happened, and a later extend works; it is never error_extending."""

import contextlib
import http.server
import pathlib
import sys
import tempfile
import threading
import urllib.error
import urllib.request

from scenario import GIB, ROOT, SKIPPED, Clients, cloud, expect, field, main, require, say

sys.path.insert(0, str(ROOT / "tests/openstack"))

from openstack.nova import RealNova  # noqa: E402
from openstack.people import PROJECT as NOVAS_PROJECT  # noqa: E402
from openstack.process import CannotRun  # noqa: E402

INSTANCE = "aaaaaaaa-0000-4000-8000-000000000001"


class AtAnOlderVersion(http.server.BaseHTTPRequestHandler):
    """Passes requests on to Nova as a client of microversion 2.50 would send them."""

    nova = None
    answers = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = urllib.request.Request(self.nova + self.path, data=body, method="POST", headers={
            "Content-Type": "application/json", "X-Auth-Token": self.headers["X-Auth-Token"] or "",
            "OpenStack-API-Version": "compute 2.50", "X-OpenStack-Nova-API-Version": "2.50"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.read()
        self.answers.append((status, text.decode()))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def older_nova(nova):
    """The URL at which Nova is as old as that."""
    AtAnOlderVersion.nova = nova
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), AtAnOlderVersion)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def story():
    require("cinder", "openstack")
    with tempfile.TemporaryDirectory(prefix="volgrow-nova.") as folder:
        folder = pathlib.Path(folder)
        with RealNova(folder, "http://127.0.0.1:1/v3", {INSTANCE: (RealNova.host, [])}) as nova:
            with older_nova(f"http://127.0.0.1:{nova.port}") as url:
                token = folder / "nova.token"
                token.write_text(f"admin:{NOVAS_PROJECT}")
                token.chmod(0o644)
                folder.chmod(0o711)
                with cloud(hosts=(), nova=f"{url}/v2.1\"\ntoken_file = \"{token}") as made:
                    refuse_and_go_on(made, Clients(made))


def refuse_and_go_on(made, clients):
    say("a volume attached on a hypervisor of that Nova")
    volume = field(clients.cinder("create", "1", "--name", "v").stdout, "id")
    made.wait_for_status(volume, "available")
    made.attach(volume, "compute", INSTANCE)
    clients.cinder("extend", volume, "2")
    extension = made.wait_for_hosts(volume, "failed")
    say("  nova-api answered", *(f"{status} {text}" for status, text in AtAnOlderVersion.answers))
    expect("its status", AtAnOlderVersion.answers[-1][0], 400)
    expect("volume", (made.volume(volume)["status"], made.volume(volume)["size"]), ("in-use", 2))
    expect("bytes on the back end", extension["back_end"]["bytes"], 2 * GIB)
    say("  the attachment says", extension["attachments"][0]["reason"])
    messages = clients.cinder("message-list").stdout
    expect("a message with 007_009", "007_009" in messages, True)

    say("a later extend works")
    clients.openstack("volume", "set", "--size", "3", volume)
    made.wait_for_status(volume, "in-use")
    expect("size", made.volume(volume)["size"], 3)


if __name__ == "__main__":
    try:
        main(story)
    except CannotRun as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scenario 1 on a driver that really cannot: tgtd serves volumes over iSCSI and sees a file's size only when it opens
it. The connection that the API gives is Cinder's, and libiscsi (volgrow probe) finds the volume behind it; extending it
while attached is refused and changes nothing; detached it grows, and the next connection shows it."""

import json
import pathlib
import subprocess
import tempfile

from scenario import GIB, PROJECT, PROGRAMS, Clients, Process, cloud, expect, field, free_port, main, require, say

INSTANCE = "aaaaaaaa-0000-4000-8000-000000000001"
TGTD = "/usr/sbin/tgtd"
INITIATOR = "iqn.1993-08.org.debian:node1"  # what cloud.attach() says of the host node1


def story():
    require("cinder", "openstack", TGTD)
    with tempfile.TemporaryDirectory(prefix="volgrow-tgtd.") as directory:
        target = Tgtd(directory)
        with target, cloud(backends=[target.back_end()]) as made:
            grow(made, Clients(made))


def grow(made, clients):
    say("a volume on a back end that tgtd serves, attached on node1")
    volume = field(clients.cinder("create", "1", "--name", "served").stdout, "id")
    made.wait_for_status(volume, "available")
    attachment = made.reserve(volume, "node1", INSTANCE)  # nobody logs in: this kernel need not have an initiator
    connection = attachment["connection_info"]
    for key in ("driver_volume_type", "target_portal", "target_iqn", "target_lun"):
        say(f"  {key}: {connection[key]}")
    expect("bytes, asked of the target", probe(connection), GIB)

    refused = clients.cinder("extend", volume, "2", check=False)
    expect("exit status of cinder extend", refused.returncode, 1)
    expect("in-use-extend in what cinder says", "in-use-extend" in refused.stderr, True)
    expect("status and size", status(made, volume), ("in-use", 1))
    expect("bytes, asked of the target", probe(connection), GIB)

    say("detached, extended, attached again")
    detach(made, attachment)
    made.wait_for_status(volume, "available")
    clients.openstack("volume", "set", "--size", "2", volume)
    made.wait_for_status(volume, "available")
    attachment = made.reserve(volume, "node1", INSTANCE)
    expect("status and size", status(made, volume), ("in-use", 2))
    expect("bytes, asked of the target", probe(attachment["connection_info"]), 2 * GIB)
    detach(made, attachment)


def status(made, volume):
    seen = made.volume(volume)
    return seen["status"], seen["size"]


def detach(made, attachment):
    made.get("DELETE", f"/v3/{PROJECT}/attachments/{attachment['id']}", version="3.54")


def probe(connection):
    """What the target says, in bytes, to the initiator that it was opened for."""
    url = f"iscsi://{connection['target_portal']}/{connection['target_iqn']}/{connection['target_lun']}"
    done = subprocess.run([PROGRAMS / "volgrow", "probe", url, "--initiator-name", INITIATOR, "--json"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["size_bytes"]


class Tgtd(Process):
    """Debian's tgtd on a port of loopback, with a control socket of its own."""

    def __init__(self, directory):
        self.port = free_port()
        self.socket = pathlib.Path(directory) / "control"  # and the number of -C
        super().__init__("tgtd", [TGTD, "-f", "-C", "1", "--iscsi", f"portal=127.0.0.1:{self.port}"], directory,
                         environment={"TGT_IPC_SOCKET": str(self.socket)})

    def back_end(self):
        return {"name": "served", "driver": "tgt", "portal": f"127.0.0.1:{self.port}",
                "control_socket": f"{self.socket}.1"}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


if __name__ == "__main__":
    main(story)

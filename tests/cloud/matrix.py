#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cut and kill at every hand-over of an extend, one table: who is killed, or which connection is cut, while whom the
work was handed to stands still. The volume is attached twice: on a host with an agent and a relay, and on one that only
Nova knows. In the end the volume is right, the host's attachment is confirmed with measured bytes, Nova took the event
for the other, nothing is reserved, and every report is stored once.

A process stands still by SIGSTOP, so its callers have handed over and wait; then the victim gets kill -9, the one
that stood still goes on unless it was the victim, and the victim is started again. A connection that is cut is reset
while the other side stands still, and refused until that one has gone on for a while."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.cloud.cloud import PROJECT, Cloud, device_bytes, query  # noqa: E402
from tests.cloud.process import Failed, Process, free_port, wait_until  # noqa: E402
from tests.cloud.proxy import Proxy  # noqa: E402

GIB = 1 << 30
LIMIT_S = 60
PROGRAMS = pathlib.Path(os.environ.get("VOLGROW_BIN_DIR", ROOT / "build/dev/bin"))
INSTANCE, OTHER_INSTANCE = (f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in (1, 2))
CUT_S = 0.3

# Whom the work is handed to, in its order. "report" is control again, when the host has measured.
HAND_OVERS = ("backend", "relay", "nova", "bus", "agent", "report")
VICTIMS = ("control", "backend", "relay", "nova", "agent", "bus")
CONNECTIONS = ("control to relay", "control to nova", "relay to control")


@dataclasses.dataclass(frozen=True)
class Case:
    """One row: at which hand-over, and what happens there."""
    hand_over: str
    what: str
    victim: str

    def __str__(self):
        return f"{self.victim} {self.what} at the hand-over to {self.hand_over}"


TABLE = [Case(hand_over, "killed", victim) for hand_over in HAND_OVERS for victim in VICTIMS] + \
        [Case(hand_over, "cut", connection) for hand_over in HAND_OVERS for connection in CONNECTIONS]


class Stage:
    """A cloud with one host and a Nova, its processes and connections by the names of the table."""

    def __init__(self, cloud, nova):
        self.cloud, self.nova = cloud, nova
        self.host = cloud.hosts["node1"]
        self.processes = {"control": cloud.control, "backend": cloud.backend, "relay": self.host.relay,
                          "nova": nova.process, "agent": self.host.agent, "bus": self.host.bus,
                          "report": cloud.control}
        self.connections = {"control to relay": self.host.way_in, "control to nova": nova.way_in,
                            "relay to control": cloud.way_in}

    def stop(self, name):
        self.processes[name].signal(signal.SIGSTOP)

    def go_on(self, name):
        self.processes[name].signal(signal.SIGCONT)

    def kill(self, name):
        self.processes[name].kill()

    def start(self, name):
        """As systemd would. Whoever lost the bus has lost everything on it: the agent is started again too."""
        self.processes[name].start()
        if name == "bus":
            self.processes["agent"].kill()
            self.processes["agent"].start()


def play(stage, case):
    """One row of the table, on a volume of its own."""
    cloud = stage.cloud
    volume = cloud.create(1, volume_type="shared")
    device = cloud.attach(volume, "node1", INSTANCE)
    cloud.attach(volume, "elsewhere", OTHER_INSTANCE)
    hand_over_to(stage, case.hand_over, volume)
    if case.what == "cut":
        cut(stage, case)
    else:
        kill(stage, case)
    check(stage, volume, device)


def kill(stage, case):
    stage.kill(case.victim)
    if stage.processes[case.hand_over] is not stage.processes[case.victim]:
        stage.go_on(case.hand_over)
    stage.start(case.victim)


def cut(stage, case):
    connection = stage.connections[case.victim]
    connection.cut()
    stage.go_on(case.hand_over)
    time.sleep(CUT_S)
    connection.mend()


def hand_over_to(stage, name, volume):
    """Until whoever has the work has handed it to one that stands still."""
    cloud = stage.cloud
    if name == "report":
        stage.stop("agent")
        accepted(cloud, volume)
        cloud.wait_for_status(volume, "in-use")
        wait_until(lambda: asked(stage, volume), LIMIT_S, "the relay has learnt the size")
        stage.stop("report")
        stage.go_on("agent")
        wait_until(lambda: jobs_ended(stage, volume), LIMIT_S, "the host has measured")
        return
    stage.stop(name)
    accepted(cloud, volume)
    if name != "backend":
        cloud.wait_for_status(volume, "in-use")


def accepted(cloud, volume):
    status, body = cloud.extend(volume, 2)
    if status != 202:
        raise Failed(f"os-extend: {status} {body}")


def asked(stage, volume):
    """The event has come to the relay, and it asked control for the size."""
    return f"volume {volume}" in stage.host.relay.words()


def check(stage, volume, device):
    """What must be so in the end, whatever happened."""
    cloud = stage.cloud
    cloud.wait_for_status(volume, "in-use", LIMIT_S)
    wanted = {"attachments": ["confirmed", "notified"], "Nova was told": True,
              "size": 2, "bytes on the back end": 2 * GIB, "bytes of the device": 2 * GIB,
              "bytes that the host measured": 2 * GIB, "open extends": 0, "deliveries": 0, "gigabytes reserved": 0}
    seen = {}

    def settled():
        extension = cloud.extension(volume)
        attachments = {attachment["host"]: attachment for attachment in extension["attachments"]}
        seen.update({
            "attachments": [attachments[host]["state"] for host in ("node1", "elsewhere")],
            "Nova was told": stage.nova.was_told(volume),
            "size": cloud.volume(volume)["size"],
            "bytes on the back end": extension["back_end"]["bytes"],
            "bytes of the device": device_bytes(device),
            "bytes that the host measured": attachments["node1"]["bytes"],
            "open extends": cloud.query("select count(*) from extends"),
            "deliveries": cloud.query("select count(*) from deliveries"),
            "gigabytes reserved": reserved(cloud),
        })
        return seen == wanted and reports_stored(cloud, volume) == jobs_ended(stage, volume)

    try:
        wait_until(settled, LIMIT_S, "settled")
    except Failed as failure:
        raise Failed(f"{failure}: {seen}, reports {reports_stored(cloud, volume)}, jobs "
                     f"{jobs_ended(stage, volume)}") from None


class Nova:
    """Where instances are known that no relay serves."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.taken = self.directory / "taken"
        port = free_port()
        self.way_in = Proxy(port)
        self.url = f"http://127.0.0.1:{self.way_in.port}/v2.1"
        self.process = Process("nova", [sys.executable, "-B", ROOT / "tests/cloud/nova.py", port, self.taken],
                               directory)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.way_in.close()

    def was_told(self, volume):
        return self.taken.exists() and f"volume-extended {volume} {OTHER_INSTANCE}" in self.taken.read_text(encoding="utf-8")


def reserved(cloud):
    quota = cloud.get("GET", f"/v3/{PROJECT}/os-quota-sets/{PROJECT}?usage=True")["quota_set"]
    return quota["gigabytes"]["reserved"]


def reports_stored(cloud, volume):
    return cloud.query("select count(*) from reports where volume_id = ?", volume)


def jobs_ended(stage, volume):
    """How many jobs the agent ended for the volume; each has one report."""
    return query(stage.host.directory / "state/journal.sqlite",
                 "select count(*) from jobs where result_volume_id = ? and ended_at is not null", volume)


# Short, so that what was lost on the way is soon told again.
IMPATIENT = """
[events]
answer_ms = 1500
first_retry_ms = 100
slowest_retry_ms = 500
most_attempts = 1000
confirm_timeout_ms = 3000
backend_ms = 60000
[quota]
volumes = -1
gigabytes = -1
"""


def main():
    wanted = [case for case in TABLE if not sys.argv[1:] or any(word in str(case) for word in sys.argv[1:])]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="volgrow-matrix.") as directory:
        with Nova(directory) as nova, Cloud(directory, PROGRAMS, extra=IMPATIENT, nova=nova.url, way_to=Proxy) as cloud:
            cloud.get("POST", f"/v3/{PROJECT}/types",
                      {"volume_type": {"name": "shared", "extra_specs": {"multiattach": "<is> True"}}})
            for case in wanted:
                failed += not survived(Stage(cloud, nova), case)
    print(f"{len(wanted) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


def survived(stage, case):
    """Plays a row, and after one that failed starts everybody again."""
    try:
        play(stage, case)
        print(f"ok      {case}", flush=True)
        return True
    except (Failed, OSError, subprocess.SubprocessError) as failure:
        print(f"FAILED  {case}: {failure}", flush=True)
    for connection in stage.connections.values():
        connection.mend()
    for process in (stage.nova.process, *stage.cloud.processes()):
        print(f"---- {process.name} said:\n{process.words()[-1500:]}", file=sys.stderr)
        process.kill()
        process.start()
    return False


if __name__ == "__main__":
    main()

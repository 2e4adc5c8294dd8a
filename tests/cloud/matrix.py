#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cut and kill at every hand-over of an extend, one table: who is killed, or which connection is cut, while whom the
work was handed to stands still. In the end the volume is right, every attachment is confirmed with measured bytes,
nothing is reserved, and every report is stored once.

A process stands still by SIGSTOP, so its callers have handed over and wait; then the victim gets kill -9, the one
that stood still goes on unless it was the victim, and the victim is started again."""

import dataclasses
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.cloud.cloud import PROJECT, Cloud, device_bytes  # noqa: E402
from tests.cloud.process import Failed, wait_until  # noqa: E402

GIB = 1 << 30
LIMIT_S = 60
PROGRAMS = pathlib.Path(os.environ.get("VOLGROW_BIN_DIR", ROOT / "build/dev/bin"))
INSTANCE = "aaaaaaaa-0000-4000-8000-000000000001"

# Whom the work is handed to, in its order. "report" is control again, when the host has measured.
HAND_OVERS = ("backend", "relay", "bus", "agent", "report")
VICTIMS = ("control", "backend", "relay", "agent", "bus")


@dataclasses.dataclass(frozen=True)
class Case:
    """One row: at which hand-over, and what happens there."""
    hand_over: str
    victim: str

    def __str__(self):
        return f"{self.victim} killed at the hand-over to {self.hand_over}"


TABLE = [Case(hand_over, victim) for hand_over in HAND_OVERS for victim in VICTIMS]


class Stage:
    """A cloud with one host, and its processes by the names of the table."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.host = cloud.hosts["node1"]
        self.processes = {"control": cloud.control, "backend": cloud.backend, "relay": self.host.relay,
                          "agent": self.host.agent, "bus": self.host.bus, "report": cloud.control}

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
    volume = cloud.create(1)
    device = cloud.attach(volume, "node1", INSTANCE)
    hand_over_to(stage, case.hand_over, volume)
    stage.kill(case.victim)
    if stage.processes[case.hand_over] is not stage.processes[case.victim]:
        stage.go_on(case.hand_over)
    stage.start(case.victim)
    check(stage, volume, device)


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
    cloud.wait_for_hosts(volume, "confirmed", LIMIT_S)
    wanted = {"size": 2, "bytes on the back end": 2 * GIB, "bytes of the device": 2 * GIB,
              "bytes that the host measured": 2 * GIB, "open extends": 0, "deliveries": 0, "gigabytes reserved": 0}
    seen = {}

    def settled():
        extension = cloud.extension(volume)
        seen.update({
            "size": cloud.volume(volume)["size"],
            "bytes on the back end": extension["back_end"]["bytes"],
            "bytes of the device": device_bytes(device),
            "bytes that the host measured": extension["attachments"][0]["bytes"],
            "open extends": query(cloud, "select count(*) from extends"),
            "deliveries": query(cloud, "select count(*) from deliveries"),
            "gigabytes reserved": reserved(cloud),
        })
        return seen == wanted and reports_stored(cloud, volume) == jobs_ended(stage, volume)

    try:
        wait_until(settled, LIMIT_S, "settled")
    except Failed as failure:
        raise Failed(f"{failure}: {seen}, reports {reports_stored(cloud, volume)}, jobs "
                     f"{jobs_ended(stage, volume)}") from None


def query(cloud, statement, *bound):
    """One number of control's database."""
    database = sqlite3.connect(f"file:{cloud.directory}/database/control.sqlite?mode=ro", uri=True)
    try:
        return database.execute(statement, bound).fetchone()[0]
    finally:
        database.close()


def reserved(cloud):
    quota = cloud.get("GET", f"/v3/{PROJECT}/os-quota-sets/{PROJECT}?usage=True")["quota_set"]
    return quota["gigabytes"]["reserved"]


def reports_stored(cloud, volume):
    return query(cloud, "select count(*) from reports where volume_id = ?", volume)


def jobs_ended(stage, volume):
    """How many jobs the agent ended for the volume; each has one report."""
    database = sqlite3.connect(f"file:{stage.host.directory}/state/journal.sqlite?mode=ro", uri=True)
    try:
        return database.execute("select count(*) from jobs where result_volume_id = ? and ended_at is not null",
                                (volume,)).fetchone()[0]
    finally:
        database.close()


def detach_loops(directory):
    listing = subprocess.run(["losetup", "--json", "--list", "--output", "NAME,BACK-FILE"], capture_output=True,
                             text=True, check=True).stdout
    for device in json.loads(listing or '{"loopdevices": []}')["loopdevices"]:
        if (device["back-file"] or "").startswith(str(directory)):
            subprocess.run(["losetup", "--detach", device["name"]], check=False)


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
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="volgrow-matrix.") as directory:
        cloud = Cloud(directory, PROGRAMS, extra=IMPATIENT)
        with cloud:
            for case in wanted:
                try:
                    play(Stage(cloud), case)
                    passed += 1
                    print(f"ok      {case}", flush=True)
                except (Failed, OSError, subprocess.SubprocessError) as failure:
                    failed += 1
                    print(f"FAILED  {case}: {failure}", flush=True)
                    for process in cloud.processes():
                        print(f"---- {process.name} said:\n{process.words()[-1500:]}", file=sys.stderr)
                        process.kill()
                        process.start()
        detach_loops(directory)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

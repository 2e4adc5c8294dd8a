# SPDX-License-Identifier: Apache-2.0
"""What the scenarios share: the clients as people type them, and saying what is seen."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.cloud.cloud import CONTROL_UID, PROJECT, TOKEN, Cloud, device_bytes, write  # noqa: E402
from tests.cloud.process import Failed, Process, free_port, wait_until  # noqa: E402

GIB = 1 << 30
PROGRAMS = pathlib.Path(os.environ.get("VOLGROW_BIN_DIR", ROOT / "build/dev/bin"))
SKIPPED = 77  # what a script ends with that cannot run here


def say(what, *details):
    """One step, and what came of it."""
    print(what)
    for detail in details:
        print(f"    {detail}")


def expect(what, seen, wanted):
    """Says it, and fails when it is not so."""
    if seen != wanted:
        raise Failed(f"{what}: {seen!r}, not {wanted!r}")
    say(f"  {what}: {seen}")


def require(*programs):
    """Ends the script as skipped where a program is missing."""
    for program in programs:
        if not shutil.which(program):
            print(f"skipped: there is no {program} on this machine")
            sys.exit(SKIPPED)


class Clients:
    """cinder 9.1 and openstack 6.0 from Debian's packages, unmodified, without a keystone."""

    def __init__(self, cloud):
        self.cloud = cloud

    def cinder(self, *words, version="3.59", check=True):
        return self.run("cinder", version, words, check)

    def openstack(self, *words, version="3.59", check=True):
        return self.run("openstack", version, words, check)

    def options(self, program):
        """Where the API is, and who asks."""
        if program == "cinder":
            return ["--os-auth-type", "noauth", "--os-endpoint", f"{self.cloud.url}/v3", "--os-user-id", "admin",
                    "--os-project-id", PROJECT]
        return ["--os-auth-type", "admin_token", "--os-endpoint", f"{self.cloud.url}/v3/{PROJECT}", "--os-token", TOKEN]

    def run(self, program, version, words, check):
        """Shown without the options that are always the same."""
        command = [program, *self.options(program), "--os-volume-api-version", version, *words]
        shown = " ".join([program, *words])
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "no_proxy": "*"})
        say(f"  $ {shown}", *(line for line in (done.stdout + done.stderr).splitlines() if line.strip()))
        if check and done.returncode != 0:
            raise Failed(f"{shown} ended with {done.returncode}")
        return done


def field(text, name):
    """A value of the tables that both clients print."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 2 and cells[0] == name:
            return cells[1]
    raise Failed(f"the table has no {name}:\n{text}")


@contextlib.contextmanager
def cloud(**named):
    """A cloud of its own in a directory that goes away; what its programs said, when it failed."""
    with tempfile.TemporaryDirectory(prefix="volgrow-scenario.") as directory:
        made = Cloud(directory, PROGRAMS, **named)
        try:
            with made:
                yield made
        except Exception:
            for process in made.processes():
                print(f"---- {process.name} said:\n{process.words()[-3000:]}", file=sys.stderr)
            raise


def main(story):
    """Runs a scenario: 0 when all was as it should be."""
    try:
        story()
    except Failed as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
    print("ok")


__all__ = ["CONTROL_UID", "GIB", "PROGRAMS", "PROJECT", "ROOT", "SKIPPED", "Clients", "Failed", "Process", "cloud", "device_bytes",
           "expect", "field", "free_port", "main", "require", "say", "wait_until", "write"]

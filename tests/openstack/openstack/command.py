# SPDX-License-Identifier: Apache-2.0
"""What the commands of this folder have in common: options, counting, how they end."""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from openstack.cinder import RealCinder
from openstack.control import VolgrowControl
from openstack.process import CannotRun

PASSED, FAILED, SKIPPED = 0, 1, 77


def tell(line):
    print(line.encode(errors="backslashreplace").decode(), flush=True)  # what was asked may be no text


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, name, wrong, agreed=""):
        """One test: what was wrong with it, in lines; none when nothing was."""
        self.passed, self.failed = self.passed + (not wrong), self.failed + bool(wrong)
        tell(f"  {'FAILED' if wrong else 'passed'}: {name}{agreed}")
        for line in wrong:
            tell(f"    {line}")

    def skip(self, name, reason):
        self.skipped += 1
        tell(f"  skipped: {name}: {reason}")

    def close(self):
        """The exit status."""
        tell(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        if self.failed:
            return FAILED
        return PASSED if self.passed else SKIPPED


def parser(description, itself):
    words = argparse.ArgumentParser(description=description)
    words.add_argument("--preset", default="dev", help="whose build of volgrow-control (dev)")
    words.add_argument("--itself", action="store_true", help=itself)
    return words


def run(action, options):
    """action(options, running, folder, tally). What is missing on this machine skips the whole."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was begun is ended, too
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="volgrow-openstack.") as folder, ExitStack() as running:
        try:
            action(options, running, Path(folder), tally)
        except CannotRun as reason:
            tally.skip(Path(sys.argv[0]).name, reason)
    sys.exit(tally.close())


def side(options, folder, identity, nova):
    """What is tested: volgrow-control, or Cinder in its place."""
    return RealCinder(folder, identity, nova) if options.itself else VolgrowControl(folder, options.preset, nova)

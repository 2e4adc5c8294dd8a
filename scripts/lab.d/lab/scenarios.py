# SPDX-License-Identifier: Apache-2.0
"""Runs the scripts of tests/lab, each in a machine of its own, and counts what they say."""

import re
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lab.job import script_archive
from lab.machine import Broken, Hung, LockedUp
from lab.store import TAKES_MINUTES, TESTS, State

FOLDERS = ("facts", "scenarios")
VERDICT = re.compile(r"^(passed|FAILED|skipped): (.*)$", re.M)


@dataclass
class Outcome:
    """What one script said, as lines "passed: …", "FAILED: …", "skipped: …", and how it ended."""

    name: str
    locked_up: bool = False  # the machine, before this run
    seconds: float = 0.0
    output: str = ""
    ending: str = ""  # why it did not end well; empty when it did
    verdicts: list = field(default_factory=list)

    def count(self, word):
        return sum(verdict == word for verdict, _ in self.verdicts)

    @property
    def failed(self):
        return self.count("FAILED") > 0

    def close(self, status):
        """A script without verdicts is one test; one that broke off has failed whatever it said before."""
        self.verdicts = VERDICT.findall(self.output)
        if not self.verdicts and status == 0:
            self.verdicts = [("passed", self.name)]
        if status != 0 and not self.failed:
            self.verdicts.append(("FAILED", f"{self.name} ended with status {status}"))


@dataclass
class Settings:
    """What a script asks of the lab: the machine's state, seconds, whether it is run with --quick."""

    state: str
    limit: float
    quick: bool


def settings(script):
    """The line "# lab: state=bare limit=300 quick=no" of a script, with what holds without it."""
    said = re.search(r"^# lab: (.*)$", script.read_text(), re.M)
    words = dict(word.split("=", 1) for word in shlex.split(said[1])) if said else {}
    state = words.get("state", "targets")
    quick = words.get("quick", "yes") == "yes" and state not in TAKES_MINUTES
    return Settings(state, float(words.get("limit", 120)), quick)


def chosen(names):
    scripts = [script for folder in FOLDERS for script in sorted((TESTS / folder).glob("*.sh"))]
    unknown = [name for name in names if not any(name in script_name(script) for script in scripts)]
    if unknown:
        raise SystemExit(f"lab: no script of tests/lab is called {unknown[0]}")
    wanted = [script for script in scripts if not names or any(name in script_name(script) for name in names)]
    # What may take longest begins first, so that no processor waits for it at the end.
    return sorted(wanted, key=lambda script: -settings(script).limit)


def script_name(script):
    return f"{script.parent.name}/{script.stem}"


def run_one(script, image, product):
    """A machine that locked up is no verdict on the script: it is run in another one, once."""
    try:
        return run_once(script, image, product)
    except LockedUp:
        outcome = run_once(script, image, product, second=True)
        outcome.locked_up = True
        return outcome


def run_once(script, image, product, second=False):
    wanted = settings(script)
    outcome, said, started, status = Outcome(script_name(script)), bytearray(), time.monotonic(), None
    try:
        with State(wanted.state, image, product).machine() as machine:
            status = machine.run(script_archive(script, installed=product.parts), said.extend, wanted.limit)
    except Hung as diagnosis:
        if isinstance(diagnosis, LockedUp) and not second:
            raise
        outcome.ending = f"not done after {wanted.limit:g} s\n{diagnosis}"
    except Broken as reason:
        outcome.ending = str(reason)
    outcome.seconds = time.monotonic() - started
    outcome.output = said.decode(errors="replace")
    outcome.close(status)
    return outcome


def show(outcome, verbose):
    verdict = "FAILED" if outcome.failed else "passed"
    tests = f"{len(outcome.verdicts)} tests" if len(outcome.verdicts) > 1 else "1 test"
    again = ", in a second machine: the first one's kernel stood still" if outcome.locked_up else ""
    print(f"  {verdict}: {outcome.name} ({outcome.seconds:.1f} s, {tests}{again})")
    lines = outcome.output.splitlines()
    for line in lines if outcome.failed or verbose else measured(lines):
        print(f"      {line}")
    for word, sentence in outcome.verdicts:
        if word == "FAILED":
            print(f"      -> FAILED: {sentence}")
    for line in outcome.ending.splitlines():
        print(f"      {line}")


def measured(lines):
    """Of a script that did well, what it tested and what it measured."""
    return [line for line in lines if line.startswith(("passed: ", "skipped: ", "measured: "))]


def left_out(scripts):
    """With --quick: those that say quick=no, or begin from a machine that takes minutes to make."""
    rare = [script for script in scripts if not settings(script).quick]
    for script in rare:
        print(f"  skipped: {script_name(script)}: takes longer than CI has; 'scripts/lab test' runs it")
    return rare


def run_all(names, image, product, together, verbose, tally, quick):
    scripts, started = chosen(names), time.monotonic()
    rare = left_out(scripts) if quick else []
    scripts = [script for script in scripts if script not in rare]
    for state in {settings(script).state for script in scripts}:
        State(state, image, product).make()
    outcomes = []
    with ThreadPoolExecutor(together) as pool:
        for outcome in pool.map(lambda script: run_one(script, image, product), scripts):
            show(outcome, verbose)
            outcomes.append(outcome)
    passed, failed, skipped = (sum(outcome.count(word) for outcome in outcomes)
                               for word in ("passed", "FAILED", "skipped"))
    skipped += len(rare)
    if tally:
        count(tally, passed, failed, skipped)
    print(f"{len(outcomes)} machines in {time.monotonic() - started:.1f} s")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


def count(tally, passed, failed, skipped):
    with open(tally, "a", encoding="utf-8") as lines:
        lines.write(f"lab {passed} {failed} {skipped}\n")

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one check of the architecture, or all, over a source tree.

Exit status: 0 the rule holds, 1 findings (one line each), 2 usage, 77 skipped with a reason.
"""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import checks  # noqa: E402  (after bytecode is switched off: a test leaves no files behind)
from checks.outcome import CannotRun  # noqa: E402
from tree import Tree  # noqa: E402

PASSED, FAILED, SKIPPED = 0, 1, 77


def run(name, tree):
    try:
        findings = checks.ALL[name](tree)
    except CannotRun as reason:
        print(f"skipped: {name}: {reason}")
        return SKIPPED
    for finding in findings:
        print(finding)
    print(f"{name}: " + (f"{len(findings)} findings" if findings else "ok"))
    return FAILED if findings else PASSED


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[*checks.ALL, "all"])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2])
    arguments = parser.parse_args()
    chosen = checks.ALL if arguments.name == "all" else [arguments.name]
    outcomes = {run(name, Tree(arguments.root)) for name in chosen}
    return next((outcome for outcome in (FAILED, SKIPPED) if outcome in outcomes), PASSED)


if __name__ == "__main__":
    sys.exit(main())

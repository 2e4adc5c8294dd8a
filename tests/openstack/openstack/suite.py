# SPDX-License-Identifier: Apache-2.0
"""All cases: every module of cases/ has a list CASES."""

import importlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "cases"


def modules():
    return sorted(file.stem for file in FOLDER.glob("*.py") if file.stem != "__init__")


def cases_of(module):
    return importlib.import_module(f"cases.{module}").CASES


def chosen(names):
    """Those whose module or sentence contains one of names; all without names."""
    found = [case for module in modules() for case in cases_of(module)
             if not names or any(name in module or name in case.name for name in names)]
    if not found:
        raise SystemExit(f"compare: no case is called {' or '.join(names)}")
    return found

# SPDX-License-Identifier: Apache-2.0
"""How a check says that it could not look, which is neither a pass nor a failure."""

import shutil


class CannotRun(Exception):
    """The message says what is missing."""


def require_program(name):
    if shutil.which(name) is None:
        raise CannotRun(f"{name} is not installed: run scripts/setup")
    return name

# SPDX-License-Identifier: Apache-2.0
"""Where volgrow-control may answer otherwise than Cinder, and why. What no longer differs must leave the table."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Accepted:
    """case, step and place are patterns (* ? […]) of a difference."""

    why: str
    case: str = "*"
    step: str = "*"
    place: str = "*"

    def covers(self, difference):
        return (matches(difference.case, self.case) and matches(difference.step, self.step) and
                matches(difference.place, self.place))


def matches(text, pattern):
    """As in a shell, but brackets are themselves: places have them."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


ACCEPTED = (
)

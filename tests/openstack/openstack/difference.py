# SPDX-License-Identifier: Apache-2.0
"""Where two plain values differ: (place, one's, the other's), place as in "body.volume.size"."""

ABSENT = "(absent)"


def differences(one, other, place=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from differences(one.get(key, ABSENT), other.get(key, ABSENT), f"{place}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list):
        for number in range(max(len(one), len(other))):
            yield from differences(*(entry[number] if number < len(entry) else ABSENT for entry in (one, other)),
                                   f"{place}[{number}]")
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield place, one, other

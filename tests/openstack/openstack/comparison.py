# SPDX-License-Identifier: Apache-2.0
"""Plays cases on two sides at the same time, and judges every difference."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from openstack.accepted import matches
from openstack.cleaning import clean
from openstack.difference import differences
from openstack.player import Player
from openstack.process import Broken, CannotRun


@dataclass(frozen=True)
class Difference:
    case: str
    step: str
    place: str
    one: object
    other: object

    def told_by(self, one, other):
        return (self.step, f"  {self.place}", f"    {one}: {json.dumps(self.one, ensure_ascii=False)}",
                f"    {other}: {json.dumps(self.other, ensure_ascii=False)}")


class Comparison:
    """accepted: a table of Accepted."""

    def __init__(self, one, other, receivers, accepted, tally):
        """receivers: what plays Nova for one, and for the other."""
        self.sides, self.receivers = (one, other), receivers
        self.accepted, self.tally = accepted, tally
        self.occurred, self.skipped = set(), []

    def judge(self, case):
        try:
            found = list(self._differences(case))
        except CannotRun as reason:
            self.skipped.append(case.name)
            return self.tally.skip(case.name, reason)
        except Broken as reason:
            return self.tally.add(case.name, str(reason).splitlines())
        wrong = [difference for difference in found if not self._is_accepted(difference)]
        names = [side.name for side in self.sides]
        agreed = f" ({len(found) - len(wrong)} accepted differences)" if len(found) > len(wrong) else ""
        return self.tally.add(case.name, [line for one in wrong for line in one.told_by(*names)], agreed)

    def _differences(self, case):
        steps = case.flat()
        players = [Player(side, receiver, case.auth) for side, receiver in zip(self.sides, self.receivers)]
        with ThreadPoolExecutor(len(players)) as both:
            seen = list(both.map(lambda player: play(steps, player), players))
        for step, one, other in zip(steps, *seen):
            for place, here, there in differences(one, other):
                yield Difference(case.name, step.label, place, here, there)

    def _is_accepted(self, difference):
        covering = {entry for entry in self.accepted if entry.covers(difference)}
        self.occurred |= covering
        return bool(covering)

    def judge_accepted(self):
        """After all cases: a difference that is accepted and did not occur is none. One that is accepted in a case
        that could not be played is not judged."""
        for entry in self.accepted:
            if entry not in self.occurred and not any(matches(name, entry.case) for name in self.skipped):
                self.tally.add(f"accepted, and still differs: {entry.case}, {entry.step}, {entry.place}", [entry.why])


def play(steps, player):
    """What the player saw at each step; the cloud is empty afterwards."""
    try:
        return [player.play(step) for step in steps]
    finally:
        if player.auth != "http_basic":  # oslo's filter knows of no projects, so nobody can have made anything
            clean(player)

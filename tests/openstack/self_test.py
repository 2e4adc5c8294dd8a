#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison itself, without OpenStack: that it finds what differs, and nothing else."""

import contextlib
import io
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from openstack import comparison, suite  # noqa: E402  (after bytecode is switched off)
from openstack.accepted import Accepted, matches  # noqa: E402
from openstack.cleaning import clean  # noqa: E402
from openstack.command import Tally  # noqa: E402
from openstack.difference import ABSENT, differences  # noqa: E402
from openstack.normal import Normal  # noqa: E402
from openstack.people import PROJECT  # noqa: E402
from openstack.player import Player  # noqa: E402
from openstack.process import Broken  # noqa: E402
from openstack.receiver import Receiver  # noqa: E402
from openstack.served import Answering, Service  # noqa: E402
from openstack.steps import Call, Case, NovaWasSent, Settles, flatten, get, show, volume  # noqa: E402
from openstack.talk import Answer, exchange  # noqa: E402

UUIDS = [f"{n}{n}{n}{n}{n}{n}{n}{n}-0000-4000-8000-000000000000" for n in "123"]


class Cloud(Service):
    """Enough of Cinder for one volume; `size` is what it says of it, whatever was asked for."""

    def __init__(self, name, uuid, size):
        super().__init__(Volumes)
        self.name, self.uuid, self.size, self.exists = name, uuid, size, False
        self.extending = 0  # answers yet to come that say so
        self.cut_short = False

    def view(self):
        self.extending -= self.extending > 0
        return {"id": self.uuid, "size": self.size, "status": "extending" if self.extending else "available",
                "links": [f"{self.address}/v3/{PROJECT}/volumes/{self.uuid}"], "created_at": f"2026-01-01T00:00:0{self.uuid[0]}.000001"}


class Volumes(Answering):
    def do_GET(self):
        path = self.path.removeprefix(f"/v3/{PROJECT}")
        if path == f"/volumes/{self.service.uuid}" and self.service.exists:
            return self.answer(200, {"volume": self.service.view()}, X_Openstack_Request_Id=f"req-{self.service.uuid}")
        if path.startswith("/volumes/detail"):
            return self.answer(200, {"volumes": [self.service.view()] if self.service.exists else []})
        kind = path.strip("/").split("?")[0]
        return self.answer(200, {"volume_types" if kind == "types" else kind: []})

    def do_POST(self):
        self.read_body()
        self.service.exists = self.path.endswith("/volumes")  # the other POSTs end in os-force_delete
        self.service.cut_short |= not self.service.exists and self.service.extending > 0
        self.answer(202, {"volume": self.service.view()})

    def do_DELETE(self):
        self.answer(404, {})


class Never:
    label = "never"


@Player.play.register
def _(self, _: Never):
    raise Broken("after 0 s: not there")


class Side:
    def __init__(self, cloud):
        self.name, self.words, self.cloud = cloud.name, {}, cloud

    def address(self, _):
        return self.cloud.address


class ADifference(unittest.TestCase):
    def test_is_named_by_its_place(self):
        one = {"a": [1, {"b": None}], "c": 1}
        other = {"a": [1, {"b": False}, 3], "d": 1}

        found = list(differences(one, other))

        self.assertEqual(found, [("a[1].b", None, False), ("a[2]", ABSENT, 3), ("c", 1, ABSENT), ("d", ABSENT, 1)])

    def test_is_one_between_a_number_and_a_truth(self):
        self.assertEqual(list(differences({"a": 1}, {"a": True})), [("a", 1, True)])


class ANormalAnswer(unittest.TestCase):
    def test_has_no_ids_times_or_addresses(self):
        normal = Normal({"http://127.0.0.1:1": "<address>"})
        normal.know(UUIDS[0], "<v>")
        answer = Answer(200, (("Date", "now"), ("X-Id", f"req-{UUIDS[2]}")), (
            f'{{"volume": "{UUIDS[0]}", "other": "{UUIDS[1]}", "same": "{UUIDS[1]}", "at": "2026-01-01T00:00:00.000001",'
            f' "on": "2026-01-01T00:00:00", "link": "http://127.0.0.1:1/v3"}}').encode())

        self.assertEqual(normal.answer(answer), {
            "status": 200, "headers": {"x-id": "<request>"},
            "body": {"volume": "<v>", "other": "<uuid 1>", "same": "<uuid 1>", "at": "<timeT.ffffff>", "on": "<timeT>",
                     "link": "<address>/v3"}})


class AComparison(unittest.TestCase):
    def compare(self, sizes, accepted=(), steps=None):
        self.tally, self.said = Tally(), io.StringIO()
        clouds = [self.enterContext(Cloud(name, uuid, size)) for name, uuid, size in zip(("one", "other"), UUIDS, sizes)]
        receivers = [self.enterContext(Receiver()) for _ in clouds]
        judge = comparison.Comparison(*map(Side, clouds), receivers, accepted, self.tally)
        cases = [Case("a volume", steps or [volume("v"), show("v")])]
        with contextlib.redirect_stdout(self.said):
            for case in cases:
                judge.judge(case)
            judge.judge_accepted()
        return self.tally.passed, self.tally.failed, self.tally.skipped

    def test_passes_what_differs_only_by_nature(self):
        self.assertEqual(self.compare((1, 1)), (1, 0, 0))

    def test_fails_for_one_number(self):
        self.assertEqual(self.compare((1, 2)), (0, 1, 0))
        self.assertIn("body.volume.size", self.said.getvalue())

    def test_passes_what_is_accepted(self):
        self.assertEqual(self.compare((1, 2), (Accepted("it may", place="body.volume.size"),)), (1, 0, 0))

    def test_fails_for_what_is_accepted_in_vain(self):
        self.assertEqual(self.compare((1, 1), (Accepted("it may", place="body.volume.size"),)), (1, 1, 0))

    def test_fails_for_what_only_one_sent_to_nova(self):
        receivers = [self.enterContext(Receiver()) for _ in range(2)]
        clouds = [Side(self.enterContext(Cloud(name, uuid, 1))) for name, uuid in zip(("one", "other"), UUIDS)]
        players = [Player(side, receiver, "noauth") for side, receiver in zip(clouds, receivers)]
        for receiver, times in zip(receivers, (1, 2)):
            for _ in range(times):
                exchange(receiver.address, "POST", "/v2.1/os-server-external-events", {}, b'{"events": []}')

        seen = [player.play(NovaWasSent(times)) for player, times in zip(players, (1, 2))]

        self.assertEqual([place for place, *_ in differences(*seen)], ["requests[1]"])


    def test_fails_for_a_side_that_does_not_answer_in_time(self):
        self.assertEqual(self.compare((1, 1), steps=[Never()]), (0, 1, 0))
        self.assertIn("not there", self.said.getvalue())


class CleaningUp(unittest.TestCase):
    def test_lets_an_extend_end_before_it_deletes_the_volume(self):
        cloud = self.enterContext(Cloud("one", UUIDS[0], 1))
        player = Player(Side(cloud), self.enterContext(Receiver()), "noauth")
        cloud.exists, cloud.extending = True, 3

        clean(player)

        self.assertFalse(cloud.exists)
        self.assertFalse(cloud.cut_short)


class Patterns(unittest.TestCase):
    def test_take_brackets_as_they_are(self):
        self.assertTrue(matches("body.volumes[0].size", "body.volumes[?].size"))
        self.assertFalse(matches("body.volumes0.size", "body.volumes[0].size"))


class TheCases(unittest.TestCase):
    def test_have_names_and_labels_of_their_own(self):
        cases = suite.chosen([])

        names = [case.name for case in cases]

        self.assertEqual(sorted(names), sorted(set(names)))
        for case in cases:
            self.assertTrue(all(step.label for step in case.flat()), case.name)

    def test_use_only_names_that_a_step_before_keeps(self):
        for case in suite.chosen([]):
            kept = {"project", "other_project"}
            for step in flatten(case.steps):
                if isinstance(step, Settles):
                    self.assertIn(step.volume, kept, case.name)
                kept |= set(getattr(step, "keep", {}))

    def test_say_in_their_label_what_they_ask(self):
        self.assertEqual(get("/volumes", "3.27", user=None).label, "GET /volumes at 3.27 as None")
        self.assertEqual(Call("GET", "/", under="").label, "GET /")


if __name__ == "__main__":
    unittest.main()

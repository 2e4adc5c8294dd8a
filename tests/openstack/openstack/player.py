# SPDX-License-Identifier: Apache-2.0
"""Plays the steps of a case on one side, and says what it saw in values that can be compared."""

import json
import re
from functools import singledispatchmethod

from openstack import talk
from openstack.clients import run_client
from openstack.normal import Normal
from openstack.people import OTHER_PROJECT, PROJECT, proof
from openstack.process import Broken, await_
from openstack.steps import Call, Client, NovaAnswers, NovaUses, NovaWasSent, Raw, Settles

# Statuses of a volume that become another by themselves.
PASSING = {"creating", "deleting", "extending", "attaching", "detaching"}
WAIT = 30  # seconds, for what takes a service much less


class Player:
    """side: has name, words and address(auth). receiver: the Receiver that plays Nova for it."""

    def __init__(self, side, receiver, auth):
        self.side, self.receiver, self.auth = side, receiver, auth
        self.address = side.address(auth)
        self.kept = {"project": PROJECT, "other_project": OTHER_PROJECT}
        self.normal = Normal({self.address: "<address>", PROJECT: "<project>", OTHER_PROJECT: "<other project>", **side.words})
        receiver.answers, receiver.uses = "ok", None
        receiver.take()

    def filled(self, value):
        """With what was kept in place of its name."""
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda name: self.kept.get(name[1], name[0]), value)
        if isinstance(value, dict):
            return {self.filled(key): self.filled(entry) for key, entry in value.items()}
        return [self.filled(entry) for entry in value] if isinstance(value, list) else value

    def keep(self, places, content):
        """An answer without such a place keeps nothing: the difference shows where it came from."""
        for name, place in places.items():
            value = found_at(content, place)
            if value is not None:
                self.kept[name] = value
                self.normal.know(value, f"<{name}>")

    @singledispatchmethod
    def play(self, step):
        raise TypeError(step)

    @play.register
    def _(self, step: Call):
        answer = self.ask(step)
        self.keep(step.keep, parsed(answer.body))
        return self.normal.answer(answer)

    def ask(self, step):
        if not step.entries:
            return self.ask_once(step)
        place, number = step.entries
        answers = []

        def enough():
            answers.append(self.ask_once(step))
            found = found_at(parsed(answers[-1].body), place)
            return isinstance(found, list) and len(found) >= number
        try:
            await_(enough, WAIT, "there")
        except Broken:
            pass  # what is missing is a difference like any other
        return answers[-1]

    def ask_once(self, step):
        body = step.body.text.encode("latin-1") if isinstance(step.body, Raw) else None
        if body is None and step.body is not None:
            body = json.dumps(self.filled(step.body)).encode()
        headers = {"Accept": "application/json", **proof(self.auth, step.user, self.filled(step.project))}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"OpenStack-API-Version": f"volume {step.version}"} if step.version else {}
        headers |= self.filled(dict(step.headers))
        return talk.exchange(self.address, step.method, self.filled(step.under + step.target), headers, body)

    def get(self, target):
        """JSON, as admin and at the newest version both sides have."""
        return parsed(self.ask_once(Call("GET", target, version="3.70")).body)

    @play.register
    def _(self, step: Settles):
        def settled():
            found = self.get(f"/volumes/{{{step.volume}}}")
            status = found_at(found, "volume.status") or "gone"
            return status if status not in PASSING else None
        if step.volume not in self.kept:
            return {"status": "never made"}
        return {"status": await_(settled, WAIT, f"settled: {step.label} at {self.side.name}")}

    @play.register
    def _(self, step: NovaAnswers):
        self.receiver.answers = step.how
        return {}

    @play.register
    def _(self, step: NovaUses):
        self.receiver.uses = self.kept.get(step.attachment)
        return {}

    @play.register
    def _(self, step: NovaWasSent):
        try:
            await_(lambda: len(self.receiver.seen) >= step.number, WAIT, "sent")
        except Broken:
            pass  # seen in the number of requests
        return {"requests": [self._request(request) for request in self.receiver.take()]}

    def _request(self, request):
        ours = ("content-type", "openstack-api-version", "x-auth-token", "x-openstack-nova-api-version",
                "x-openstack-request-id")
        headers = {name.lower(): value for name, value in request["headers"].items() if name.lower() in ours}
        return self.normal.value({**request, "headers": headers})

    @play.register
    def _(self, step: Client):
        seen = run_client(step.program, self.filled(step.words), self.address)
        self.keep(step.keep, seen["properties"])
        if step.in_passing:
            return {"exit": seen["exit"], "printed": sorted(seen["properties"])}
        return {"exit": seen["exit"], "printed": self.normal.printed(seen["printed"])}


def parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return None


def found_at(content, place):
    """The value at "volume.id"; None when there is none."""
    for word in place.split("."):
        if not isinstance(content, dict) or word not in content:
            return None
        content = content[word]
    return content

# SPDX-License-Identifier: Apache-2.0
"""Plays Nova for whoever sends events: takes what it is sent, and answers as it is told to."""

import json
import socket
import struct
import threading

from openstack.served import Answering, Service


def ended(code, status):
    return lambda events: {"events": [event | {"code": code, "status": status} for event in events]}


def fault(status):
    return lambda _: {"badRequest": {"code": status, "message": "so told"}}


# How Nova may answer: name -> (status, what of the events). Every number is such a status with a fault.
ANSWERS = {
    "ok": (200, ended(200, "completed")),
    "207 of 404": (207, ended(404, "failed")),
    "207 of 422": (207, ended(422, "failed")),
    "207 of both": (207, lambda events: {"events": [ended(*(404, "failed") if number else (200, "completed"))([event])["events"][0]
                                                    for number, event in enumerate(events)]}),
    "no codes": (200, lambda events: {"events": events}),
    "no list": (200, lambda _: {"events": {"a": 1}}),
    "no events": (200, lambda _: {}),
    "an empty list": (200, lambda _: {"events": []}),
    "junk": (200, lambda _: b"junk"),
}


class Receiver(Service):
    def __init__(self):
        super().__init__(Nova)
        self.url = self.address + "/v2.1"
        self.answers, self.uses = "ok", None
        self.guard, self._seen = threading.Lock(), []

    def note(self, request):
        with self.guard:
            self._seen.append(request)

    @property
    def seen(self):
        with self.guard:
            return list(self._seen)

    def take(self):
        """What was sent since the last time."""
        with self.guard:
            taken, self._seen = self._seen, []
            return taken


class Nova(Answering):
    def do_GET(self):
        """Cinder asks for an attachment before it deletes one; this Nova has at most one."""
        if self.service.uses is None:
            return self.answer(404, {"itemNotFound": {"code": 404, "message": "not here"}})
        return self.answer(200, {"volumeAttachment": {"attachment_id": self.service.uses}})

    def do_POST(self):
        body = self.read_body()
        self.service.note({"method": self.command, "path": self.path, "headers": dict(self.headers.items()),
                           "body": json.loads(body)})
        how = self.service.answers
        if how == "reset":
            return self._reset()
        status, content = ANSWERS.get(how) or (int(how), fault(int(how)))
        # Each time a new connection: on one that was used before a client may ask again by itself when it is reset.
        return self.answer(status, content(json.loads(body)["events"]), Connection="close")

    def _reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

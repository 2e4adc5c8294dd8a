# SPDX-License-Identifier: Apache-2.0
"""What two services may write differently by nature, made alike: ids, request ids, times, addresses, folders.

A value that an answer repeats stays recognisable as the same one, so that a wrong id is still a difference.
"""

import json
import re

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
REQUEST = re.compile(rf"req-{UUID}")
TIME = re.compile(r"\d{4}-\d\d-\d\d(?P<gap>[T ])\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?")
# Of the connection, not of the service; or made of the rest.
TRANSPORT = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class Normal:
    """Of one side, in one case."""

    def __init__(self, words):
        """words: text -> what stands for it, such as the side's address; the longest goes first."""
        self.words, self.uuids = dict(words), {}

    def know(self, text, word):
        self.words[text] = word

    def text(self, text):
        return re.sub(UUID, lambda uuid: self.uuids.setdefault(uuid[0], f"<uuid {len(self.uuids) + 1}>"), self.alike(text))

    def alike(self, text):
        """Without what differs by nature, but with the ids that nobody knows."""
        for known in sorted(self.words, key=len, reverse=True):
            text = text.replace(known, self.words[known])
        text = REQUEST.sub("<request>", text)
        return TIME.sub(lambda time: f"<time{time['gap']}{'.ffffff' if time['fraction'] else ''}{time['zone'] or ''}>", text)

    def printed(self, lines):
        """Of a client, which sorts tables by id: by what is beside the ids, for they are in no order."""
        def told(line):
            return [told(cell) for cell in line] if isinstance(line, list) else re.sub(UUID, "<uuid>", self.alike(line))
        return sorted(map(told, lines), key=str)

    def value(self, value):
        """Of JSON. Keys in one order, so that ids are numbered alike."""
        if isinstance(value, dict):
            return {self.text(key): self.value(value[key]) for key in sorted(value)}
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        return self.text(value) if isinstance(value, str) else value

    def answer(self, answer):
        """An Answer as what is compared: status, headers by lower-case name, body."""
        headers = {}
        for name, value in sorted((name.lower(), value) for name, value in answer.headers):
            if name not in TRANSPORT:
                headers[name] = ", ".join(filter(None, (headers.get(name), self.text(value))))
        return {"status": answer.status, "headers": headers, "body": self.body(answer.body)}

    def body(self, body):
        """JSON where it is JSON."""
        try:
            return self.value(json.loads(body))
        except ValueError:
            return self.text(body.decode(errors="replace"))

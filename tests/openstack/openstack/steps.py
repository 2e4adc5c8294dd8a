# SPDX-License-Identifier: Apache-2.0
"""What cases are made of: steps as values, and short words for those that come often.

"{name}" in a target or body is what an earlier step kept under that name; {project} and {other_project} are there
from the beginning. A step that is a list stands for its steps.
"""

import json
from dataclasses import dataclass, field

NOWHERE = "00000000-0000-4000-8000-000000000000"  # the id of nothing


@dataclass(frozen=True)
class Raw:
    """A body that is these bytes, not JSON of them."""

    text: str


@dataclass(frozen=True)
class Call:
    """One request; its whole answer is compared."""

    method: str
    target: str  # below `under`
    body: object = None
    version: str | None = None
    user: str | None = "admin"
    project: str = "{project}"
    headers: dict = field(default_factory=dict)
    under: str = "/v3/{project}"
    keep: dict = field(default_factory=dict)  # name -> place in the answer, "volume.id"
    entries: tuple | None = None  # (place, number): asked again until so many are there
    note: str = ""

    @property
    def label(self):
        words = [self.method, (self.under if self.under != "/v3/{project}" else "") + self.target]
        if self.body is not None:
            words.append(short(self.body.text if isinstance(self.body, Raw) else json.dumps(self.body)))
        words += [f"at {self.version}"] if self.version else []
        words += [f"as {self.user}"] if self.user != "admin" else []
        words += [f"of {self.project}"] if self.project != "{project}" else []
        words += [short(json.dumps(self.headers))] if self.headers else []
        words += [f"({self.note})"] if self.note else []
        return " ".join(words)


@dataclass(frozen=True)
class Settles:
    """Waits until the volume's status is none that passes by itself; the status is compared."""

    volume: str

    @property
    def label(self):
        return f"{{{self.volume}}} settles"


@dataclass(frozen=True)
class NovaAnswers:
    how: str

    @property
    def label(self):
        return f"Nova answers {self.how}"


@dataclass(frozen=True)
class NovaUses:
    attachment: str

    @property
    def label(self):
        return f"Nova uses {{{self.attachment}}}"


@dataclass(frozen=True)
class NovaWasSent:
    """Waits for so many requests to Nova since the case began or was asked last, and compares them."""

    number: int

    @property
    def label(self):
        return f"Nova was sent {self.number}"


@dataclass(frozen=True)
class Client:
    """One of OpenStack's own clients, its exit status and what it prints."""

    program: str  # cinder or openstack
    words: str
    keep: dict = field(default_factory=dict)  # name -> a column of the properties it prints
    in_passing: bool = False  # what it prints changes by itself meanwhile: only the names of properties are compared
    note: str = ""

    @property
    def label(self):
        return f"{self.program} {self.words}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Case:
    """A sentence, and steps that begin in an empty cloud."""

    name: str
    steps: list
    auth: str = "noauth"

    def flat(self):
        return list(flatten(self.steps))


def flatten(steps):
    for step in steps:
        if isinstance(step, list):
            yield from flatten(step)
        else:
            yield step


def short(text, most=90):
    return text if len(text) <= most else f"{text[:most - 20]}…{len(text)} characters"


def get(target, version=None, **more):
    return Call("GET", target, version=version, **more)


def post(target, body, version=None, **more):
    return Call("POST", target, body, version, **more)


def put(target, body, version=None, **more):
    return Call("PUT", target, body, version, **more)


def delete(target, version=None, **more):
    return Call("DELETE", target, version=version, **more)


def create(body, version=None, **more):
    return post("/volumes", {"volume": body}, version, **more)


def volume(kept, /, size=1, version="3.70", **properties):
    return [create({"size": size, **properties}, version, keep={kept: "volume.id"}), Settles(kept)]


def show(name, version="3.70", **more):
    return get(f"/volumes/{{{name}}}", version, **more)


def act(name, action, content, version=None, **more):
    target = name if name.startswith("/") else f"/volumes/{{{name}}}"
    return post(f"{target}/action", {action: content}, version, **more)


def extend(name, size, version="3.42", **more):
    return act(name, "os-extend", {"new_size": size}, version, **more)


def reset(name, status="available", attach_status="detached"):
    return act(name, "os-reset_status", {"status": status, "attach_status": attach_status})


def volume_type(name, kept, /, **extra_specs):
    specs = {key.replace("__", ":"): value for key, value in extra_specs.items()}
    return post("/types", {"volume_type": {"name": name, "extra_specs": specs}}, keep={kept: "volume_type.id"})


CONNECTOR = {"host": "compute", "ip": "192.0.2.10", "initiator": "iqn.2026-01.test:compute", "multipath": False}
INSTANCE, SECOND_INSTANCE, THIRD_INSTANCE = (f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def attach(name, kept, instance=INSTANCE, connector=None, version="3.44"):
    """As Nova does it: an attachment with a connector, then complete."""
    body = {"volume_uuid": f"{{{name}}}", "instance_uuid": instance, "connector": connector or CONNECTOR}
    return [post("/attachments", {"attachment": body}, version, keep={kept: "attachment.id"}),
            post(f"/attachments/{{{kept}}}/action", {"os-complete": None}, version)]


def quota(**limits):
    return put("/os-quota-sets/{project}", {"quota_set": limits})


def messages(name, number):
    """Those about a volume, once so many are there."""
    return get(f"/messages?resource_uuid={{{name}}}", "3.5", entries=("messages", number))

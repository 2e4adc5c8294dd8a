# SPDX-License-Identifier: Apache-2.0
"""What real Cinder answers, as files: one line of JSON for each exchange, of each module of cases/ one file."""

import json

from openstack.cinder import RealCinder
from openstack.comparison import play
from openstack.identity import Identity
from openstack.player import Player
from openstack.receiver import Receiver
from openstack.steps import Call, Raw
from openstack.suite import FOLDER, cases_of, modules

RECORDED = FOLDER.parent / "recorded"
# Every answer of the API has these, so that they would only be noise.
USUAL = {"content-type": "application/json", "vary": "OpenStack-API-Version", "x-compute-request-id": "<request>",
         "x-openstack-request-id": "<request>"}


def record(options, running, folder, tally):
    receiver = running.enter_context(Receiver())
    identity = running.enter_context(Identity(compute=receiver.url))
    cinder = running.enter_context(RealCinder(folder, identity, receiver.url))
    for module in modules():
        if not options.names or any(name in module for name in options.names):
            write(module, [entry for case in cases_of(module) for entry in exchanges(case, cinder, receiver)])
            tally.add(f"recorded {module}", [])


def exchanges(case, cinder, receiver):
    steps = case.flat()
    seen = play(steps, Player(cinder, receiver, case.auth))
    for step, answer in zip(steps, seen):
        if isinstance(step, Call):
            yield {"case": case.name, "request": request(step), "answer": usual_left_out(answer)}


def request(step):
    whole = {"method": step.method, "target": step.under + step.target, "version": step.version,
             "user": step.user, "project": step.project, "headers": step.headers}
    whole |= {"raw": step.body.text} if isinstance(step.body, Raw) else {"body": step.body}
    return {key: value for key, value in whole.items() if value not in (None, {}, "admin", "{project}")}


def usual_left_out(answer):
    headers = {name: value for name, value in answer["headers"].items() if USUAL.get(name) != value}
    return {"status": answer["status"], "headers": headers, "body": answer["body"]}


def write(module, entries):
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (RECORDED / f"{module}.json").write_text(f"[\n{lines}\n]\n")

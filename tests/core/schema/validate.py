#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges emitted results, reports and probes by the JSON schemas in docs/.

    validate.py [FILE ...]          one JSON text a line; standard input without FILE
    validate.py --emitter PROGRAM   what PROGRAM prints, and that spoilt copies of it are refused

Beyond what a schema says for consumers, every member must be one the schema knows: a member is
documented in the commit that adds it.
"""

import copy
import json
import pathlib
import subprocess
import sys

import jsonschema

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"


def load(name):
    schema = json.loads((DOCS / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def closed(schema):
    """The schema with no room for members it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: closed(part) for key, part in schema.items()}
    if "properties" in parts:
        parts["additionalProperties"] = False
    return parts


class Judge:
    def __init__(self):
        names = ("result.schema.json", "report.schema.json", "probe.schema.json")
        schemas = [closed(load(name)) for name in names]
        known = {schema["$id"]: schema for schema in schemas}
        self.validators = {
            schema["properties"]["schema"]["const"]: jsonschema.Draft202012Validator(
                schema, resolver=jsonschema.RefResolver.from_schema(schema, store=known)
            )
            for schema in schemas
        }

    def faults(self, document):
        """Sentences, one a fault."""
        name = document.get("schema") if isinstance(document, dict) else None
        if name not in self.validators:
            return [f"schema is {name!r}, expected one of {sorted(self.validators)}"]
        return [f"{error.json_path}: {error.message}" for error in self.validators[name].iter_errors(document)]


def spoilt(document):
    """Copies of a full result that a schema worth its name refuses."""
    def but(change):
        copied = copy.deepcopy(document)
        change(copied)
        return copied

    yield but(lambda d: d.update(schema="volgrow.result/2"))
    yield but(lambda d: d.update(surprise=1))
    yield but(lambda d: d["layers"][0].update(surprise=1))
    yield but(lambda d: d.update(state="timed_out"))
    yield but(lambda d: d.update(size_bytes="20G"))
    yield but(lambda d: d.update(size_bytes=-1))
    yield but(lambda d: d.update(wwid="6001405"))
    yield but(lambda d: d.update(started_at="yesterday"))
    yield but(lambda d: d["layers"][0].update(action="none"))
    yield but(lambda d: d["layers"][0].pop("kind"))
    yield but(lambda d: d["error"].update(name="Oops"))
    yield but(lambda d: d["diagnosis"].pop("fix"))
    for member in document:
        if member != "diagnosis":
            yield but(lambda d: d.pop(member))


def check_judge(judge, documents):
    """The judge itself can say no: it refuses every spoilt copy."""
    full = next(d for d in documents if d.get("diagnosis"))
    report = {"schema": "volgrow.report/1", "host": "h", "journal": "00000000-0000-0000-0000-000000000000", "sequence": 1}
    passed = [d for d in spoilt(full) if not judge.faults(d) or not judge.faults({**report, "result": d})]
    return [f"a spoilt copy was not refused: {json.dumps(d)}" for d in passed]


def main(arguments):
    judge = Judge()
    if arguments[:1] == ["--emitter"]:
        lines = subprocess.run(arguments[1:], check=True, capture_output=True, text=True).stdout.splitlines()
    else:
        lines = [line for file in arguments or ["/dev/stdin"] for line in open(file).read().splitlines()]
    documents = [json.loads(line) for line in lines]
    faults = [f"{fault}\n  in {json.dumps(d)}" for d in documents for fault in judge.faults(d)]
    if arguments[:1] == ["--emitter"]:
        faults += check_judge(judge, documents)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(documents)} documents, {len(faults)} faults")
    return 1 if faults or not documents else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

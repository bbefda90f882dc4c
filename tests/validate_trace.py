#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""validate_trace.py SCHEMA FILE... - are these traces what they promise?

Each line is checked against the JSON Schema, and the file as a whole against
what a schema for one line cannot say: the first line is the start event,
events are numbered 0, 1, 2 ..., and the last of them is the exit event. Lines
that are no events may follow it. Exit status 0, 1 for a trace that is wrong,
2 for a command line that is.
"""
import collections
import json
import sys

import jsonschema


class Wrong(Exception):
    """What is wrong with a line, as a sentence."""


def without_twins(pairs):
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise Wrong(f'the key "{key}" stands twice in one object')
    return dict(pairs)


def no_constant(name):
    raise Wrong(f"{name} is no JSON")


def parse(line):
    if not line.endswith(b"\n"):
        raise Wrong("the line has no newline at its end")
    try:
        return json.loads(line.decode("utf-8"),
                          object_pairs_hook=without_twins,
                          parse_constant=no_constant)
    except ValueError as error:
        raise Wrong(f"the line is no JSON: {error}") from None


def check_schema(validator, record):
    for error in validator.iter_errors(record):
        raise Wrong(f"{error.json_path}: {error.message}")


def check_write(record):
    """Old and new bytes of a store are as many."""
    stores = [record] if record.get("event") == "write" else []
    if record.get("event") == "step":
        stores += record["writes"]
    for store in stores:
        old, new = store.get("old"), store.get("new")
        if None not in (old, new) and len(old) != len(new):
            raise Wrong("old and new bytes differ in number")


class Trace:
    """The rules that need more than one line."""

    def __init__(self, kinds):
        self.kinds = kinds
        self.events = 0
        self.root = None  # the process of the start event
        self.ended = False

    def take(self, record):
        kind = record.get("event")
        if self.ended:
            if kind in self.kinds and kind != "verdict":
                raise Wrong(f'the event "{kind}" comes after the exit event')
            return
        if (self.events == 0) != (kind == "start"):
            raise Wrong("the start event must be the first line and no other")
        if record.get("seq") != self.events:
            raise Wrong(f'seq is {record.get("seq")}, but it must be '
                        f"{self.events}")
        if kind == "start":
            self.root = record["pid"]
        self.events += 1
        self.ended = (kind == "exit" and
                      record.get("pid", self.root) == self.root)


def known_kinds(schema):
    rule = schema["$defs"]["event"]["allOf"][0]
    return rule["if"]["properties"]["event"]["enum"]


def open_schema(name):
    with open(name, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def check_file(validator, name, sample=None):
    """Prints what is wrong. Of each kind the first `sample` lines, or all, are
    checked against the schema, which takes a third of a millisecond each."""
    trace = Trace(known_kinds(validator.schema))
    seen = collections.Counter()
    number = 0
    with open(name, "rb") as lines:
        try:
            for number, line in enumerate(lines, 1):
                record = parse(line)
                kind = record.get("event") if type(record) is dict else None
                seen[str(kind)] += 1
                if sample is None or seen[str(kind)] <= sample:
                    check_schema(validator, record)
                check_write(record)
                trace.take(record)
            if not trace.ended:
                raise Wrong("the trace ends without an exit event")
        except Wrong as wrong:
            print(f"{name}:{number}: {wrong}", file=sys.stderr)
            return False
    return True


def main():
    if len(sys.argv) < 3:
        print("usage: validate_trace.py SCHEMA FILE...", file=sys.stderr)
        return 2
    validator = open_schema(sys.argv[1])
    good = [check_file(validator, name) for name in sys.argv[2:]]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())

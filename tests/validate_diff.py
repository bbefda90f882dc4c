#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""validate_diff.py SCHEMA FILE... - is this what --diff --format=json promises?

Each line is checked against the JSON Schema; the last line, and no other, has
the result, and each kind of difference is there at most once. Exit status 0, or
1 with what is wrong on standard error.
"""
import sys

from validate_trace import Wrong, check_schema, open_schema, parse


def check_file(validator, name):
    with open(name, "rb") as lines:
        records = [parse(line) for line in lines]
    for record in records:
        check_schema(validator, record)
    kinds = [record.get("difference") for record in records]
    if kinds[-1:] != [None] or kinds.count(None) > 1:
        raise Wrong("the last line, and no other, must have the result")
    if len(set(kinds)) != len(kinds):
        raise Wrong("a kind of difference is there twice")
    if (records[-1]["result"] == "different") != (len(kinds) > 1):
        raise Wrong("the result is none of these differences")


def main():
    validator = open_schema(sys.argv[1])
    for name in sys.argv[2:]:
        try:
            check_file(validator, name)
        except (Wrong, ValueError) as wrong:
            print(f"{name}: {wrong}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

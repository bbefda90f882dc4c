#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""check_jits.py JITTRACE BUILD [NAME...] - are the JITs that people use traced?

`make check-jits` installs the JITs and runs this. Each runs a program with a
loop (tests/jits) on its own, then under jittrace. Standard output, standard
error and the exit status must be the same; the trace must keep to the schema,
have generated code entered and stepped, and end with the exit. The text format
and a walk with --step --plain must leave the program alone as well.

Those of NAMED name their code, in a perf map, a jitdump or for GDB: there must be
names in the trace, and none that the rule `names` finds wrong.

The JITs of REQUIRED must be there. Those of OPTIONAL are run where they are
installed, and then they must be right, too. NAMEs choose some of all these.
"""
import collections
import json
import os
import shutil
import subprocess
import sys
import time

import validate_trace

COUNT = "100000\n"  # how far the programs add up, on their standard input
WALK = "n\nn\nstage\nn\nstage\nb\nq\n"
LIMIT = 120  # seconds a run may take; a hang must end some day
SAMPLE = 2000  # events of a kind that are checked against the schema

Jit = collections.namedtuple("Jit", "name command stdin status prepare names")


def jit(name, *command, stdin=COUNT, status=7, prepare=(), names=False):
    return Jit(name, command, stdin, status, prepare, names)


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def required(build):
    return [
        jit("luajit", "luajit", "tests/jits/sum.lua"),
        jit("tcc -run", "tcc", "-run", "tests/jits/sum.c"),
        jit("pcre2test", "pcre2test", "-q", "-",
            stdin=read("tests/jits/words.txt"), status=0),
        jit("node", "node", "tests/jits/sum.js"),
        jit("java", "java", "-cp", build, "Sum",
            prepare=("javac", "-d", build, "tests/jits/Sum.java")),
        jit("erlang", "escript", "tests/jits/sum.escript"),
    ]


def optional(build):
    return [
        jit("pypy3", "pypy3", "tests/jits/sum.py"),
        jit("ruby --yjit", "ruby", "--yjit", "tests/jits/sum.rb"),
        jit("php", "php", "-d", "opcache.enable_cli=1", "-d",
            "opcache.jit_buffer_size=16M", "-d", "opcache.jit=tracing",
            "tests/jits/sum.php"),
        jit("sbcl", "sbcl", "--script", "tests/jits/sum.lisp"),
        jit("guile", "guile", "--no-auto-compile", "tests/jits/sum.scm"),
        jit("racket", "racket", "tests/jits/sum.rkt"),
        jit("mono", "mono", f"{build}/sum.exe",
            prepare=("mcs", f"-out:{build}/sum.exe", "tests/jits/sum.cs")),
        jit("gjs", "gjs", "tests/jits/sum.gjs"),
        jit("qemu-user", "qemu-x86_64", "/bin/sh", "-c",
            "read n; echo $n; echo done >&2; exit 7"),
    ]


def named(build):
    php = ("php", "-d", "opcache.enable_cli=1", "-d",
           "opcache.jit_buffer_size=16M", "-d", "opcache.jit=tracing", "-d")
    return [
        jit("node-map", "node", "--perf-basic-prof",
            "--interpreted-frames-native-stack", "tests/jits/sum.js",
            names=True),
        jit("node-dump", "node", "--perf-prof", "--perf-prof-delete-file",
            "tests/jits/sum.js", names=True),
        jit("java-map", "java", "-XX:+UnlockDiagnosticVMOptions",
            "-XX:+DumpPerfMapAtExit", "-cp", build, "Sum", names=True,
            prepare=("javac", "-d", build, "tests/jits/Sum.java")),
        jit("php-map", *php, "opcache.jit_debug=0x10", "tests/jits/sum.php",
            names=True),
        jit("php-dump", *php, "opcache.jit_debug=0x20", "tests/jits/sum.php",
            names=True),
        jit("lli-gdb", "lli", "-jit-kind=mcjit", f"{build}/sum.bc", names=True,
            prepare=("clang", "-g", "-c", "-emit-llvm", "-o",
                     f"{build}/sum.bc", "tests/jits/sum.c")),
    ]


class Wrong(Exception):
    """What is wrong with a JIT's run, as a sentence."""


def run(command, stdin):
    """Returns what a reader of the program's output sees, and the seconds."""
    begin = time.monotonic()
    try:
        done = subprocess.run(command, input=stdin.encode(), timeout=LIMIT,
                              capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        raise Wrong(f"it did not end in {LIMIT} s: {' '.join(command)}")
    return (done.stdout, done.stderr, done.returncode), \
        time.monotonic() - begin


def compare(alone, traced, how):
    for what, one, other in zip(("standard output", "standard error",
                                 "exit status"), alone, traced):
        if one != other:
            raise Wrong(f"{what} is {other!r} under jittrace {how}, "
                        f"and {one!r} without")


def count(validator, name):
    """Validates a trace. Returns how many events of each kind it has."""
    if not validate_trace.check_file(validator, name, SAMPLE):
        raise Wrong(f"{name} does not keep to the schema")
    seen = collections.Counter()
    regions = set()
    with open(name, encoding="utf-8") as trace:
        for line in trace:
            event = json.loads(line)
            seen[event["event"]] += 1
            if event["event"] == "step":
                regions.add(int(event["addr"], 16) - event["offset"])
    seen["regions"] = len(regions)
    return seen


def check(jittrace, build, validator, what):
    trace = f"{build}/{what.name.replace(' ', '')}"
    traced = [jittrace, "-o"]
    if what.prepare:
        subprocess.run(what.prepare, check=True, capture_output=True)
    alone, seconds = run(what.command, what.stdin)
    if alone[2] != what.status:
        raise Wrong(f"without jittrace its exit status is {alone[2]}: "
                    f"{alone[1].decode(errors='replace')}")

    watched, traced_seconds = run(
        [*traced, trace + ".jsonl", "--format=json", "--", *what.command],
        what.stdin)
    compare(alone, watched, "--format=json")
    seen = count(validator, trace + ".jsonl")
    for kind in ("enter", "step", "exit"):
        if not seen[kind]:
            raise Wrong(f'there is no "{kind}" in {trace}.jsonl')
    print(f"{what.name:12} {seconds:8.2f} {traced_seconds:8.2f} "
          f"{seen['regions']:7} {seen['enter']:7} {seen['step']:7} "
          f"{seen['write']:7} {seen['limit']:6}", end="", flush=True)

    if what.names:
        judged, _ = run([jittrace, "--check", "--rule=names",
                         f"--replay={trace}.jsonl"], "")
        if not seen["name"] or judged[2] not in (0, 71):
            raise Wrong(f"{seen['name']} names, which are judged as "
                        f"{judged[0].decode(errors='replace')}")
    as_text, _ = run([*traced, trace + ".txt", "--", *what.command],
                     what.stdin)
    compare(alone, as_text, "--format=text")
    if f"It ended with status {what.status}." not in read(trace + ".txt"):
        raise Wrong(f"{trace}.txt does not tell of the end")

    with open(trace + ".in", "w", encoding="utf-8") as file:
        file.write(what.stdin)
    walk, _ = run([jittrace, "--step", "--plain", f"--stdin={trace}.in", "--",
                   *what.command], WALK)
    # A program that has come to its end meanwhile is not ended by the q.
    status = what.status if b"ran to the end" in walk[0] else 0
    if walk[2] != status or walk[0].count(b"\nstep ") != WALK.count("\n"):
        raise Wrong(f"a walk of {WALK.split()} ends with {walk!r}")


def main():
    jittrace, build, *chosen = sys.argv[1:]
    validator = validate_trace.open_schema("docs/trace.schema.json")
    os.makedirs(build, exist_ok=True)
    wrong = ran = False
    print(f"{'':12} {'alone s':>8} {'traced s':>8} {'regions':>7} "
          f"{'entries':>7} {'steps':>7} {'writes':>7} {'limits':>6}")
    mandatory = required(build)
    for what in mandatory + optional(build) + named(build):
        if chosen and what.name.split()[0] not in chosen:
            continue
        needs = [what.command[0], *what.prepare[:1]]
        if what not in mandatory and not all(map(shutil.which, needs)):
            print(f"{what.name:12} not installed")
            continue
        ran = True
        try:
            check(jittrace, build, validator, what)
            print("  ok")
        except (Wrong, OSError, subprocess.CalledProcessError) as reason:
            print(f"\n{what.name:12} WRONG: {reason}")
            wrong = True
    if not ran:
        print("check_jits.py: no JIT was run", file=sys.stderr)
    return 0 if ran and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())

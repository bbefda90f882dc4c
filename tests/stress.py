# SPDX-License-Identifier: MIT
"""
Runs the programs of tests/tracees many times, traced, while busy loops keep the
machine from its work: what depends on which thread is faster shows so, if at
all. `make stress` runs it.

    stress.py JITTRACE DIRECTORY RUNS LOAD [NAME]...

Each tracee of that directory that says how it ends (of these names, or all) is
run without a tracer once for each time with one. Exit status and output must be the same. A program
whose untraced runs differ among themselves is none that can be compared: it is
named and left out. The recording of a run that differs is kept beside the
program, as NAME.stress-N.jsonl.
"""
import multiprocessing
import os
import re
import subprocess
import sys

PATIENCE = 120  # seconds for one run


def said(source, keyword):
    """The words behind a keyword in the first comment of a tracee."""
    head = source.split("*/\n\n")[0]
    lines = re.findall(r"^ \* %s:\s+(.*)$" % keyword, head, re.M)
    return " ".join(lines).split()


def outcome(command):
    """Status and output of a run; its group is ended if it takes too long."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             start_new_session=True)
    try:
        out, err = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.communicate()
        return "no end", b"", b""
    status = child.returncode
    return 128 - status if status < 0 else status, out, err


def busy():
    while True:
        pass


class Tracee:
    def __init__(self, jittrace, directory, name):
        with open("tests/tracees/%s.c" % name) as file:
            source = file.read()
        self.name = name
        self.compared = bool(said(source, "ends"))
        self.program = os.path.join(directory, name)
        self.alone = [self.program] + said(source, "args")
        self.traced = [jittrace] + said(source, "options")
        self.first = None

    def run(self, number):
        """Whether it was the same; prints what was not."""
        kept = "%s.stress-%d.jsonl" % (self.program, number)
        alone = outcome(self.alone)
        self.first = self.first or alone
        if alone != self.first:
            print("%s: untraced runs differ: left out" % self.name, flush=True)
            self.compared = False
            return True
        traced = outcome(self.traced + ["--format=json", "-o", kept, "--"]
                         + self.alone)
        if traced == alone:
            os.unlink(kept)
            return True
        names = "status", "output", "errors"
        for what, one, other in zip(names, alone, traced):
            if one != other:
                print("%s, run %d: %s %r, not %r (%s)"
                      % (self.name, number, what, other, one, kept), flush=True)
        return False


def main(jittrace, directory, runs, load, names):
    names = names or sorted(name[:-2] for name in os.listdir("tests/tracees")
                            if name.endswith(".c"))
    tracees = [Tracee(jittrace, directory, name) for name in names]
    loops = [multiprocessing.Process(target=busy, daemon=True)
             for _ in range(load)]
    made = different = 0
    for loop in loops:
        loop.start()
    for number in range(1, runs + 1):
        for tracee in tracees:
            if tracee.compared:
                made += 1
                different += not tracee.run(number)
    for loop in loops:
        loop.terminate()
    print("%d runs of %d programs beside %d busy loops, %d different"
          % (made, sum(tracee.compared for tracee in tracees), load, different))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]),
                  sys.argv[5:]))

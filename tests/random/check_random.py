#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""check_random.py JITTRACE RANDOM SEED COUNT - is random code left alone?

`make check-random` runs this. RANDOM (random.c) runs COUNT samples of random
machine code, on its own and under jittrace, and says what came of each. Where
that is not the same, the differences are printed with the sample, and how to
run it again; the exit status is 1 then.

Samples that loop without an end are found by the run without jittrace, and are
run by neither. Each batch has jittrace watch in another way (WAYS).
"""
import subprocess
import sys

BATCH = 50  # samples of one process
SHOWN = 5  # differences that are printed in full
NESTED_TASK = 0x4000  # flag NT: SDM vol. 1, 3.4.3.3
LIMIT = 300  # seconds a batch may take
AMPLE = ["--max-steps=1000000000", "--max-calls=1000000000",
         "--max-all-stores=1000000000", "--max-data-stores=1000000000",
         "--max-system-calls=1000000000", "--max-call-steps=2000"]
RESTS = [["--max-call-steps=3"], ["--max-steps=0"]]  # then at full speed
WAYS = [[], RESTS[0], ["--max-stores=4"], RESTS[1]]


def run(command):
    """Returns the lines it has printed, and how it ended if not well."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode().splitlines(), str(late)
    why = f"exit status {done.returncode}: {done.stderr.decode()}"
    return done.stdout.decode().splitlines(), why if done.returncode else ""


def samples(lines):
    """The lines of each sample, by its seed."""
    found = {}
    for line in lines:
        if line.startswith("sample "):
            found[line.split()[1]] = now = []
        else:
            now.append(line)
    return found


def fields(line):
    return dict(word.partition("=")[::2] for word in line.split())


def is_fickle(line):
    """Whether an interrupt could have changed what is in the line.

    Where a thread is interrupted, or steps, with an rsp that is no address,
    an AMD CPU raises a fault as it goes on, and not at the next access to the
    stack. Flag NT is lost by that on some machines.
    """
    found = fields(line)
    rsp = int(found.get("rsp", "0"), 16)
    return (0 < (rsp + (1 << 47)) >> 48 < 0xffff
            or bool(int(found.get("flags", "0"), 16) & NESTED_TASK))


def comparable(alone, traced):
    """Both without what no interrupt may come to, and what is behind that."""
    for i, lines in enumerate(zip(alone, traced)):
        if lines[0] != lines[1] and any(map(is_fickle, lines)):
            return alone[:i], traced[:i]
    return alone, traced


def differences(alone, traced):
    """What is not the same, a line for each field."""
    for i, (one, other) in enumerate(zip(alone, traced)):
        if one == other:
            continue
        yield f"  line {i + 1}: {one}"
        one, other = fields(one), fields(other)
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                yield (f"    {name}: {one.get(name, '(as before)')} alone, "
                       f"{other.get(name, '(as before)')} traced")
    if len(alone) != len(traced):
        yield f"  {len(alone)} lines alone, {len(traced)} lines traced"
        for line in alone[len(traced):] + traced[len(alone):]:
            yield f"    {line}"


def trace(jittrace, way, program, *args):
    return [jittrace, "-o", "/dev/null", *AMPLE, *way, "--", program, *args]


def reads_int3(program, way, seed, traced):
    """Whether all that differs is an int3 that limits.md tells of.

    Without debug registers that work, there is one where code that runs at
    full speed returns to, and the sample may read it.
    """
    if way not in RESTS:
        return False
    lines, _ = run([program, "--int3", seed, "1"])
    one, other = comparable(samples(lines)[seed], traced)
    return one == other


def report(jittrace, program, way, seed, alone, traced):
    print(f"sample {seed} is not the same under jittrace:")
    for line in differences(alone, traced):
        print(line)
    show = subprocess.run([program, "--show", seed], stdout=subprocess.PIPE,
                          check=False)
    print("  it is:")
    for line in show.stdout.decode().splitlines():
        print(f"    {line}")
    print("  to run it again:")
    print("    " + " ".join([program, seed, "1"]))
    print("    " + " ".join(trace(jittrace, way, program, seed, "1")))


def batch(jittrace, program, way, first, count):
    """Yields the seed of each sample that differs, and both results."""
    alone, why = run([program, "--find-endless", str(first), str(count)])
    if why:
        sys.exit(f"{program} {first} {count}: {why}")
    alone = samples(alone)
    endless = [seed for seed, lines in alone.items()
               if lines[-1:] == ["endless"]]
    args = [str(first), str(count), *endless]
    traced, why = run(trace(jittrace, way, program, *args))
    traced = samples(traced)
    if len(alone) != count:
        sys.exit(f"{program} has run {len(alone)} samples of {count}")
    for seed, lines in alone.items():
        if seed not in traced:
            yield seed, lines, [f"not run; {why}"]
            return
        if seed in endless:
            continue
        one, other = comparable(lines, traced[seed])
        if one != other and not reads_int3(program, way, seed, traced[seed]):
            yield seed, one, other
    if why:
        yield seed, [], [why]


def main():
    sys.stdout.reconfigure(line_buffering=True)
    jittrace, program = sys.argv[1:3]
    first, count = (int(arg, 0) for arg in sys.argv[3:5])
    wrong = 0
    for i in range(0, count, BATCH):
        way = WAYS[i // BATCH % len(WAYS)]
        for seed, alone, traced in batch(jittrace, program, way, first + i,
                                         min(BATCH, count - i)):
            wrong += 1
            if wrong <= SHOWN:
                report(jittrace, program, way, seed, alone, traced)
    print(f"{count} samples from seed {first} on: "
          + (f"{wrong} differ" if wrong else "all the same under jittrace"))
    sys.exit(wrong != 0)


main()

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# bench.sh - how fast jittrace is, next to other tools. `make bench` runs it.
#
#     BUILD_DIR=build JITTRACE=./jittrace tests/bench.sh
#
# A machine is never equally fast for long. So everything that is compared runs
# in turn, round after round; a ratio is taken of each round's two times, and
# what is shown is the median of these ratios (not the ratio of two medians).
# Next to it stands the ratio of the two shortest times, which other work on
# the machine disturbs least. A missed aim is said and is no failure.
#
# BENCH_ROUNDS, BENCH_STEP_ROUNDS and BENCH_RUN_ROUNDS say how many rounds, BENCH_LOOP how often
# the traced loop is gone through, BENCH_MOVES how often a reader goes somewhere
# else.
set -euo pipefail

build=${BUILD_DIR:-build}
jittrace=${JITTRACE:-./jittrace}
rounds=${BENCH_ROUNDS:-25}
step_rounds=${BENCH_STEP_ROUNDS:-9}
run_rounds=${BENCH_RUN_ROUNDS:-7}
loop=${BENCH_LOOP:-10000}
moves=${BENCH_MOVES:-1000}

baby=$build/lessons/06-babyjit/babyjit
script=tests/bench/babyjit.gdb
tab=$'\t'
with_gdb=yes

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# --- Numbers: one a line ----------------------------------------------------

median() {
    sort -g | awk '{ v[NR] = $1 }
        END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

least() {
    sort -g | head -n 1
}

# column NAME FIELD: a field (3 wall, 4 cpu) of a command in every round.
column() {
    sort -n "$results/race" |
        awk -F '\t' -v name="$1" -v field="$2" '$2 == name { print $field }'
}

# ratios FIELD OVER UNDER: of two commands, round by round.
ratios() {
    paste <(column "$2" "$1") <(column "$3" "$1") | awk '{ print $1 / $2 }'
}

# verdict LABEL MEDIAN BEST RELATION AIM
verdict() {
    awk -v label="$1" -v median="$2" -v best="$3" -v relation="$4" -v aim="$5" '
        BEGIN {
            met = relation == "at most" ? median <= aim : median >= aim
            printf "  %-34s %6.2f   %6.2f   %-8s %4s   %s\n", label, median,
                   best, relation, aim, met ? "OK" : "below aim"
        }'
}

verdict_head() {
    printf '\n  %-34s %6s   %6s   %s\n' "$1" median best aim
}

# --- (a) one trace, from start to end ---------------------------------------

# Some virtual machines take a hardware breakpoint and never stop at it; there
# is nothing that gdb could watch with.
debug_registers_fire() {
    timeout 60 gdb -nx -batch -ex 'set debuginfod enabled off' -ex starti \
        -ex 'hbreak main' -ex continue --args "$baby" 1 2>&1 </dev/null |
        grep 'Breakpoint 1, .*main' >/dev/null
}

# A debugger that could not do the job would be no measure.
check_gdb() {
    if ! debug_registers_fire; then
        with_gdb=
        echo 'bench: no hardware breakpoint of gdb fires on this machine:' \
            'gdb is left out.'
        echo
        return
    fi
    gdb -nx -batch -x "$script" --args "$baby" 1 >"$results/gdb" 2>&1 </dev/null
    if ! grep -q "0x48${tab}0xc7${tab}0xc0${tab}0x01" "$results/gdb" ||
        [ "$(grep -c '^rip' "$results/gdb")" != 12 ]; then
        echo 'bench: gdb does not do what its script says:' >&2
        tail -n 5 "$results/gdb" >&2
        exit 1
    fi
}

race() {
    local gdb=()
    if [ "$with_gdb" ]; then
        gdb=(-- gdb gdb -nx -batch -x "$script" --args "$baby" 1)
    fi
    "$build/bench/race" "$rounds" \
        bare "$baby" 1 -- \
        text "$jittrace" 1 -- \
        json "$jittrace" --format=json 1 -- \
        strace strace -o /dev/null "$baby" 1 -- \
        strace-pinned taskset -c 0 strace -o /dev/null "$baby" 1 "${gdb[@]}" \
        2>"$results/errors" >"$results/race" || {
        cat "$results/errors" >&2
        exit 1
    }
}

# row NAME LABEL [BARE]
row() {
    printf '  %-34s' "$2"
    for field in 3 4; do
        column "$1" "$field" | median
        column "$1" "$field" | least
    done | awk '{ printf " %8.2f", $1 / 1000 }'
    ratios 3 "$1" "${3:-bare}" | median | awk '{ printf " %8.2f\n", $1 }'
}

# compare LABEL OVER UNDER RELATION AIM
compare() {
    verdict "$1" "$(ratios 3 "$2" "$3" | median)" \
        "$(echo "$(column "$2" 3 | least) $(column "$3" 3 | least)" |
            awk '{ print $1 / $2 }')" "$4" "$5"
}

report_race() {
    cat <<END
(a) One trace of the baby JIT, whole processes from start to end: $rounds
    rounds, output to /dev/null, milliseconds.

                                       wall     wall      cpu      cpu   x bare
  command                            median    least   median    least   median
END
    row bare 'babyjit 1, not traced'
    row text 'jittrace 1'
    row json 'jittrace --format=json 1'
    row strace 'strace -o /dev/null babyjit 1'
    row strace-pinned 'the same strace on one CPU'
    if [ "$with_gdb" ]; then
        row gdb 'gdb -batch -x babyjit.gdb'
    fi
    verdict_head 'wall time, by wall time'
    compare 'jittrace 1 / strace' text strace 'at most' 1
    compare 'jittrace 1 / strace on one CPU' text strace-pinned 'at most' 1
    compare 'jittrace json / strace' json strace 'at most' 1
    if [ "$with_gdb" ]; then
        compare 'gdb / jittrace 1' gdb text 'at least' 50
    else
        echo '  gdb / jittrace 1: not measured, see above'
    fi
}

# --- (b) steps through a generated loop -------------------------------------

# speed NAME FIELD: microseconds and steps per second, from nanoseconds.
speed() {
    printf '  %-34s' "$1"
    for value in "$(steps "$2" | median)" "$(steps "$2" | least)"; do
        echo "$value"
    done | awk '{ printf " %8.2f %8.0f", $1 / 1000, 1e9 / $1 }'
    echo
}

# value NAME FILE: what a program said it is.
value() {
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$results/$2"
}

steps() {
    grep '^[0-9]' "$results/steps" | cut -f "$1"
}

report_steps() {
    cat <<END

(b) Steps through the generated loop "dec rdi; jnz", tracer and program on one
    CPU: $step_rounds rounds of $((2 * loop + 1)) steps.

                                         us  steps/s       us  steps/s
  recorder                           median   median     best     best
END
    speed 'jittrace, every event stored' 2
    speed 'bare ptrace step and registers' 3
    speed 'jittrace, of addsd, mulsd, dec, jnz' 4
    verdict_head 'steps per second, by steps per second'
    verdict 'jittrace / bare' \
        "$(paste <(steps 3) <(steps 2) | awk '{ print $1 / $2 }' | median)" \
        "$(echo "$(steps 3 | least) $(steps 2 | least)" |
            awk '{ print $1 / $2 }')" 'at least' 0.8
    verdict 'time of a step, with / without vectors' \
        "$(paste <(steps 4) <(steps 2) | awk '{ print $1 / $2 }' | median)" \
        "$(echo "$(steps 4 | least) $(steps 2 | least)" |
            awk '{ print $1 / $2 }')" 'at most' 1.6
    printf '\n  %-34s %6s   bytes of memory (bare: 216)\n' \
        'such a step in the store takes' "$(value bytes steps)"
}

# --- (c) a long trace in memory ---------------------------------------------

gotos() {
    grep '^[0-9]' "$results/goto" | cut -f 2
}

report_goto() {
    local bytes steps
    bytes=$(value bytes goto)
    steps=$(value steps goto)
    cat <<END

(c) A trace of $steps steps in memory, of the generated loop "push rdi; add
    rax, [rsp]; pop rdx; dec rdi; jnz", and $moves moves to any event of it.

                                      worst   median   aim
END
    verdict 'milliseconds a goto takes' "$(gotos | sort -g | tail -n 1)" \
        "$(gotos | median)" 'at most' 100
    verdict 'bytes of memory an event takes' "$bytes" "$bytes" 'at most' 100
}

# --- (d) programs that are left alone ----------------------------------------

# Each once traced and once not; then what the start takes, on its own.
race_left_alone() {
    "$build/bench/race" "$run_rounds" \
        plain "$build/bench/plain" -- \
        plain-traced "$jittrace" --- "$build/bench/plain" -- \
        mapped "$build/bench/plain" mapped -- \
        mapped-traced "$jittrace" --- "$build/bench/plain" mapped -- \
        spent "$build/bench/spent" -- \
        spent-traced "$jittrace" --max-calls=10 --- "$build/bench/spent" -- \
        nothing true -- \
        nothing-traced "$jittrace" --- true \
        2>"$results/errors" >"$results/race" || {
        cat "$results/errors" >&2
        exit 1
    }
}

# less_start NAME: its traced runs, less what jittrace takes to start.
less_start() {
    paste <(column "$1-traced" 3) <(column nothing-traced 3) \
        <(column nothing 3) | awk '{ print $1 - $2 + $3 }'
}

# alone LABEL NAME AIM
alone() {
    verdict "$1" \
        "$(paste <(less_start "$2") <(column "$2" 3) |
            awk '{ print $1 / $2 }' | median)" \
        "$(echo "$(less_start "$2" | least) $(column "$2" 3 | least)" |
            awk '{ print $1 / $2 }')" 'at most' "$3"
}

report_left_alone() {
    cat <<END

(d) Programs of about a second of which jittrace watches nothing any more:
    $run_rounds rounds, milliseconds. A program that makes no code (plain: calls
    to the system and memory; mapped: memory that could be for code, and all
    stores are watched that may be), and calls of code whose budget is spent.

                                       wall     wall      cpu      cpu   x bare
  command                            median    least   median    least   median
END
    for name in plain mapped spent; do
        row "$name" "$name, not traced" "$name"
        row "$name-traced" "jittrace -- $name" "$name"
    done
    row nothing 'true, not traced' nothing
    row nothing-traced 'jittrace -- true' nothing
    verdict_head 'wall time less start, by wall time'
    alone 'no code / not traced' plain 1.1
    alone 'no code, stores spent / not traced' mapped 1.1
    alone 'budget spent / not traced' spent 1.05
}

# --- (d2) one call out of a million ------------------------------------------

report_call() {
    local before after took

    before=$(date +%s.%N)
    "$jittrace" --calls=1000000 --format=json -o "$results/call" -- \
        "$build/bench/spent" >"$results/ignored"
    after=$(date +%s.%N)
    grep -q '"event":"enter".*"number":1000000' "$results/call"
    took=$(echo "$before $after" | awk '{ print $2 - $1 }')
    cat <<END

    One call out of a million, all before it at full speed but for counting,
    and then 199 million at full speed:
END
    verdict_head 'seconds'
    verdict 'to see call number 1000000' "$took" "$took" 'at most' 60
}

# --- (e) much code ------------------------------------------------------------

race_volume() {
    "$build/bench/race" 3 \
        volume "$build/bench/volume" -- \
        volume-traced "$jittrace" --- "$build/bench/volume" \
        2>"$results/errors" >"$results/race" || {
        cat "$results/errors" >&2
        exit 1
    }
}

# peak COMMAND...: the most memory that a process has had at once, in MB; of
# itself, without its children.
peak() {
    "$@" >"$results/ignored" &
    while grep VmHWM "/proc/$!/status" 2>/dev/null; do
        sleep 0.02
    done | awk '{ most = $2 } END { print most / 1000 }'
    wait $!
}

report_volume() {
    cat <<END

(e) A program that makes 100 MB of code in pieces of 64 KiB and calls each once:
    3 rounds, milliseconds.

                                       wall     wall      cpu      cpu   x bare
  command                            median    least   median    least   median
END
    row volume 'volume, not traced' volume
    row volume-traced 'jittrace -- volume' volume
    printf '\n  %-33s %7s %8s   aim\n' '' median best
    verdict 'seconds it takes' \
        "$(column volume-traced 3 | median | awk '{ print $1 / 1e6 }')" \
        "$(column volume-traced 3 | least | awk '{ print $1 / 1e6 }')" \
        'at most' 8
    memory=$(peak "$jittrace" -- "$build/bench/volume")
    verdict 'MB of memory that jittrace takes' "$memory" "$memory" 'at most' 100
}

check_gdb
race
report_race
"$build/bench/steps" "$step_rounds" "$loop" "$build/bench/loop" \
    >"$results/steps"
report_steps
"$build/bench/goto" "$moves" "$build/bench/loop" 10000000 20000 memory \
    >"$results/goto"
report_goto
race_left_alone
report_left_alone
report_call
race_volume
report_volume

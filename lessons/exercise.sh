#!/bin/sh
# SPDX-License-Identifier: MIT
#
# exercise.sh ACTION [N]... - the exercises of the lessons.
#
#     exercise N... compiles and checks the learner's my.c of these lessons
#     watch N       the same at each save, until it passes
#     hint N        shows the next of the three hints
#     reset N       makes my.c the exercise as shipped again, after asking
#     solution N    shows the solution, once my.c has passed
#     progress      tells which lessons are done
#
# `make exercise N=03` and so on call it. N is the number of a lesson, with or
# without a leading zero, or its name; `exercise all` checks all. Exit status:
# 0, 1 if an exercise does not pass yet or the action was refused, 64 for a
# wrong N, RUNG or ACTION.
#
# An exercise with a ladder.h is a ladder: its check climbs rung after rung, up
# to the first that does not hold, or tries the one that the variable RUNG has.
# Each rung has a hint.
#
# POSIX sh is enough, but for timeout(1) of coreutils; run.c runs the program.
#
# What is remembered lies in the lesson's directory: my.c, the number of hints
# seen in .hint, how far a ladder was climbed in .rung, and .passed. Nothing of
# it is in the repository.
set -u
cd "$(dirname "$0")/.." || exit 1

limit=${EXERCISE_SECONDS:-10} # for the learner's program, a ladder's has more
traced_limit=5                # for the same, when jittrace explains a loop

good='' bad='' bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    good=$(printf '\033[32m') bad=$(printf '\033[31m')
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

fail() {
    status=$1
    shift
    printf '%s\n' "$@" >&2
    exit "$status"
}

# --- Which lesson -----------------------------------------------------------

# Prints the directories of all lessons that have an exercise.
all_lessons() {
    for file in lessons/[0-9][0-9]-*/exercise.c; do
        [ -e "$file" ] && dirname "$file"
    done
}

# Sets ladder to yes or nothing, and counts the rungs: the check has one of them
# for each hint.
find_rung() {
    ladder='' rungs=$(($(grep -c '^---$' "$dir/hints") + 1))
    if [ -e "$dir/ladder.h" ]; then
        ladder=yes limit=${EXERCISE_SECONDS:-60}
    elif [ -n "$rung" ]; then
        fail 64 "$name has no rungs: leave RUNG=$rung away."
    fi
    case $rung in
    '') return ;;
    0* | *[!0-9]* | ???*) ;;
    *) [ "$rung" -gt "$rungs" ] || return ;;
    esac
    fail 64 "$name has no rung '$rung': they are 1 to $rungs."
}

# Sets dir, name (03-term) and number (03).
find_lesson() {
    for dir in $(all_lessons); do
        name=${dir#lessons/}
        number=${name%%-*}
        case $1 in
        "$number" | "${number#0}" | "$name" | "${name#*-}")
            find_rung
            return
            ;;
        esac
    done
    first=$(all_lessons | sed 's,lessons/,,; s,-.*,,' | head -n 1)
    if [ -z "$1" ]; then
        fail 64 "Which lesson? For example: make $action N=$first" \
            'make progress lists them.'
    fi
    fail 64 "There is no exercise '$1'. For example: make $action N=$first" \
        'make progress lists them.'
}

# --- Checking ---------------------------------------------------------------

make_copy() {
    [ -e "$dir/my.c" ] && return
    cp "$dir/exercise.c" "$dir/my.c" || exit 1
    echo "$dir/my.c is your copy of the exercise. Fill the gap that says"
    echo "\"Your turn\", then run \`make exercise N=$number\` again."
    echo
}

# Sets words to a command line for the program, which has a ladder's case in it.
make_words() {
    words=$program
    [ -z "$ladder" ] || words=$words$(cat "$program.case")
}

# Lets jittrace run the program once more, a ladder's with the case it was at.
# Its last explanation is then in $trace.told, what it complains of in
# $trace.err. Returns 1 if there is none.
explain() {
    trace=build/lessons/$name/trace.txt
    rm -f "$trace"
    make_words
    eval "set -- $words"
    timeout "$traced_limit" ./jittrace -o "$trace" -- "$@" \
        </dev/null >/dev/null 2>"$trace.err"
    awk '/^what   / { text = ""; told = 1 }
         told { text = text $0 "\n" }
         END { printf "%s", text; exit !told }' \
        "$trace" >"$trace.told" 2>/dev/null
}

explain_crash() {
    if explain; then
        echo 'It crashed. What jittrace saw of it:'
        echo
        cat "$trace.told"
    else
        echo "It crashed, by signal $1. jittrace could not explain it:"
        cat "$trace.err"
    fi
}

explain_loop() {
    # A ladder has said so, if it was its own timer, SIGVTALRM.
    [ "$end" != time ] ||
        echo "It did not end within $limit seconds, and was ended."
    if explain && grep -q ' in a loop' "$trace.told"; then
        echo 'What jittrace saw of it:'
        echo
        cat "$trace.told"
    else
        echo "jittrace saw no loop in generated code: look for one in $dir/my.c."
    fi
}

# A check that found a wrong result has written to the file $asks which register
# it was in, or which byte is wrong (ask_where() and ask_store() in check.h). Says
# what jittrace saw of that.
explain_result() {
    [ -s "$asks" ] || return
    trace=build/lessons/$name/trace.jsonl
    rm -f "$trace"
    make_words
    eval "set -- $words"
    timeout "$traced_limit" ./jittrace --format=json -o "$trace" -- "$@" \
        </dev/null >/dev/null 2>&1
    what=$(cat "$asks")
    path=$(awk -v what="$what" -f lessons/origin.awk "$trace" 2>/dev/null)
    [ -n "$path" ] || return
    case $what in
    [0-9]*) echo "What jittrace saw: code[$what] was stored by" ;;
    *) echo "What jittrace saw of the code's value, from where it was made:" ;;
    esac
    echo "$path" | sed 's/^/    event /'
    echo "\`./jittrace --step -- $words\`, then \`g ${path%% *}\`, shows it."
}

# The check in the program has neither passed nor failed: $1 says what happened.
say_ended() {
    echo "$1: what is in"
    echo "$dir/my.c, or the code that it makes, $2."
    [ -z "$ladder" ] || echo "To see it: ./jittrace -- $program$(
        cat "$program.case")"
}

# Returns 0 if my.c passes. Says what there is to say, but no verdict.
check_copy() {
    program=build/lessons/$name/my
    mkdir -p "build/lessons/$name"
    if ! gcc -std=gnu11 -g -O0 -Wall -Wextra -o "$program" \
        "$dir/my.c" "$dir"/check*.c; then
        echo "$dir/my.c does not compile. The first message above is the one"
        echo 'to look at.'
        return 1
    fi
    asks=build/lessons/$name/asks reached=build/lessons/$name/reached
    rm -f "$asks" "$reached" "$program.end"
    gcc -O1 -o build/lessons/run lessons/run.c || return 1
    # shellcheck disable=SC2086 # no rung is no argument
    EXERCISE_ASKS="$asks" EXERCISE_REACHED="$reached" build/lessons/run \
        "$program.end" "$limit" "$program" ${rung:+--rung "$rung"} </dev/null
    end=$(cat "$program.end")
    case "$end $(cat "$reached" 2>/dev/null)" in
    'exit 0 passed') return 0 ;;
    'exit 1 failed') explain_result ;;
    exit*)
        say_ended "It ended with exit status ${end#exit } before the check did" \
            'ends the process' ;;
    stop*)
        say_ended "It was stopped by signal ${end#stop }, and did not go on" \
            'stops the process' ;;
    time* | 'signal 26 '*) explain_loop ;; # 26 is SIGVTALRM, of a ladder
    *) explain_crash "${end#signal }" ;;
    esac
    return 1
}

# The number of the lesson that comes next, or nothing.
next_number() {
    all_lessons | sed 's,lessons/,,; s,-.*,,' |
        awk -v n="$number" '$1 > n { print; exit }'
}

# Sets total, and passed: how many exercises there are, and are solved.
count_passed() {
    total=0 passed=0
    for each in $(all_lessons); do
        total=$((total + 1))
        [ ! -e "$each/.passed" ] || passed=$((passed + 1))
    done
}

say_all_passed() {
    echo
    echo "All $total exercises are solved: you know each byte of a JIT now."
    echo 'What comes next is one of your own. Write it, and watch it:'
    echo
    echo '    gcc -g -o my-jit my-jit.c'
    echo '    ./jittrace --step ./my-jit'
    echo '    ./jittrace --check ./my-jit'
    echo
    echo 'docs/next.md says what to build, docs/wrong.md is for when it is wrong,'
    echo 'docs/encoder.md for its encoder.'
}

# Only who has climbed from the ground has passed a ladder.
do_exercise() {
    make_copy
    if check_copy; then
        if [ -n "$rung" ]; then
            echo "${good}$name: rung $rung holds.$plain" \
                "\`make exercise N=$number\` climbs."
            return 0
        fi
        : >"$dir/.passed"
        echo "${good}$name: passed.$plain" \
            "\`make solution N=$number\` shows another way."
        next=$(next_number)
        [ -z "$next" ] || echo "Next: docs/$(basename "$(
            echo lessons/"$next"-*)").md"
        count_passed
        [ "$passed" -lt "$total" ] || say_all_passed
        return 0
    fi
    if [ -n "$ladder" ] && [ -z "$rung" ] && [ -e "$program.rung" ]; then
        cp "$program.rung" "$dir/.rung"
    fi
    echo "${bad}$name: not yet.$plain" \
        "\`make hint N=$number${rung:+ RUNG=$rung}\` helps."
    return 1
}

# Checks the lessons that are named, one after the other. Returns 0 if all of
# them pass.
do_exercises() {
    # shellcheck disable=SC2046
    [ "$*" != all ] || set -- $(all_lessons | sed 's,lessons/,,')
    for wanted; do
        find_lesson "$wanted"
    done
    if [ $# -lt 2 ]; then
        find_lesson "${1:-}"
        do_exercise
        return
    fi
    solved=0
    for wanted; do
        find_lesson "$wanted"
        ! do_exercise || solved=$((solved + 1))
        echo
    done
    echo "$solved of $# passed."
    [ $solved -eq $# ]
}

# An editor may have moved the file away for a moment.
sum_of_copy() {
    cksum <"$dir/my.c" 2>/dev/null
}

do_watch() {
    make_copy
    echo "Checking $dir/my.c at each save, until it passes. Ctrl-C ends this."
    trap 'exit 1' INT
    until seen=$(sum_of_copy) && echo && date +"${bold}%T$plain" &&
        do_exercise; do
        while now=$(sum_of_copy); [ -z "$now" ] || [ "$now" = "$seen" ]; do
            sleep 0.3
        done
    done
}

# --- Help -------------------------------------------------------------------

# Prints hint number $1: what stands between lines of three hyphens.
print_hint() {
    awk -v n="$1" '/^---$/ { at++; next } at == n - 1' "$dir/hints"
}

# The hint of a rung: the one asked for, or the one that did not hold.
do_rung_hint() {
    [ -n "$rung" ] || read -r rung _ 2>/dev/null <"$dir/.rung" || rung=1
    echo "${bold}$name: rung $rung of $rungs$plain"
    echo
    print_hint "$rung"
}

do_hint() {
    if [ -n "$ladder" ]; then
        do_rung_hint
        return
    fi
    hints=$(($(grep -c '^---$' "$dir/hints") + 1))
    shown=$(cat "$dir/.hint" 2>/dev/null || echo 0)
    if [ "$shown" -lt "$hints" ]; then
        shown=$((shown + 1))
        echo "$shown" >"$dir/.hint"
    fi
    echo "${bold}$name: hint $shown of $hints$plain"
    echo
    print_hint "$shown"
    [ "$shown" -lt "$hints" ] || {
        echo
        echo "That is the last one. \`make exercise N=$number\` checks yours."
    }
}

do_solution() {
    if [ ! -e "$dir/.passed" ]; then
        fail 1 "The solution of $name is shown once \`make exercise \
N=$number\` passes." "\`make hint N=$number\` gives a hint."
    fi
    if [ -n "$ladder" ]; then
        echo "Another way to climb it: ${bold}tests/lessons/$name.c$plain"
        return
    fi
    echo "${bold}$dir/solution.c$plain has in the gap:"
    echo
    # Dots stand for what the exercise has between two changes.
    diff "$dir/exercise.c" "$dir/solution.c" |
        awk '/^[0-9]/ { apart = shown }
             /^>/ { if (apart) print "    ..."
                    print substr($0, 3); apart = 0; shown = 1 }'
}

do_reset() {
    if [ ! -e "$dir/my.c" ]; then
        echo "There is no $dir/my.c: nothing to reset."
        return
    fi
    printf '%s' "Throw $dir/my.c away and begin again? [y/N] "
    read -r answer || echo
    case $answer in
    y | Y | yes | Yes)
        rm -f "$dir/.hint" "$dir/.rung" "$dir/.passed"
        cp "$dir/exercise.c" "$dir/my.c" || return 1
        echo "$dir/my.c is the exercise as shipped again."
        ;;
    *)
        echo 'Nothing was changed.'
        return 1
        ;;
    esac
}

# --- Progress ---------------------------------------------------------------

do_progress() {
    bar=''
    for dir in $(all_lessons); do
        state=
        [ -e "$dir/my.c" ] && state=begun
        [ -e "$dir/.hint" ] && state="begun, $(cat "$dir/.hint") of 3 hints"
        [ -e "$dir/.rung" ] && state="rung $(sed 's/ / of /' "$dir/.rung")"
        if [ -e "$dir/.passed" ]; then
            state="${good}passed$plain"
        fi
        name=${dir#lessons/}
        line=$(printf '%s  %-20s %s' "${name%%-*}" "${name#*-}" "$state")
        echo "${line%"${line##*[! ]}"}"
    done
    count_passed
    while [ ${#bar} -lt "$total" ]; do
        if [ ${#bar} -lt "$passed" ]; then bar="$bar#"; else bar="$bar."; fi
    done
    echo
    echo "[$bar] $passed of $total"
    [ "$passed" -lt "$total" ] || say_all_passed
}

# ----------------------------------------------------------------------------

action=${1:-} rung=${RUNG:-}
[ $# -eq 0 ] || shift
case $action in
exercise)
    # make gives all names as one word.
    set -f
    # shellcheck disable=SC2048,SC2086
    set -- $*
    set +f
    do_exercises "$@"
    ;;
watch | hint | reset | solution)
    find_lesson "${1:-}"
    "do_$action"
    ;;
progress) do_progress ;;
*)
    fail 64 "exercise.sh: there is no '$action'. It takes exercise, watch," \
        'hint, reset or solution with the number of a lesson, or progress.'
    ;;
esac

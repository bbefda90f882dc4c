#!/bin/bash
# SPDX-License-Identifier: MIT
#
# formats.sh - gives what is made for other tools to these tools. `make
# check-formats` installs them and runs it.
#
#     tests/formats.sh ./jittrace
set -euo pipefail

jittrace=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check-formats: $*" >&2
    exit 1
}

"$jittrace" --format=json -o "$work/run.json" --lesson loops 5 >/dev/null
for form in asciicast dot chrome perf-map text; do
    "$jittrace" --replay "$work/run.json" --format=$form -o "$work/run.$form"
done

# asciinema wants a terminal, which script(1) gives it.
script -qec "asciinema cat $work/run.asciicast" /dev/null </dev/null |
    tr -d '\r' | diff - "$work/run.text" >"$work/log" ||
    fail "asciinema shows something else: $(head -n 3 "$work/log")"
echo 'asciinema: shows the text'

dot -Tplain "$work/run.dot" >"$work/plain" || fail 'dot cannot read the graph'
grep -q '^edge' "$work/plain" || fail 'dot sees no edge'
dot -Tpng "$work/run.dot" >"$work/run.png" || fail 'dot cannot draw the graph'
echo "graphviz: draws $(grep -c '^node' "$work/plain") boxes"

python3 -m json.tool "$work/run.chrome" >/dev/null || fail 'chrome: no JSON'

"$jittrace" --dump-code "$work/code" --elf 1 >/dev/null
for file in "$work"/code/*.elf; do
    start=${file##*/}
    start=${start%%-*}
    gdb -batch -nx -ex "x/3i $start" "$file" >"$work/log" 2>&1
    grep -q "<code_$start+10>:.*ret" "$work/log" ||
        fail "gdb sees something else: $(cat "$work/log")"
done
echo 'gdb: reads the ELF file'

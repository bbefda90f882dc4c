#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sandbox.sh NN FILE... - checks each FILE as the my.c of the exercise of lesson
# NN (two digits), as `make exercise` does, in a bubblewrap sandbox of its own.
#
# Exit status: 0 if all of them pass, 1 if one does not, 64 for a wrong command
# line, 69 if there is no bubblewrap that works here.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
lesson=$(cd "$top/lessons" && ls -d "${1:-none}"-*/ 2>/dev/null)

# Runs a command where it sees the system's programs and the directory $1, and
# no network, no home directory, no process of this machine.
sandboxed() {
    grade=$1
    shift
    # [bwrap]
    bwrap --unshare-all --die-with-parent --new-session --clearenv \
        --setenv PATH /usr/bin --ro-bind /usr /usr \
        --symlink usr/bin /bin --symlink usr/lib /lib \
        --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp \
        --ro-bind /etc/alternatives /etc/alternatives \
        --bind "$grade" /grade --chdir /grade \
        prlimit --as=8000000000 --fsize=100000000 --core=0 \
        timeout 60 "$@"
    # [/bwrap]
}

fail() {
    status=$1
    shift
    printf 'sandbox.sh: %s\n' "$@" >&2
    exit "$status"
}

# Checks a submission. What is left of it goes away with its directory.
grade() {
    scratch=$(mktemp -d) || exit 1
    mkdir -p "$scratch/lessons/$lesson"
    cp "$top/jittrace" "$scratch"
    cp "$top"/lessons/*.* "$scratch/lessons"
    for file in "$top/lessons/$lesson"*; do
        case $file in
        */my.c | */solution.c) ;;
        *) cp "$file" "$scratch/lessons/$lesson" ;;
        esac
    done
    cp "$1" "$scratch/lessons/${lesson}my.c" &&
        sandboxed "$scratch" lessons/exercise.sh exercise "${lesson%%-*}" \
            </dev/null
    passed=$?
    rm -rf "$scratch"
    return $passed
}

if [ -z "$lesson" ] || [ $# -lt 2 ]; then
    fail 64 'give the number of a lesson and files: sandbox.sh 06 a.c b.c'
fi
[ -x "$top/jittrace" ] || fail 64 'run make first: there is no ./jittrace'
sandboxed /tmp true 2>/dev/null ||
    fail 69 'bubblewrap (bwrap) is missing, or may not work here'

shift
result=0
for file; do
    echo "== $file"
    grade "$file" || result=1
done
exit $result

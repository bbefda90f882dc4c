#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh - what `make lint` checks. Goes through all of it, then fails if
# anything was found. BUILD is where the embedded lessons are, FLAGS what every
# file is compiled with.
set -u
failed=

# Runs a command; a failure is remembered and named.
check() {
    what=$1
    shift
    "$@" || { echo "lint: $what" >&2; failed=yes; }
}

criterion=$(pkg-config --cflags criterion)

# Compiles a file and keeps no output: src by gcc as it is built: some warnings
# come from the optimizer. A header is compiled as the only thing that a file
# includes: it may hold inline functions that the file never calls.
try() {
    case $2 in
    *.h) echo "#include \"$2\"" | compile "$1" - ;;
    *) compile "$1" "$2" ;;
    esac
}

compile() {
    # shellcheck disable=SC2086 # FLAGS and criterion are lists of words
    "$1" $FLAGS $(as_built "$1" "$2") -x c -I. -Isrc -Ilessons -Itests -I"$BUILD" $criterion \
        -DJITTRACE_VERSION='""' -DBUILD_DIR='""' -DJITTRACE='""' \
        -DENCODER_HOST='""' $(without_prototypes "$2") "$2"
}

as_built() {
    case $1:$2 in
    gcc:src/*.c) echo '-O2 -c -o /dev/null' ;;
    *) echo '-fsyntax-only' ;;
    esac
}

# An exercise is a part of a program, and its check declares what it calls; so
# is an encoder.
without_prototypes() {
    case $1 in
    lessons/*/exercise.c | lessons/*/solution.c | lessons/*/first.c | \
        tests/encoders/* | tests/lessons/[0-9]*)
        echo '-Wno-missing-prototypes' ;;
    esac
}

headers=$(find src tests lessons -name '*.h')
sources=$(find src tests lessons -name '*.c' ! -name my.c)

# shellcheck disable=SC2086 # file names here have no blanks
{
    check 'make it: clang-format -i FILE' \
        clang-format --dry-run -Werror $headers $sources
    check 'an include is out of order (tests/lint_includes.awk has the table)' \
        awk -f tests/lint_includes.awk src/*/*.[ch] src/*/*/*.[ch]
    check 'a function or a file is too long (tests/lint_sizes.awk counts)' \
        awk -f tests/lint_sizes.awk src/*/*.[ch] src/*/*/*.[ch]
    check 'x86 is known where it should not be (tests/lint_cpu.awk says why)' \
        awk -f tests/lint_cpu.awk src/*/*.[ch] src/*/*.def src/*/*/*.[ch]
}

for compiler in gcc clang; do
    for file in $headers $sources; do
        check "$compiler does not like $file" try $compiler "$file"
    done
done

# Every path through a function, for what is used without a value or after its
# end (gcc -fanalyzer). At -O0, or it takes long and finds less.
for file in src/*/*.c src/*/*/*.c; do
    # shellcheck disable=SC2086 # FLAGS is a list of words
    check "the analyzer of gcc does not like $file" \
        gcc $FLAGS -fanalyzer -Isrc -I"$BUILD" -DJITTRACE_VERSION='""' \
        -c -o /dev/null "$file"
done

# No file may have a line that matches.
absent() {
    ! grep -nE "$@"
}

check 'gt() of Criterion 2.4.1 is true of equal values: turn it into lt()' \
    absent '\<gt\((int|sz|dbl|[iu][0-9]+),' tests/*/*.c
check 'strstr() may be const: take contains() or lacks() of support.h' \
    absent '(eq|ne)\(ptr, strstr\(' tests/*/*.c

for script in .ci/*.sh tests/*.sh .ci/run; do
    check "bash does not understand $script" bash -n "$script"
done
for script in lessons/*.sh; do
    check "dash does not understand $script" dash -n "$script"
done

[ -z "$failed" ] || exit 1
echo 'lint: nothing to complain about'

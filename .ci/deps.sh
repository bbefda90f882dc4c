#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh - finds what a part of the build needs and this machine lacks.
#
#     .ci/deps.sh GROUP...            installs it with apt-get
#     .ci/deps.sh --check GROUP...    only names it; status 1 if anything is
#
# It says nothing when all is there. It looks for the commands and the headers
# themselves, not for packages, so that what somebody built by hand counts too.
# CC and CPPFLAGS are taken into account where a header is looked for.
set -eu

# group   Debian package        what shows that it is there
needs='
build     gcc                   command gcc
build     libc6-dev             header stdio.h
build     pkg-config            command pkg-config
build     xxd                   command xxd
build     libzydis-dev          header Zydis/Zydis.h
build     libdw-dev             header elfutils/libdwfl.h
build     libjansson-dev        header jansson.h
build     libbz2-dev            header bzlib.h
build     libncurses-dev        header ncursesw/curses.h
check     libcriterion-dev      header criterion/criterion.h
check     libvterm-dev          header vterm.h
check     nasm                  command nasm
check     dash                  command dash
check     binutils              command objdump
check     python3               command /usr/bin/python3
check     python3-jsonschema    module jsonschema
check     luajit                command luajit
lint      clang                 command clang
lint      clang-format          command clang-format
bench     strace                command strace
bench     gdb                   command gdb
jits      tcc                   command tcc
jits      pcre2-utils           command pcre2test
jits      nodejs                command node
jits      default-jdk-headless  command javac
jits      erlang-base           command escript
'

there() {
    # shellcheck disable=SC2086 # CPPFLAGS is a list of words
    case $1 in
    command) command -v "$2" ;;
    header) [ -e "/usr/include/$2" ] ||
        echo "#include <$2>" | ${CC:-gcc} ${CPPFLAGS:-} -E - ;;
    module) /usr/bin/python3 -c \
        "import importlib.util as u; exit(not u.find_spec('$2'))" ;;
    esac >/dev/null 2>&1
}

# Prints the packages of the groups given that are not there, on one line.
missing() {
    echo "$needs" | while read -r group package kind name; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        there "$kind" "$name" </dev/null || printf ' %s' "$package"
    done
}

# Runs apt-get without questions; what it prints goes to the log.
apt_get() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$log" 2>&1
}

give_up() {
    printf '%s\n' "$@" >&2
    exit 1
}

only_check=
if [ "${1:-}" = --check ]; then
    only_check=yes
    shift
fi

packages=$(missing "$@")
[ -n "$packages" ] || exit 0

if [ -n "$only_check" ]; then
    give_up "jittrace cannot be built yet. These Debian packages are missing:" \
        "   $packages" "'make deps' installs them."
fi

command -v apt-get >/dev/null || give_up \
    "There is no apt-get here. Please install what these packages of Debian" \
    "have in them, then try again:" "   $packages"

sudo=
if [ "$(id -u)" -ne 0 ]; then
    sudo=sudo
    command -v sudo >/dev/null || give_up \
        "You are not root and there is no sudo. As root, please run:" \
        "    apt-get install$packages"
fi

# Old lists, or none as in a fresh container, are the usual reason for a
# failure: fetch them and try once more, only then.
echo "Installing with ${sudo:+sudo }apt-get:$packages"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # the packages are words
apt_get install --no-install-recommends $packages ||
    { apt_get update && : >"$log" &&
        apt_get install --no-install-recommends $packages; } ||
    { cat "$log" >&2; give_up "apt-get could not install:$packages"; }

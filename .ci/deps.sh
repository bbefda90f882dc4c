#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh - finds what a part of the build needs and this machine lacks.
#
#     .ci/deps.sh GROUP...            installs it with apt-get
#     .ci/deps.sh --check GROUP...    only names it, and what is too old;
#                                     status 1 if anything is
#
# Without apt-get it names what to type for dnf, pacman or apk instead.
#
# It says nothing when all is there. It looks for the commands and the headers
# themselves, not for packages, so that what somebody built by hand counts too.
# CC and CPPFLAGS are taken into account where a header is looked for.
set -eu

# group   Debian package        what shows that it is there
needs='
build     gcc                   command gcc
build     libc6-dev             header stdio.h
build     linux-libc-dev        header linux/userfaultfd.h
build     diffutils             command cmp
build     pkg-config            command pkg-config
build     xxd                   command xxd
build     libzydis-dev          header Zydis/Zydis.h
build     libdw-dev             header elfutils/libdwfl.h
build     libjansson-dev        header jansson.h
build     libbz2-dev            header bzlib.h
build     zlib1g-dev            header zlib.h
build     libncurses-dev        header curses.h
check     libcriterion-dev      header criterion/criterion.h
check     libvterm-dev          header vterm.h
check     bash                  command bash
check     nasm                  command nasm
check     dash                  command dash
check     binutils              command objdump
check     python3               command /usr/bin/python3
check     python3-jsonschema    module jsonschema
check     luajit                command luajit
formats   asciinema             command asciinema
formats   graphviz              command dot
formats   gdb                   command gdb
formats   bsdutils              command script
package   dpkg-dev              command dpkg-buildflags
package   binutils              command strip
fuzz      clang                 command clang
lint      clang                 command clang
lint      clang-format          command clang-format
page      chromium              command chromium
page      chromium-driver       command chromedriver
page      python3-selenium      module selenium
page      poppler-utils         command pdftotext
bench     strace                command strace
bench     gdb                   command gdb
jits      tcc                   command tcc
jits      pcre2-utils           command pcre2test
jits      nodejs                command node
jits      default-jdk-headless  command javac
jits      erlang-base           command escript
'

# The same packages elsewhere, by the package pages of Fedora 42 to 44, of Arch
# and of Alpine 3.24 in 2026; nothing was installed there. A - is one that was
# not found; zydis-dev is in the testing repository of Alpine only.
# Debian                dnf                 pacman             apk
elsewhere='
gcc                   gcc                 gcc                gcc
libc6-dev             glibc-devel         glibc              musl-dev
linux-libc-dev        kernel-headers      linux-api-headers  linux-headers
diffutils             diffutils           diffutils          diffutils
pkg-config            pkgconf-pkg-config  pkgconf            pkgconf
xxd                   xxd                 tinyxxd            xxd
libzydis-dev          zydis-devel         zydis              zydis-dev
libdw-dev             elfutils-devel      libelf             elfutils-dev
libjansson-dev        jansson-devel       jansson            jansson-dev
libbz2-dev            bzip2-devel         bzip2              bzip2-dev
zlib1g-dev            zlib-devel          zlib               zlib-dev
libncurses-dev        ncurses-devel       ncurses            ncurses-dev
libcriterion-dev      -                   criterion          -
libvterm-dev          libvterm-devel      libvterm           libvterm-dev
bash                  bash                bash               bash
nasm                  nasm                nasm               nasm
dash                  dash                dash               dash
binutils              binutils            binutils           binutils
asciinema             asciinema           asciinema          asciinema
graphviz              graphviz            graphviz           graphviz
bsdutils              util-linux          util-linux         util-linux-misc
dpkg-dev              dpkg-dev            dpkg               dpkg-dev
python3               python3             python             python3
python3-jsonschema    python3-jsonschema  python-jsonschema  py3-jsonschema
luajit                luajit              luajit             luajit
clang                 clang               clang              clang
clang-format          clang-tools-extra   clang              clang-extra-tools
chromium              chromium            chromium           chromium
chromium-driver       chromedriver        chromium           chromium-chromedriver
python3-selenium      python3-selenium    python-selenium    -
poppler-utils         poppler-utils       poppler            poppler-utils
strace                strace              strace             strace
gdb                   gdb                 gdb                gdb
tcc                   tcc                 tcc                tcc
pcre2-utils           pcre2-tools         pcre2              pcre2-tools
nodejs                nodejs              nodejs             nodejs
default-jdk-headless  java-devel          jdk-openjdk        openjdk21-jdk
erlang-base           erlang              erlang-core        erlang28
'

# What compiles only where a library is new enough. Looked at by --check alone,
# and so once, before the first file is compiled.
# group   header        what must compile                 what is needed
versions='
build     Zydis/Zydis.h _Static_assert(ZYDIS_VERSION >> 48 >= 4, "")|Zydis 4
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

# Prints what is there but too old, a line each.
too_old() {
    echo "$versions" | while read -r group header rest; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        there header "$header" </dev/null || continue
        # shellcheck disable=SC2086 # CPPFLAGS is a list of words
        printf '#include <%s>\nint main(void) { %s; }\n' \
            "$header" "${rest%|*}" |
            ${CC:-gcc} -D_GNU_SOURCE -Werror=implicit-function-declaration \
                ${CPPFLAGS:-} -fsyntax-only -x c - >/dev/null 2>&1 ||
            printf '    %s\n' "${rest#*|}"
    done
}

# Prints the column of the other table for the Debian packages given.
translate() {
    column=$1
    shift
    echo "$elsewhere" | while read -r debian dnf pacman apk; do
        case " $* " in *" $debian "*) ;; *) continue ;; esac
        case $column in
        dnf) theirs=$dnf ;;
        pacman) theirs=$pacman ;;
        apk) theirs=$apk ;;
        esac
        [ "$theirs" = - ] || printf ' %s' "$theirs"
    done
}

# Prints those of the Debian packages given that the column has no name for.
nameless() {
    for package in "$@"; do
        [ -n "$(translate "$column" "$package")" ] || printf ' %s' "$package"
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
old=
if [ -n "$only_check" ] && command -v "${CC:-gcc}" >/dev/null; then
    old=$(too_old "$@")
fi
[ -z "$old" ] || give_up \
    "jittrace cannot be built with the libraries that are here. It needs:" \
    "$old"
[ -n "$packages" ] || exit 0

# Other systems than Debian: their own names, and the one command to type.
if ! command -v apt-get >/dev/null; then
    for column in dnf pacman apk ''; do
        [ -z "$column" ] || ! command -v "$column" >/dev/null || break
    done
    case $column in
    dnf) install='dnf install' ;;
    pacman) install='pacman -S --needed' ;;
    apk) install='apk add' ;;
    *) give_up \
        "There is no apt-get here. Please install what these packages of" \
        "Debian have in them, then try again:" "   $packages" ;;
    esac
    # shellcheck disable=SC2086 # the packages are words
    names=$(translate "$column" $packages) none=$(nameless $packages)
    echo "Something is missing that jittrace needs." >&2
    [ -z "$names" ] || echo "As root, please run:
    $install$names" >&2
    [ -z "$none" ] || echo "Not packaged here; the names that Debian has for it:
   $none" >&2
    exit 1
fi

if [ -n "$only_check" ]; then
    give_up "jittrace cannot be built yet. These Debian packages are missing:" \
        "   $packages" "'make deps' installs them."
fi

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

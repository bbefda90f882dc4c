#!/bin/bash
# SPDX-License-Identifier: MIT
#
# release.sh - tries the packages that are given away. `make check-packages`
# runs it when they are built.
#
#     ROOTS="/srv/bookworm /srv/trixie" tests/release.sh DEB PORTABLE DIST
#
# Each of ROOTS is a bare Debian, as debootstrap(8) leaves it, in which the
# package is installed, run and removed; this takes root. Its /proc is mounted. Without ROOTS that
# part is left out, and said. What is tried is gone afterwards.
set -euo pipefail

deb=$1 portable=$2 dist=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check-packages: $*" >&2
    exit 1
}

# shows WHAT COMMAND...: it runs the baby JIT in full and passes its output on.
shows() {
    local what=$1
    shift
    "$@" -4 >"$work/out" 2>&1 || fail "$what: status $?: $(tail -n 3 "$work/out")"
    grep -q '48 c7 c0 fc ff ff ff' "$work/out" || fail "$what: no code is shown"
    grep -q -- '-3 -2 -1' "$work/out" || fail "$what: no output is shown"
    echo "$what: shows the baby JIT"
}

# The tarball of sources, where there is no git.
mkdir "$work/dist" "$work/bin"
printf '#!/bin/sh\necho git was called >&2\nexit 1\n' >"$work/bin/git"
chmod +x "$work/bin/git"
tar -C "$work/dist" -xzf "$dist"
(cd "$work"/dist/* && PATH=$work/bin:$PATH make -j"$(nproc)") \
    >"$work/log" 2>&1 || fail "$dist: $(tail -n 3 "$work/log")"
shows "$dist" "$work"/dist/*/jittrace
(cd "$work"/dist/* && PATH=$work/bin:$PATH make install uninstall \
    DESTDIR="$work/root" >/dev/null)
[ -z "$(find "$work/root" -type f)" ] || fail 'make uninstall leaves files'
rm -rf "$work/dist" "$work/root"

# The program with its libraries.
mkdir "$work/portable"
tar -C "$work/portable" -xzf "$portable"
shows "$portable" env -u LD_LIBRARY_PATH "$work"/portable/*/bin/jittrace

# The package.
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error,warning "$deb" ||
        fail "$deb: lintian has something to say"
    echo "$deb: lintian passes"
else
    echo "$deb: lintian is not installed here, so it was not asked"
fi
dpkg-deb -x "$deb" "$work/deb"
! find "$work/deb" -type f -perm /022 | grep . || fail "$deb: writable files"

[ -n "${ROOTS:-}" ] || echo "$deb: not installed anywhere: ROOTS is not set"
for root in ${ROOTS:-}; do
    mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
    cp "$deb" "$root/tmp/jittrace.deb"
    chroot "$root" sh -c 'apt-get update && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y /tmp/jittrace.deb' >"$work/log" 2>&1 ||
        fail "$root: cannot be installed: $(tail -n 3 "$work/log")"
    shows "$root" chroot "$root" jittrace
    [ -e "$root/usr/share/man/man1/jittrace.1.gz" ] || echo "$root: no man pages here"
    chroot "$root" sh -c 'apt-get purge -y jittrace' >"$work/log" 2>&1 ||
        fail "$root: cannot be removed: $(tail -n 3 "$work/log")"
    [ -z "$(find "$root/usr" -path '*jittrace*' ! -path '*/jittrace.deb')" ] ||
        fail "$root: the package leaves files"
    rm "$root/tmp/jittrace.deb"
    echo "$root: installed, run and removed"
done

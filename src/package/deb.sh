#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deb.sh - a Debian package of what `make install` has put into a directory.
# `make deb` runs it.
#
#     deb.sh VERSION ROOT OUTPUT.deb
#
# ROOT is changed: what is in it becomes what is in the package. The libraries
# that the program needs, and how new they must be, are found out by
# dpkg-shlibdeps(1).
set -eu

version=$1 root=$2 output=$3
doc=$root/usr/share/doc/jittrace
maintainer=${MAINTAINER:-jittrace maintainers <jittrace@users.noreply.github.com>}
today=$(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")

strip --remove-section=.comment --remove-section=.note "$root/usr/bin/jittrace"
chmod -R u=rwX,go=rX "$root"

# What Debian asks of every package: the licence as `copyright`, and a history.
{
    cat <<'END'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: jittrace

Files: *
Copyright: 2026 the jittrace authors
License: MIT

License: MIT
END
    sed -n '/^Permission/,$s/^/ /p' LICENSE | sed 's/^ $/ ./'
} >"$doc/copyright"
gzip -9n <"$doc/docs/CHANGELOG.md" >"$doc/changelog.gz"
cat <<END | gzip -9n >"$doc/changelog.Debian.gz"
jittrace ($version-0local1) unstable; urgency=medium

  * Built by make deb; changelog.gz tells what is new.

 -- $maintainer  $today
END
gzip -9nf "$root/usr/share/man/man1/jittrace.1"

# dpkg-shlibdeps reads a source package's control file.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian" "$root/DEBIAN"
printf 'Source: jittrace\n\nPackage: jittrace\nArchitecture: amd64\n' \
    >"$work/debian/control"
binary=$(realpath "$root/usr/bin/jittrace")
needs=$(cd "$work" && dpkg-shlibdeps -O "$binary" 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')

cat >"$root/DEBIAN/control" <<END
Package: jittrace
Version: $version-0local1
Architecture: amd64
Maintainer: $maintainer
Depends: $needs
Recommends: nasm
Suggests: xxd, gdb, strace
Section: devel
Priority: optional
Installed-Size: $(du -k -s --exclude=DEBIAN "$root" | cut -f 1)
Description: shows what a just-in-time compiler does, as it happens
 jittrace runs a program that generates machine code and shows the pages it
 asks for, every byte it stores there, the flip from writable to executable,
 each call, and every instruction that the CPU then runs, with its fields and
 the registers before and after. It names the bug where such code is wrong.
 .
 A baby JIT and the programs of a course are built in.
END
(cd "$root" && find usr -type f -exec md5sum {} +) >"$root/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$root" "$output" >/dev/null

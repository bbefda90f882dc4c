#!/bin/sh
# SPDX-License-Identifier: MIT
#
# portable.sh - a tarball with the program and the libraries it needs beside it.
# `make portable` runs it.
#
#     portable.sh NAME ROOT OUTPUT.tar.gz
#
# ROOT is what `make install` has put into a directory, with bin/jittrace linked
# to look for libraries in $ORIGIN/../lib (ld.so(8)). The C library and the
# loader are not taken along: they belong to a machine's kernel and to each
# other, and an older one than here is refused by the loader, which says so.
set -eu

name=$1 root=$2 output=$3

mkdir -p "$root/lib"
ldd "$root/bin/jittrace" | sed -n 's/.* => \(.*\) (0x.*/\1/p' |
    while read -r library; do
        case ${library##*/} in
        libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.*) ;;
        *) cp -L "$library" "$root/lib/" ;;
        esac
    done
strip "$root/bin/jittrace"
chmod -R u=rwX,go=rX "$root"
tar --sort=name --owner=0 --group=0 --numeric-owner \
    --transform="s,^\.,$name," -C "$root" -czf "$output" .

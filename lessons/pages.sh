#!/bin/sh
# SPDX-License-Identifier: MIT
#
# pages.sh JITTRACE DIR - a page for each lesson program, and an index of them.
#
# DIR holds nothing else afterwards, so it can be put on any host of files.
set -eu

jittrace=$1 dir=$2
mkdir -p "$dir"
rm -f "$dir"/*.html

# What a lesson program is given, as its chapter does.
arguments() {
    case $1 in
    term | babyjit | smaller) echo -4 ;;
    expressions) echo 'x*2+1 3' ;;
    esac
}

# The heading of a chapter, "06. The baby JIT".
heading() {
    sed -n '1s/^# //p' "docs/$1.md"
}

{
    cat <<'END'
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>jittrace: the programs of the course</title>
</head>
<body>
<h1>The programs of the course</h1>
<p>Each page is one run of a program that makes machine code, recorded by
jittrace. Step through it, back and forth; it needs no network.</p>
<ul>
END
    "$jittrace" --list-lessons | while read -r number name about; do
        page=$number-$name
        # shellcheck disable=SC2046 # they are words
        set -f -- $(arguments "$name")
        "$jittrace" --format=html -o "$dir/$page.html" --lesson="$name" -- "$@" \
            </dev/null >"$dir/.out" 2>&1 || { cat "$dir/.out" >&2; exit 1; }
        printf '<li><a href="%s.html">%s</a>: %s</li>\n' \
            "$page" "$(heading "$page")" "$about"
    done
    rm -f "$dir/.out"
    printf '</ul>\n</body>\n</html>\n'
} >"$dir/.index"
mv "$dir/.index" "$dir/index.html"
[ "$(grep -c '<li>' "$dir/index.html")" -eq "$(ls "$dir"/[0-9]*.html | wc -l)" ]
echo "$dir/index.html"

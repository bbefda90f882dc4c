# SPDX-License-Identifier: MIT
#
# lint_includes.awk - checks the #include lines of src/ against two tables.
#
#     awk -f tests/lint_includes.awk src/*/*.[ch] src/*/*/*.[ch]
#
# Which room may include which is what keeps tell, screen, format and step able
# to work where nothing can be traced. A library stands in one room so that it
# can be replaced there. No header leads back to itself, so that there is always
# a file to read first. Status 1 and one line for each offence.

BEGIN {
    # Each room, and the rooms that it may include besides itself. A room that
    # sees no process works from a recording, where nothing can be traced.
    may["base"]    = ""
    may["cpu"]     = "base"
    may["trace"]   = "base cpu"
    may["target"]  = "base cpu trace"
    may["observe"] = "base cpu trace target"
    may["tell"]    = "base cpu trace docs"
    may["screen"]  = "base cpu trace tell"
    may["check"]   = "base cpu trace"
    may["diff"]    = "base cpu trace"
    may["format"]  = "base cpu trace tell screen diff page"
    may["step"]    = "base cpu trace tell screen diff"
    may["play"]    = "base cpu trace tell step"
    may["cli"]     = "base cpu trace target observe tell screen format step check diff play lessons"

    # Each outside thing (the beginning of its headers' names), and its rooms.
    only["Zydis/"]       = only["Zycore/"]          = "cpu"
    only["curses.h"]     = only["ncurses"]          = "step"
    only["jansson"]      = only["zlib.h"]           = "format"
    only["elfutils/"]    = only["dwarf.h"]          = "target"
    only["libelf.h"]     = only["gelf.h"]           = "target format"
    only["sys/ptrace.h"] = only["linux/ptrace.h"]   = "target"
    only["sys/wait.h"]   = "target"

    for (i = 1; i < ARGC; i++)
        given[ARGV[i]] = 1
}

function complain(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    offences++
}

# src/ROOM/NAME.c includes src/ROOM/NAME.h, if there is one, before all else:
# that is how a header is known to need nothing in front of it. What stands in a
# folder for one kind of CPU has its header outside of it.
function check_first(name, own) {
    own = substr(FILENAME, 5)
    sub(/\.c$/, ".h", own)
    if (!(("src/" own) in given))
        sub(/\/x86\//, "/", own)
    if (FILENAME ~ /\.c$/ && ("src/" own) in given && name != own)
        complain("the first include must be \"" own "\"")
}

function check_project(name, from) {
    from = name
    if (!sub(/\/.*/, "", from))
        complain("\"" name "\" does not name its room")
    else if (from != room && index(" " may[room] " ", " " from " ") == 0)
        complain(room " must not include \"" name "\"")
    if (FILENAME ~ /\.h$/)
        includes_of[FILENAME] = includes_of[FILENAME] " src/" name
}

# Goes along the includes of a header; one that is met again on its own way is
# part of a circle.
function check_circle(header, names, i, n) {
    if (state[header] == "done")
        return
    if (state[header] == "on the way") {
        print header ": leads back to itself through what it includes"
        offences++
        return
    }
    state[header] = "on the way"
    n = split(includes_of[header], names, " ")
    for (i = 1; i <= n; i++)
        check_circle(names[i])
    state[header] = "done"
}

function check_outside(name, prefix) {
    for (prefix in only)
        if (index(name, prefix) == 1 &&
            index(" " only[prefix] " ", " " room " ") == 0)
            complain("only " only[prefix] " may include <" name ">")
}

FNR == 1 {
    files++
    includes = 0
    split(FILENAME, part, "/")
    room = part[2]
    if (part[1] != "src" || !(room in may))
        complain("this room is not in the table of tests/lint_includes.awk")
}

/^[ \t]*#[ \t]*include/ {
    name = $0
    if (!sub(/^[ \t]*#[ \t]*include[ \t]*[<"]/, "", name))
        complain("an include without a plain name")
    sub(/[>"].*/, "", name)
    if (includes++ == 0)
        check_first(name)
    # A library in quotes is still that library.
    check_outside(name)
    if ($0 ~ /include[ \t]*"/)
        check_project(name)
}

END {
    for (header in includes_of)
        check_circle(header)
    if (files == 0)
        print "lint_includes.awk: no files were given"
    exit (offences > 0 || files == 0)
}

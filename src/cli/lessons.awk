# SPDX-License-Identifier: MIT
#
# lessons.awk FILE... - writes the table of lesson programs for lesson.c.
#
# A FILE is lessons/NN-name/name.c. What the lesson is about is the first
# sentence of its head comment, whose first line is " * name.c - what it does".
# Only POSIX awk is needed.

function quote(text)
{
    gsub(/[\\"]/, "\\\\&", text)
    return "\"" text "\""
}

FNR == 1 {
    files[++count] = FILENAME
    reading = 0
}

# A blank line in the comment ends the sentence at the latest.
reading {
    about[FILENAME] = about[FILENAME] " " substr($0, 4)
    reading = substr($0, 4) != ""
}

!(FILENAME in about) && match($0, /^ \* [^ ]+\.c - /) {
    about[FILENAME] = substr($0, RLENGTH + 1)
    reading = 1
}

reading && match(about[FILENAME], /\.( |$)/) {
    about[FILENAME] = substr(about[FILENAME], 1, RSTART)
    reading = 0
}

# The arrays, then the table that names them.
END {
    for (i = 1; i <= count; i++) {
        base = files[i]
        sub(/\.c$/, "", base)
        printf "static const uint8_t program_%d[] = {\n#include \"%s.inc\"\n};\n",
            i, base
        printf "static const uint8_t source_%d[] = {\n#include \"%s.c.inc\"\n};\n",
            i, base
    }
    print "static const struct lesson lessons[] = {"
    for (i = 1; i <= count; i++) {
        split(files[i], part, "/")
        if (!about[files[i]]) {
            print files[i] ": the head comment does not say \"name.c - ...\"" \
                >"/dev/stderr"
            exit 1
        }
        printf "    {%s, %s, %s, program_%d, sizeof program_%d, %s, " \
               "source_%d, sizeof source_%d},\n", quote(part[2]),
            quote(substr(part[2], index(part[2], "-") + 1)),
            quote(about[files[i]]), i, i, quote(part[3]), i, i
    }
    print "};"
}

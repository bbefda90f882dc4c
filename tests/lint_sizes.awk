# SPDX-License-Identifier: MIT
#
# lint_sizes.awk - how long the functions and files of src/ are.
#
#     awk -f tests/lint_sizes.awk src/*/*.[ch] src/*/*/*.[ch]
#     awk -v report=1 -f tests/lint_sizes.awk ...   prints numbers besides
#
# A function is counted from the line of its name to its closing brace: both
# stand at the left edge, and nothing else there is a brace (clang-format sees
# to that). A static function whose name stands in its file once besides its
# definition has one caller. Status 1 and one line for each function over 100
# lines, file over 600, header over 200.

function complain(what) {
    print what
    offences++
}

function end_of_file() {
    if (file == "")
        return
    total += lines
    if (lines > (file ~ /\.h$/ ? 200 : 600))
        complain(file ": has " lines " lines")
}

FNR == 1 {
    end_of_file()
    file = FILENAME
}

{
    lines = FNR
}

# The line of a definition, of a declaration or of the type before it.
/^[a-z]/ {
    begin = FNR
    is_static = 0
}

/^static / {
    is_static = 1
}

/^[a-z].*[a-z0-9_]\(/ || (/^[a-z0-9_]+\(/) {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[^a-z0-9_]/, "", name)
}

/^\{$/ {
    inside = 1
    if (is_static)
        statics[file, name] = 1
}

# How often each name is used in each file: its definition and prototypes too.
{
    rest = $0
    sub(/^ *(\/\*|\*).*/, "", rest)
    while (match(rest, /[a-z_][a-z0-9_]*/)) {
        used[file, substr(rest, RSTART, RLENGTH)]++
        rest = substr(rest, RSTART + RLENGTH)
    }
}

/^}$/ && inside {
    inside = 0
    functions++
    length_of[functions] = FNR - begin + 1
    if (FNR - begin + 1 > 100)
        complain(file ": " name "() has " (FNR - begin + 1) " lines")
}

# A prototype at the top of a file is no use.
/^static .*\(.*\);$/ {
    used[file, name]--
}

END {
    end_of_file()
    for (key in statics) {
        all_statics++
        if (used[key] <= 2)
            once++
    }
    for (i = 1; i <= functions; i++)
        of_length[length_of[i]]++
    for (n = 0; seen < 0.9 * functions; n++) {
        seen += of_length[n + 1]
        if (!median && seen >= functions / 2)
            median = n + 1
    }
    if (report && all_statics)
        printf "%d lines, %d functions: median %d lines, 90 %% at most %d; " \
               "%d of %d static ones have one caller (%d %%)\n", total,
               functions, median, n, once, all_statics,
               100 * once / all_statics
    exit offences > 0
}

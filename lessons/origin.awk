# SPDX-License-Identifier: MIT
#
# origin.awk -v what=rax TRACE - where a register's value at the end of the last
# call was made; or with what=6, where the byte code[6] was stored last.
#
# TRACE is what `jittrace --format=json` wrote. Prints the event of the store, or
# the instructions that the value came through, the one that made it first:
#
#     115  push rdi
#     117  pop rax
#
# A value that was popped is looked for where it was pushed, and one that was
# pushed where its register changed last. Nothing is printed if no instruction
# of the call changed the register: then it is as it was at the call. Only what
# is in the trace is followed; other loads are an origin of their own.
#
# Only POSIX awk is needed.

# What stands behind "name": in text, without quotes.
function after(text, name, at)
{
    at = index(text, "\"" name "\":")
    if (!at)
        return ""
    text = substr(text, at + length(name) + 3)
    sub(/^\[?\{?"?(addr":")?/, "", text)
    sub(/["}\],].*/, "", text)
    return text
}

# A text may have a comma in it.
function instruction(line)
{
    match(line, /"text":"[^"]*"/)
    return substr(line, RSTART + 8, RLENGTH - 9)
}

function changes(step, name)
{
    return index(step, "\"" name "\":[\"") > 0
}

# The last step before `from` that changed the register, or 0.
function changed(name, from)
{
    while (--from > 0 && !changes(line[from], name))
        continue
    return from
}

# The last step before `from` that stored at the address, or 0.
function stored(address, from)
{
    while (--from > 0 &&
           !(line[from] ~ /"writes":\[\{/ &&
             after(line[from], "writes") == address))
        continue
    return from
}

/"event":"write"/ && what ~ /^[0-9]+$/ {
    offset = after($0, "offset")
    if (what >= offset + 0 && what < offset + length(after($0, "new")) / 2)
        store = after($0, "seq") "  " instruction($0)
}

# Code that calls a C function goes on when that returns, with a result in rax.
/"event":"enter"/ {
    if (/"how":"return"/)
        line[++steps] = "{\"seq\":" after($0, "seq") \
            ",\"text\":\"(a function has returned)\",\"rax\":[\""
    else
        steps = 0
}
/"event":"step"/ { line[++steps] = $0 }

END {
    if (store != "")
        print store
    at = changed(what, steps + 1)
    while (at > 0) {
        path[++count] = at
        text = instruction(line[at])
        if (text ~ /^pop /)
            at = stored(after(line[at], "reads"), at)
        else if (text ~ /^push r[0-9a-z]+$/)
            at = changed(substr(text, 6), at)
        else
            at = 0
    }
    for (; count > 0; count--)
        printf "%s  %s\n", after(line[path[count]], "seq"),
            instruction(line[path[count]])
}

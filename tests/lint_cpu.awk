# SPDX-License-Identifier: MIT
#
# lint_cpu.awk - looks for what belongs to x86 in the code of src/.
#
#     awk -f tests/lint_cpu.awk src/*/*.[ch] src/*/*.def src/*/*/*.[ch]
#
# Another CPU would be a folder beside src/cpu/x86 and a file beside
# src/target/x86.c: so nothing else may know a register, a prefix, an opcode or
# a number of x86 by name. Comments and texts may: a reader sees that CPU.
# Status 1 and one line for each offence.

BEGIN {
    # What makes up the CPU, behind the names of its headers.
    allowed["src/target/x86.c"]
    allowed["src/target/vectors.c"]
    allowed["src/target/machine.h"] # what file formats and the kernel call it

    # What shows a reader the bits of an instruction, or its registers.
    allowed["src/cpu/insn.h"]        # kinds of fields: REX, ModRM, SIB
    allowed["src/cpu/regs.h"]        # which register has which part
    allowed["src/cpu/regs.def"]      # the registers
    allowed["src/tell/pen.h"]        # a style for each kind of field
    allowed["src/tell/pen.c"]
    allowed["src/tell/code.c"]       # an instruction, field by field
    allowed["src/tell/focus.c"]      # which of them are there so far
    allowed["src/tell/who.c"]        # which of them a byte belongs to
    allowed["src/tell/tell_write.c"] # what the byte that was stored says
    allowed["src/screen/pane_regs.c"] # in which order they are drawn
    allowed["src/screen/theme.c"]    # a colour for each kind of field

    # Any part of a name between underscores: FIELD_REX, X86_RAX, orig_rax.
    names = "[re](ax|bx|cx|dx|si|di|bp|sp|ip|flags)|r(8|9|1[0-5])|" \
            "[fg]sbase|dr[0-7]|[xyz]mm[0-9]+|x86|rex|vex|evex|xop|modrm|sib|" \
            "int3|popf|pushf|iret|sysenter|cpuid|debugreg"
    # The bytes of int3, int, popf, iret, ret and a call.
    bytes = "0x(cc|cd|9d|cf|c3|e8)"
}

# The line without comments, texts and characters; a comment may go on.
function code_of(line, out) {
    out = ""
    while (line != "") {
        if (inside) {
            if (!match(line, /\*\//))
                return out
            line = substr(line, RSTART + 2)
            inside = 0
        } else if (match(line, /\/\*|"([^"\\]|\\.)*"|'([^'\\]|\\.)+'/)) {
            out = out substr(line, 1, RSTART - 1) " "
            inside = substr(line, RSTART, 2) == "/*"
            line = substr(line, RSTART + RLENGTH)
        } else {
            return out line
        }
    }
    return out
}

function is_x86(word) {
    word = tolower(word)
    return word ~ ("^" bytes "u?$") || word ~ ("^(.*_)?(" names ")(_.*)?$")
}

FNR == 1 {
    files++
    seen[FILENAME]
    inside = 0
    is_allowed = FILENAME in allowed || FILENAME ~ /^src\/cpu\/x86\//
}

!is_allowed && /0x0f, 0x05/ {
    printf "%s:%d: the bytes of syscall belong to x86\n", FILENAME, FNR
    offences++
}

!is_allowed {
    n = split(code_of($0), words, /[^A-Za-z0-9_]+/)
    for (i = 1; i <= n; i++)
        if (is_x86(words[i])) {
            printf "%s:%d: %s belongs to x86\n", FILENAME, FNR, words[i]
            offences++
        }
}

END {
    for (name in allowed)
        if (!(name in seen)) {
            print "lint_cpu.awk: there is no " name
            offences++
        }
    if (files == 0)
        print "lint_cpu.awk: no files were given"
    exit (offences > 0 || files == 0)
}

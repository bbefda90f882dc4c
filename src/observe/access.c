/* SPDX-License-Identifier: MIT */
#include "observe/access.h"

#include "target/proc.h"

void access_decode(pid_t tid, uint64_t pc, struct insn *out)
{
    uint8_t code[INSN_MAX_LENGTH];
    size_t len = proc_read(tid, pc, code, sizeof code);

    insn_decode_any(code, len, pc, out);
}

void access_prepare(struct accesses *accesses, pid_t tid,
                    const struct insn *insn, const struct regs *regs)
{
    struct insn_access what[MAX_ACCESSES];

    accesses->count = insn_accesses(insn, regs, what, MAX_ACCESSES);
    for (size_t i = 0; i < accesses->count; i++) {
        struct access *access = &accesses->list[i];
        size_t size = what[i].size < ACCESS_BYTES ? what[i].size : ACCESS_BYTES;

        access->what = what[i];
        access->known =
            (uint32_t)proc_read(tid, what[i].addr, access->old_bytes, size);
    }
}

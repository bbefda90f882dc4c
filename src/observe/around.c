/* SPDX-License-Identifier: MIT */
#include "observe/around.h"

#include "cpu/fp.h"
#include "target/proc.h"

bool around_read_vregs(struct thread *thread, struct vregs *out)
{
    struct run *run = thread->run;
    bool all;

    if (tracee_vregs(&thread->tracee, &run->vectors, out, &all) < 0)
        return false;
    if (!all && !run->told_vectors) {
        run->told_vectors = true;
        thread_limit(thread, "xsave", 0,
                     "the kernel does not give the registers as XSAVE has "
                     "them; of vector registers the low 16 bytes are seen, of "
                     "16 registers, and no mask registers");
    }
    return true;
}

struct vreg_changes around_vregs(struct thread *thread, unsigned shown,
                                 struct vreg_change *list,
                                 struct opt_u64 *fp_control)
{
    struct vregs *told = &thread->stay.vregs, now;
    size_t count;

    if (!around_read_vregs(thread, &now))
        return (struct vreg_changes){NULL, 0};
    if (!told->known)
        vregs_init(told);
    count = vregs_news(told, &now, shown, list);
    *told = now;
    for (size_t i = 0; i < count; i++)
        list[i].new_bytes.data =
            (uint8_t *)told + (list[i].new_bytes.data - (uint8_t *)&now);
    *fp_control = (struct opt_u64){true, fp_state(&now)};
    return (struct vreg_changes){list, count};
}

#define WORD ((uint64_t)sizeof(uint64_t))

struct bytes around_stack(const struct thread *thread, uint64_t sp,
                          uint64_t *out, struct opt_u64 *at)
{
    const uint64_t most = thread->run->spent.max.stack;
    const uint64_t words = most < AROUND_WORDS ? most : AROUND_WORDS;
    uint64_t from = sp / WORD * WORD - words * WORD;
    size_t len =
        words ? proc_read(thread->tracee.tid, from, out, 2 * words * WORD) : 0;

    if (words && len <= words * WORD) { /* nothing is below it */
        from += words * WORD;
        len = proc_read(thread->tracee.tid, from, out, words * WORD);
    }
    *at = (struct opt_u64){len > 0, from};
    return (struct bytes){len > 0 ? (uint8_t *)out : NULL, len};
}

bool around_touches_stack(const struct stay *stay, const struct regs *after,
                          uint64_t words)
{
    const uint64_t sp = after->value[REG_STACK];

    if (sp != stay->before.value[REG_STACK])
        return true;
    for (size_t i = 0; i < stay->accesses.count; i++)
        if (stay->accesses.list[i].what.addr - (sp - words * WORD) <
            2 * words * WORD)
            return true;
    return false;
}

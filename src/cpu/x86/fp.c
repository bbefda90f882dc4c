/* SPDX-License-Identifier: MIT */
#include "cpu/fp.h"

#include <inttypes.h>
#include <string.h>

/* Of MXCSR bits 0 to 5 are flags that arithmetic sets. */
#define MXCSR_CONTROL 0xffc0u

/* A complex long double is returned in two registers (psABI 3.2.3). */
#define RESULT_REGISTERS 2

uint64_t fp_state(const struct vregs *vregs)
{
    uint32_t mxcsr;
    uint16_t control;

    memcpy(&mxcsr, vregs->mxcsr, sizeof mxcsr);
    memcpy(&control, vregs->fcw, sizeof control);
    return (uint64_t)mxcsr << 32 | (uint64_t)*vregs->ftw << 16 | control;
}

static int in_use(uint64_t state)
{
    return __builtin_popcount((unsigned)(state >> 16 & 0xff));
}

enum fp_difference fp_compare(uint64_t entry, uint64_t now, struct buf *out)
{
    const uint32_t mxcsr = (uint32_t)(now >> 32) & MXCSR_CONTROL;
    const uint32_t mxcsr_before = (uint32_t)(entry >> 32) & MXCSR_CONTROL;
    const uint16_t control = (uint16_t)now, control_before = (uint16_t)entry;

    if (mxcsr != mxcsr_before)
        buf_printf(out,
                   "the control bits of MXCSR are 0x%" PRIx32 " and were "
                   "0x%" PRIx32,
                   mxcsr, mxcsr_before);
    else if (control != control_before)
        buf_printf(out, "the x87 control word is 0x%x and was 0x%x", control,
                   control_before);
    else if (in_use(now) > RESULT_REGISTERS && in_use(now) > in_use(entry))
        buf_printf(out, "%d x87 registers are in use and %d were", in_use(now),
                   in_use(entry));
    else
        return FP_SAME;
    return mxcsr == mxcsr_before && control == control_before ? FP_IN_USE
                                                              : FP_CONTROL;
}

bool fp_sets_control(const struct insn *insn)
{
    static const char *const names[] = {
        "ldmxcsr", "vldmxcsr", "fldcw",  "fldenv", "fninit",
        "frstor",  "fxrstor",  "xrstor", "fnsave", "fxrstor64"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(insn->mnemonic, names[i]) == 0)
            return true;
    return false;
}

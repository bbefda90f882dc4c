/* SPDX-License-Identifier: MIT */
/* Sentences on instructions that ask the CPU or the kernel for something. */
#include "cpu/x86/tell.h"

/* edx:eax as it is now */
static void tell_answer(const struct step *step)
{
    uint64_t high = value_truncate(step->after->value[X86_RDX], 32);
    uint64_t low = value_truncate(step->after->value[X86_RAX], 32);

    tell_words(step, "edx:eax: ");
    value_describe_unsigned(high << 32 | low, step->out);
}

/* Leaves count from 0 and from 0x80000000 (SDM vol. 2, CPUID). */
bool tell_cpuid(const struct step *step, const char *detail)
{
    uint32_t leaf = (uint32_t)step->before->value[X86_RAX];

    (void)detail;
    buf_printf(step->out, "asks the CPU about itself (leaf eax = ");
    buf_printf(step->out, leaf > 0xffff ? "0x%x" : "%u", leaf);
    tell_words(step, ", ecx = ");
    tell_value(step, step->before->value[X86_RCX], 32);
    tell_words(step, ")");
    return true;
}

/* rdtsc, rdtscp; the latter also writes ecx */
bool tell_counter(const struct step *step, const char *detail)
{
    tell_words(step, "reads the time-stamp counter into ");
    tell_answer(step);
    if (*detail) {
        tell_words(step, ", and IA32_TSC_AUX into ecx: ");
        tell_value(step, step->after->value[X86_RCX], 32);
    }
    return true;
}

bool tell_xgetbv(const struct step *step, const char *detail)
{
    (void)detail;
    buf_printf(step->out, "reads the control register XCR%u into ",
               (uint32_t)step->before->value[X86_RCX]);
    tell_answer(step);
    return true;
}

bool tell_syscall(const struct step *step, const char *detail)
{
    (void)detail;
    tell_words(step, "system call ");
    tell_value(step, step->before->value[X86_RAX], 64);
    tell_words(step, "; the kernel returns ");
    tell_value(step, step->after->value[X86_RAX], 64);
    tell_words(step, " in rax");
    return true;
}

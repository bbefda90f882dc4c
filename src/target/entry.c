/* SPDX-License-Identifier: MIT */
#include "target/entry.h"

#include "target/machine.h"
#include "target/proc.h"
#include "target/registers.h"

/* No program may execute there, and the fault tells it. */
#define NOWHERE MACHINE_KERNEL

#define WORD sizeof(uint64_t)

/* Words that are read at once. */
#define WORDS 512

/*
 * Where the words end that begin at addr and are ended by a zero, behind it; 0
 * if they cannot be read.
 */
static uint64_t skip_words(const struct tracee *tracee, uint64_t addr)
{
    uint64_t words[WORDS];
    size_t got;

    do {
        got = proc_read(tracee->tid, addr, words, sizeof words) / WORD;
        for (size_t i = 0; i < got; i++)
            if (words[i] == 0)
                return addr + (i + 1) * WORD;
        addr += got * WORD;
    } while (got > 0);
    return 0;
}

/*
 * On the stack are the number of arguments, these, a zero, the environment, a
 * zero, and the vector, which says where the program is to begin (psABI 3.4.1).
 */
int entry_await(struct tracee *tracee, struct entry *entry)
{
    const uint64_t nowhere = NOWHERE;
    uint64_t at, pair[2] = {AT_NULL};

    *entry = (struct entry){.addr = proc_auxv(tracee->pid, AT_ENTRY)};
    if (!entry->addr || tracee_fetch(tracee) < 0)
        return -1;
    if (tracee_pc(tracee) == entry->addr)
        return 0;
    at = skip_words(tracee, tracee_stack(tracee) + WORD);
    at = at ? skip_words(tracee, at) : 0;
    for (; at; at += sizeof pair) {
        if (proc_read(tracee->tid, at, pair, sizeof pair) != sizeof pair ||
            pair[0] == AT_NULL)
            return -1;
        if (pair[0] == AT_ENTRY)
            break;
    }
    if (!at)
        return -1;
    entry->slot = at + WORD;
    if (tracee_write(tracee, entry->slot, &nowhere, sizeof nowhere) < 0)
        return -1;
    entry->awaited = true;
    return 0;
}

bool entry_is_fault(const struct entry *entry, const struct tracee *tracee,
                    const siginfo_t *info)
{
    return entry->awaited && info->si_signo == SIGSEGV && info->si_code > 0 &&
           tracee_pc(tracee) == NOWHERE;
}

int entry_arrive(struct tracee *tracee, struct entry *entry)
{
    entry->awaited = false;
    if (entry->slot)
        tracee_write(tracee, entry->slot, &entry->addr, sizeof entry->addr);
    return tracee_go_to(tracee, entry->addr);
}

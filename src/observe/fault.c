/* SPDX-License-Identifier: MIT */
#include "observe/fault.h"

#include <signal.h>
#include <sys/mman.h>

#include "observe/guard.h"

/* An access that needs prot: is it held back, allowed by now, or neither? */
static enum fault_class judge(const struct region *region, uint64_t addr,
                              unsigned prot, enum fault_class ours)
{
    if (guard_holds(region, addr, prot))
        return ours;
    return region->prot & prot ? FAULT_STALE : FAULT_PROGRAM;
}

enum fault_class fault_classify(const struct regions *regions,
                                const struct fault *fault)
{
    const struct region *region = regions_at(regions, fault->addr);

    if (!region)
        return FAULT_PROGRAM;
    if (fault->signal == SIGBUS && fault->code == BUS_ADRERR &&
        region->guard.writes == WRITE_GUARD_UFFD)
        return judge(region, fault->addr, PROT_WRITE, FAULT_STORE);
    if (fault->signal != SIGSEGV || fault->code != SEGV_ACCERR)
        return FAULT_PROGRAM;
    if (fault->addr - fault->pc < fault->length &&
        (!fault->stores || guard_holds(region, fault->addr, PROT_EXEC)))
        return judge(region, fault->addr, PROT_EXEC, FAULT_FETCH);
    return judge(region, fault->addr, PROT_WRITE, FAULT_STORE);
}

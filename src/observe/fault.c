/* SPDX-License-Identifier: MIT */
#include "observe/fault.h"

#include <signal.h>
#include <sys/mman.h>

enum fault_class fault_classify(const struct regions *regions,
                                const struct fault *fault)
{
    const struct region *region = regions_at(regions, fault->addr);

    if (fault->code != SEGV_ACCERR || !region)
        return FAULT_PROGRAM;
    if (fault->addr - fault->pc < fault->length &&
        !(region->prot & ~region->guard.taken & PROT_EXEC))
        return region->guard.taken & PROT_EXEC ? FAULT_FETCH : FAULT_PROGRAM;
    return region->guard.taken & PROT_WRITE ? FAULT_STORE : FAULT_PROGRAM;
}

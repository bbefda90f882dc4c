/* SPDX-License-Identifier: MIT */
/*
 * target/gdbjit_parts.h - the inside of gdbjit.h: gdbjit.c has the list,
 * gdbjit_elf.c the object files.
 */
#ifndef JITTRACE_TARGET_GDBJIT_PARTS_H
#define JITTRACE_TARGET_GDBJIT_PARTS_H

#include "target/gdbjit.h"

/* What there is to say, with what it points to. */
struct gdbjit_said {
    struct naming naming;
    void *memory;
};

/* Makes room for one more; all zero. */
struct gdbjit_said *gdbjit_add(struct gdbjit *gdbjit);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * gdbjit.c - any bytes as an object file that a program has for debuggers.
 */
#include "target/gdbjit.h"

#include <string.h>

#include "base/mem.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gdbjit gdbjit = {0};
    struct naming naming;

    gdbjit_take_object(&gdbjit, (struct bytes){data, size}, 1);
    while (gdbjit_next(&gdbjit, &naming)) {
        const struct event_name *name = &naming.name;
        const struct line_rows *rows = &name->lines;

        if (naming.kind == NAMING_FLAW)
            continue;
        BUG_UNLESS(naming.kind == NAMING_NAME_GIVEN && naming.owner == 1);
        BUG_UNLESS(name->addr + name->length > name->addr && *name->name);
        for (size_t i = 0; i < rows->count; i++)
            BUG_UNLESS(
                rows->list[i].offset < name->length && rows->list[i].line > 0 &&
                *rows->list[i].file &&
                (i == 0 || rows->list[i - 1].offset < rows->list[i].offset));
    }
    gdbjit_release(&gdbjit);
    return 0;
}

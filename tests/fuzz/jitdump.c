/* SPDX-License-Identifier: MIT */
/*
 * jitdump.c - any bytes as a jitdump, and what it says as what an address is
 * called and which line it was made from.
 */
#include "target/jitdump.h"

#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "trace/labels.h"

static void check_name(struct labels *labels, const struct event_name *name)
{
    const struct line_rows *rows = &name->lines;
    struct srcline line;

    BUG_UNLESS(name->length > 0 && name->addr + name->length > name->addr);
    BUG_UNLESS(*name->name && strlen(name->name) <= NAMING_NAME);
    BUG_UNLESS(name->code.len > 0 && name->code.len <= name->length);
    for (size_t i = 0; i < rows->count; i++) {
        BUG_UNLESS(rows->list[i].offset < name->length);
        BUG_UNLESS(i == 0 || rows->list[i - 1].offset < rows->list[i].offset);
        BUG_UNLESS(rows->list[i].line > 0 && *rows->list[i].file);
    }
    labels_add(labels, name);
    if (rows->count > 0)
        BUG_UNLESS(
            labels_line(labels, name->addr + name->length - 1, &line, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jitdump dump = {.file = -1};
    struct labels labels = {0};
    struct naming naming;

    buf_append(&dump.text, data, size);
    while (jitdump_next(&dump, &naming)) {
        if (naming.kind == NAMING_NAME_GIVEN)
            check_name(&labels, &naming.name);
        else if (naming.kind == NAMING_MOVED)
            BUG_UNLESS(naming.name.length > 0);
        else
            BUG_UNLESS(naming.kind == NAMING_FLAW && *naming.flaw);
    }
    jitdump_release(&dump);
    ranges_release(&labels.ranges);
    return 0;
}

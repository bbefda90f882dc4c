/* SPDX-License-Identifier: MIT */
/*
 * perfmap.c - any bytes as the lines of a perf map, and the names as what an
 * address is called.
 */
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "tell/pen.h"
#include "target/perfmap.h"
#include "trace/labels.h"

static void take(struct labels *labels, struct bytes line)
{
    struct perfmap_line out;
    struct pen pen = {0};
    struct buf name = {0};

    if (!perfmap_parse(line, &out))
        return;
    BUG_UNLESS(out.length > 0 && out.addr + out.length > out.addr);
    BUG_UNLESS(*out.name && !strchr(out.name, '\n'));
    labels_add(labels, &(struct event_name){.addr = out.addr,
                                            .length = out.length,
                                            .name = out.name});
    BUG_UNLESS(ranges_at(&labels->ranges, out.addr + out.length - 1));
    BUG_UNLESS(labels_describe(labels, out.addr + out.length / 2, &name));
    pen_text(&pen, ROLE_PLAIN, buf_text(&name));
    pen_words(&pen, ROLE_PLAIN, 2, out.name);
    fuzz_check_text((const char *)pen.out.data, pen.out.len, false);
    pen_release(&pen);
    buf_release(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct labels labels = {0};

    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;

        take(&labels, (struct bytes){data, len});
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
    ranges_forget(&labels.ranges, 0x1000, 0x1000 + 0x10000);
    ranges_release(&labels.ranges);
    return 0;
}

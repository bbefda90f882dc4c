/* SPDX-License-Identifier: MIT */
#include "trace/labels.h"

#include <string.h>

#include "base/utf8.h"

void labels_release(struct labels *labels)
{
    ranges_release(&labels->ranges);
    *labels = (struct labels){0};
}

void labels_copy(struct labels *to, const struct labels *from)
{
    *to = *from;
    ranges_copy(&to->ranges, &from->ranges);
}

bool labels_add(struct labels *labels, uint64_t addr, uint64_t length,
                const char *name)
{
    uint64_t from, to;
    const struct label *known = labels_from(labels, addr, &from, &to);
    struct label *label;

    if (known && known->addr == addr && known->length == length &&
        from == addr && to == addr + length && !strcmp(known->name, name))
        return false;
    label = range_value_new(sizeof *label + strlen(name) + 1);
    label->order = labels->added++;
    label->addr = addr;
    label->length = length;
    memcpy(label->name, name, strlen(name) + 1);
    ranges_set(&labels->ranges, addr, addr + length, &label->value);
    range_value_drop(&label->value);
    return true;
}

void labels_forget(struct labels *labels, uint64_t addr, uint64_t length)
{
    ranges_forget(&labels->ranges, addr, addr + length);
}

void labels_drop(struct labels *labels, const struct label *label)
{
    const struct range_value *value = &label->value;
    uint64_t at = label->addr, end = at + label->length;
    const struct stretch *stretch;

    while ((stretch = ranges_from(&labels->ranges, at)) != NULL &&
           stretch->from < end) {
        at = stretch->to;
        if (stretch->value == value)
            ranges_forget(&labels->ranges, stretch->from, at);
    }
}

struct label *labels_from(const struct labels *labels, uint64_t addr,
                          uint64_t *from, uint64_t *to)
{
    const struct stretch *stretch = ranges_from(&labels->ranges, addr);

    if (!stretch)
        return NULL;
    *from = stretch->from;
    *to = stretch->to;
    return (struct label *)stretch->value;
}

const struct label *labels_at(const struct labels *labels, uint64_t addr)
{
    return ranges_at(&labels->ranges, addr);
}

bool labels_describe(const struct labels *labels, uint64_t addr,
                     struct buf *out)
{
    const struct label *label = labels_at(labels, addr);
    struct bytes name;

    if (!label)
        return false;
    name = (struct bytes){(const uint8_t *)label->name, strlen(label->name)};
    if (name.len <= LABELS_SHOWN) {
        buf_append(out, name.data, name.len);
    } else { /* the cut name ends with a whole character, if it is UTF-8 */
        buf_append(out, name.data, utf8_cut(name, LABELS_SHOWN - 3));
        buf_append_text(out, "...");
    }
    if (addr > label->addr)
        buf_printf(out, "+0x%llx", (unsigned long long)(addr - label->addr));
    return true;
}

size_t labels_memory(const struct labels *labels)
{
    return ranges_memory(&labels->ranges);
}

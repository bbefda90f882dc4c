/* SPDX-License-Identifier: MIT */
#include "trace/labels.h"

#include "base/utf8.h"

bool labels_add(struct labels *labels, uint64_t addr, uint64_t length,
                const char *name)
{
    size_t count, size = strlen(name) + 1;
    const struct stretch *at = ranges_from(&labels->ranges, addr, &count);
    struct label *label = count > 0 ? (struct label *)at->value : NULL;

    if (label && label->addr == addr && label->length == length &&
        at->from == addr && at->to == addr + length &&
        strcmp(label->name, name) == 0)
        return false;
    label = range_value_new(sizeof *label + size);
    label->order = labels->added++;
    label->addr = addr;
    label->length = length;
    memcpy(label->name, name, size);
    ranges_set(&labels->ranges, addr, addr + length, &label->value);
    range_value_drop(&label->value);
    return true;
}

void labels_drop(struct labels *labels, const struct label *label)
{
    const struct range_value *value = &label->value;
    uint64_t at = label->addr, end = at + label->length;
    const struct stretch *stretch;
    size_t count;

    while ((stretch = ranges_from(&labels->ranges, at, &count)) != NULL &&
           stretch->from < end) {
        at = stretch->to;
        if (stretch->value == value)
            ranges_forget(&labels->ranges, stretch->from, at);
    }
}

bool labels_describe(const struct labels *labels, uint64_t addr,
                     struct buf *out)
{
    const struct label *label = ranges_at(&labels->ranges, addr);
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

/* SPDX-License-Identifier: MIT */
#include "trace/labels.h"

#include "base/utf8.h"

static bool same_text(const char *one, const char *other)
{
    return one == other || (one && other && strcmp(one, other) == 0);
}

static bool same_rows(const struct line_rows *one,
                      const struct line_rows *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (one->list[i].offset != other->list[i].offset ||
            one->list[i].line != other->list[i].line ||
            !same_text(one->list[i].file, other->list[i].file))
            return false;
    return true;
}

/* Whether the label says what the name does. */
static bool is_same(const struct label *label, const struct event_name *name)
{
    return label->addr == name->addr && label->length == name->length &&
           same_text(label->name, name->name ? name->name : "") &&
           same_text(label->by, name->by) &&
           label->code.len == name->code.len &&
           (name->code.len == 0 ||
            !memcmp(label->code.data, name->code.data, name->code.len)) &&
           same_rows(&label->rows, &name->lines);
}

/* Where the label has its own copy of what it points to; while out is NULL it
 * is only measured. Lists come first, for they must be aligned. */
struct room {
    char *out;
    size_t used;
};

static const void *put(struct room *room, const void *from, size_t size)
{
    size_t at = room->used;

    if (!from)
        return NULL;
    room->used += size;
    return room->out ? memcpy(room->out + at, from, size) : NULL;
}

static const char *put_text(struct room *room, const char *text)
{
    return text ? put(room, text, strlen(text) + 1) : NULL;
}

static void put_all(struct room *room, const struct event_name *name,
                    struct label *out)
{
    const struct line_rows *rows = &name->lines;
    struct line_row *list =
        (void *)put(room, rows->list, rows->count * sizeof *list);
    const char *file = NULL, *copy = NULL; /* most are of the same one */

    for (size_t i = 0; i < rows->count; i++) {
        if (rows->list[i].file != file)
            copy = put_text(room, rows->list[i].file);
        file = rows->list[i].file;
        if (room->out)
            list[i].file = copy;
    }
    out->rows = (struct line_rows){list, rows->count};
    out->name = put_text(room, name->name ? name->name : "");
    out->by = put_text(room, name->by);
    out->code = (struct bytes){put(room, name->code.data, name->code.len),
                               name->code.len};
}

struct label *labels_add(struct labels *labels, const struct event_name *name)
{
    uint64_t addr = name->addr, end = name->addr + name->length;
    size_t count;
    const struct stretch *at = ranges_from(&labels->ranges, addr, &count);
    struct label *label = count > 0 ? (struct label *)at->value : NULL;
    struct label measured;
    struct room room = {0};

    if (label && is_same(label, name) && at->from == addr && at->to == end &&
        !label->stored)
        return NULL;
    put_all(&room, name, &measured);
    label = range_value_new(sizeof *label + room.used);
    label->order = labels->added++;
    label->addr = addr;
    label->length = name->length;
    room = (struct room){label->data, 0};
    put_all(&room, name, label);
    ranges_set(&labels->ranges, addr, end, &label->value);
    range_value_drop(&label->value);
    return label;
}

void labels_stored(struct labels *labels, uint64_t addr, uint64_t length)
{
    size_t count;
    const struct stretch *at = ranges_from(&labels->ranges, addr, &count);

    for (; count > 0 && (at->from <= addr || at->from - addr < length);
         at++, count--)
        ((struct label *)at->value)->stored = true;
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

bool labels_find(const struct labels *labels, const char *name, uint64_t *addr)
{
    size_t count;
    const struct stretch *at = ranges_from(&labels->ranges, 0, &count);

    for (; *name && count > 0; at++, count--) {
        const struct label *label = (const struct label *)at->value;

        if (strcmp(label->name, name) == 0) {
            *addr = label->addr;
            return true;
        }
    }
    return false;
}

bool labels_line(const struct labels *labels, uint64_t addr,
                 struct srcline *out, const char **path)
{
    const struct label *label = ranges_at(&labels->ranges, addr);
    const struct line_row *list;
    size_t from = 0, to;

    *out = (struct srcline){0};
    if (!label)
        return false;
    list = label->rows.list;
    for (to = label->rows.count; from < to;) { /* the first one behind addr */
        size_t middle = from + (to - from) / 2;

        if (list[middle].offset <= addr - label->addr)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == 0)
        return false;
    out->file = basename(list[from - 1].file);
    out->line = list[from - 1].line;
    if (path)
        *path = list[from - 1].file;
    return true;
}

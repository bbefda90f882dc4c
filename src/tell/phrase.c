/* SPDX-License-Identifier: MIT */
#include "tell/phrase.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "cpu/effect.h"
#include "trace/signal_name.h"

#define STORE_SHOWN 16u /* bytes of a store, in hex */

void phrases_release(struct phrases *phrases)
{
    for (size_t i = 0; i < phrases->count; i++)
        buf_release(&phrases->list[i]);
    free(phrases->list);
    *phrases = (struct phrases){0};
}

const char *phrase_of(struct phrases *phrases, struct buf *text)
{
    struct buf *own;

    phrases->list = mem_grow(phrases->list, phrases->count, &phrases->capacity,
                             sizeof *phrases->list);
    own = &phrases->list[phrases->count++];
    *own = *text;
    *text = (struct buf){0};
    return buf_text(own);
}

const char *phrase(struct phrases *phrases, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    return phrase_of(phrases, &text);
}

const char *phrase_hex(struct phrases *phrases, uint64_t value)
{
    return phrase(phrases, "0x%llx", (unsigned long long)value);
}

const char *phrase_place(struct phrases *phrases, uint64_t offset,
                         uint64_t length)
{
    if (length <= 1)
        return phrase(phrases, "code[%llu]", (unsigned long long)offset);
    return phrase(phrases, "code[%llu..%llu]", (unsigned long long)offset,
                  (unsigned long long)(offset + length - 1));
}

const char *phrase_where(struct phrases *phrases, const struct view *view,
                         uint64_t addr)
{
    const struct region *region = view_region_at(view, addr);

    return region ? phrase_place(phrases, addr - region->start, 1)
                  : phrase_hex(phrases, addr);
}

const char *phrase_label(struct phrases *phrases, const struct view *view,
                         uint64_t addr)
{
    struct buf text = {0};

    buf_append_text(&text, "<");
    if (labels_describe(&view->labels, addr, &text))
        buf_append_text(&text, ">");
    else
        buf_clear(&text);
    return phrase_of(phrases, &text);
}

const char *phrase_bytes(struct phrases *phrases, struct bytes bytes)
{
    struct buf text = {0};

    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(&text, i ? " %02x" : "%02x", bytes.data[i]);
    return phrase_of(phrases, &text);
}

const char *phrase_bits(struct phrases *phrases, uint64_t value, unsigned width)
{
    struct buf text = {0};

    while (width-- > 0)
        buf_append_text(&text, value >> width & 1 ? "1" : "0");
    return phrase_of(phrases, &text);
}

const char *phrase_value(struct phrases *phrases, uint64_t value)
{
    struct buf text = {0};

    value_describe(value, 64, &text);
    return phrase_of(phrases, &text);
}

const char *phrase_prot(struct phrases *phrases, unsigned prot)
{
    char letters[4];

    prot_text(prot, letters);
    return phrase(phrases, "%s", letters);
}

const char *phrase_rights(struct phrases *phrases, unsigned prot)
{
    static const unsigned bits[] = {PROT_READ, PROT_WRITE, PROT_EXEC};
    static const char *const names[] = {"reading", "writing", "executing"};
    struct buf text = {0};

    for (int allowed = 1; allowed >= 0; allowed--) {
        unsigned due = 0, listed = 0;

        for (size_t i = 0; i < 3; i++)
            due += !!(prot & bits[i]) == allowed;
        for (size_t i = 0; i < 3; i++)
            if (!!(prot & bits[i]) == allowed)
                buf_printf(&text, "%s%s",
                           listed++ == 0   ? allowed ? "" : ", "
                           : listed == due ? " and "
                                           : ", ",
                           names[i]);
        if (allowed)
            buf_append_text(&text, due ? " allowed" : "nothing allowed");
        else if (due > 0)
            buf_append_text(&text, " not");
    }
    return phrase_of(phrases, &text);
}

const char *phrase_rights_short(struct phrases *phrases, unsigned prot)
{
    return prot & (PROT_READ | PROT_WRITE | PROT_EXEC)
               ? phrase_rights(phrases, prot)
               : "nothing allowed";
}

const char *phrase_source(struct phrases *phrases, const struct srcline *source)
{
    return source->file ? phrase(phrases, "%s:%d", source->file, source->line)
                        : "";
}

const char *phrase_signal(struct phrases *phrases, int64_t number,
                          const char *name)
{
    return phrase(phrases, "%lld%s%s", (long long)number, name ? " " : "",
                  name ? name : "");
}

const char *phrase_end(struct phrases *phrases, const struct event_exit *end)
{
    if (end->signal.known)
        return phrase(phrases, "killed by signal %s",
                      phrase_signal(phrases, (int64_t)end->signal.value,
                                    signal_name((int)end->signal.value)));
    return end->status.known ? phrase(phrases, "ended with status %llu",
                                      (unsigned long long)end->status.value)
                             : "ended";
}

const char *phrase_call(struct phrases *phrases, const char *call,
                        const char *other)
{
    return call && *call
               ? phrase(phrases, "%.*s", (int)strcspn(call, "("), call)
               : other;
}

const char *phrase_store(struct phrases *phrases,
                         const struct event_write *write)
{
    const char *what = write->new.len == 1
                           ? phrase(phrases, "0x%02x", write->new.data[0])
                       : write->new.len <= STORE_SHOWN
                           ? phrase_bytes(phrases, write->new)
                           : phrase(phrases, "%zu bytes", write->new.len);

    return phrase(phrases, "%s = %s",
                  phrase_place(phrases, write->offset, write->new.len), what);
}

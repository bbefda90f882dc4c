/* SPDX-License-Identifier: MIT */
#include "tell/phrase.h"

#include "base/mem.h"
#include "cpu/effect.h"

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
    return phrase(phrases, "0x%" PRIx64, value);
}

const char *phrase_place(struct phrases *phrases, uint64_t offset,
                         uint64_t length)
{
    return length <= 1 ? phrase(phrases, "code[%" PRIu64 "]", offset)
                       : phrase(phrases, "code[%" PRIu64 "..%" PRIu64 "]",
                                offset, offset + length - 1);
}

const char *phrase_label(struct phrases *phrases, const struct view *view,
                         uint64_t addr)
{
    struct buf text = {0};
    bool named = labels_describe(&view->labels, addr, &text);
    const char *name = phrase_of(phrases, &text);

    return named ? phrase(phrases, "<%s>", name) : "";
}

const char *phrase_line(struct phrases *phrases, const struct view *view,
                        uint64_t addr)
{
    struct srcline line;

    return labels_line(&view->labels, addr, &line, NULL)
               ? phrase_source(phrases, &line)
               : "";
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

const char *phrase_prot(unsigned prot)
{
    static const char *const letters[] = {
        "---",
        [PROT_READ] = "r--",
        [PROT_WRITE] = "-w-",
        [PROT_READ | PROT_WRITE] = "rw-",
        [PROT_EXEC] = "--x",
        [PROT_READ | PROT_EXEC] = "r-x",
        [PROT_WRITE | PROT_EXEC] = "-wx",
        [PROT_READ | PROT_WRITE | PROT_EXEC] = "rwx",
    };

    return letters[prot & (PROT_READ | PROT_WRITE | PROT_EXEC)];
}

const char *phrase_rights(unsigned prot)
{
    static const char *const rights[] = {
        "nothing allowed, reading, writing and executing not",
        [PROT_READ] = "reading allowed, writing and executing not",
        [PROT_WRITE] = "writing allowed, reading and executing not",
        [PROT_READ | PROT_WRITE] = "reading and writing allowed, executing not",
        [PROT_EXEC] = "executing allowed, reading and writing not",
        [PROT_READ | PROT_EXEC] = "reading and executing allowed, writing not",
        [PROT_WRITE | PROT_EXEC] = "writing and executing allowed, reading not",
        [PROT_READ | PROT_WRITE | PROT_EXEC] =
            "reading, writing and executing allowed",
    };

    return rights[prot & (PROT_READ | PROT_WRITE | PROT_EXEC)];
}

const char *phrase_rights_short(unsigned prot)
{
    return prot & (PROT_READ | PROT_WRITE | PROT_EXEC) ? phrase_rights(prot)
                                                       : "nothing allowed";
}

const char *phrase_maps(struct phrases *phrases, const char *maps)
{
    struct buf line = {0};

    for (; maps && *maps; maps++)
        if (maps[0] != ' ' || maps[1] != ' ')
            buf_append(&line, maps, 1);
    return phrase_of(phrases, &line);
}

const char *phrase_source(struct phrases *phrases, const struct srcline *source)
{
    return source->file ? phrase(phrases, "%s:%d", source->file, source->line)
                        : "";
}

const char *phrase_function(struct phrases *phrases, const char *symbol)
{
    size_t length = symbol ? chain_function(symbol) : 0;
    const char *file = symbol ? strchr(symbol, ':') : NULL;

    if (file && file < symbol + length && file[1] != ':') {
        length -= (size_t)(file + 1 - symbol);
        symbol = file + 1;
    }
    return length ? phrase(phrases, "%.*s()", (int)length, symbol) : "";
}

/* "jit.c:88 in mul()" */
static const char *phrase_caller(struct phrases *phrases,
                                 const struct caller *caller)
{
    const char *place = phrase_source(phrases, &caller->source);
    const char *function = phrase_function(phrases, caller->symbol);

    return phrase(phrases, "%s%s%s", place, *place && *function ? " in " : "",
                  function);
}

const char *phrase_through(struct phrases *phrases, const struct chain *chain)
{
    struct buf text = {0};

    for (size_t i = chain->named_by; i-- > 0;) {
        const struct caller *caller = &chain->list[i];

        buf_printf(&text, "%s%s", text.len ? ", " : "",
                   phrase_function(phrases, caller->symbol));
        if (caller->source.file)
            buf_printf(&text, " at %s",
                       phrase_source(phrases, &caller->source));
    }
    return phrase_of(phrases, &text);
}

const char *phrase_chain(struct phrases *phrases, const struct chain *chain)
{
    const char *who, *through;

    if (chain->count == 0)
        return "";
    who = phrase_caller(phrases, &chain->list[chain->named_by]);
    through = phrase_through(phrases, chain);
    if (*through)
        return phrase(phrases, "%s, through %s", who, through);
    for (size_t i = 1; i < chain->count && chain->list[i].source.file; i++)
        who = phrase(phrases, "%s, %sat %s", who, i == 1 ? "called " : "",
                     phrase_caller(phrases, &chain->list[i]));
    return who;
}

const char *phrase_signal(struct phrases *phrases, int64_t number,
                          const char *name)
{
    return phrase(phrases, "%" PRId64 "%s%s", number, name ? " " : "",
                  name ? name : "");
}

const char *phrase_end(struct phrases *phrases, const struct event_exit *end)
{
    if (end->signal.known)
        return phrase(phrases, "killed by signal %s",
                      phrase_signal(phrases, (int64_t)end->signal.value,
                                    signal_name((int)end->signal.value)));
    return end->status.known ? phrase(phrases, "ended with status %" PRIu64,
                                      end->status.value)
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

/* SPDX-License-Identifier: MIT */
/*
 * Bytes of code: what each is for, as the events are about its instruction, and
 * who wrote it. Both are lists of what holds from an event on, so that the
 * player finds what held at the one it shows.
 *
 * Of a program that makes much code only the first MOST_BYTES that an event was
 * about are told, and fewer of a long trace: each is held against each event.
 */
#include "format/html_parts.h"

#include "base/mem.h"
#include "tell/code.h"
#include "tell/focus.h"
#include "tell/tell.h"

#define MOST_BYTES 4096u
#define MOST_LOOKS (UINT64_C(1) << 28)

/* From an event on, a text; what comes next is found by its index. */
struct since {
    uint64_t seq;
    json_int_t text;
};

struct about {
    uint64_t addr; /* the list is sorted by it */
    uint64_t base;
    struct since *purposes;
    size_t count;
    size_t capacity;
    struct origins origins;
    json_t *who; /* [event, text] */
};

struct purposes {
    struct texts_once texts;
    struct about *bytes;
    size_t count;
    size_t capacity;
};

struct purposes *purposes_new(void)
{
    struct purposes *purposes = mem_alloc(sizeof *purposes);

    once_init(&purposes->texts);
    return purposes;
}

void purposes_free(struct purposes *purposes)
{
    if (!purposes)
        return;
    for (size_t i = 0; i < purposes->count; i++) {
        free(purposes->bytes[i].purposes);
        origins_release(&purposes->bytes[i].origins);
        json_decref(purposes->bytes[i].who);
    }
    once_release(&purposes->texts);
    free(purposes->bytes);
    free(purposes);
}

/* The entry of a byte, perhaps a new one; NULL: there are too many. */
static struct about *find(struct purposes *purposes, uint64_t addr)
{
    size_t at = mem_until(purposes->bytes, purposes->count,
                          sizeof *purposes->bytes, addr);

    if (at > 0 && purposes->bytes[at - 1].addr == addr)
        return &purposes->bytes[at - 1];
    if (purposes->count == MOST_BYTES)
        return NULL;
    purposes->bytes = mem_grow(purposes->bytes, purposes->count,
                               &purposes->capacity, sizeof *purposes->bytes);
    memmove(purposes->bytes + at + 1, purposes->bytes + at,
            (purposes->count++ - at) * sizeof *purposes->bytes);
    purposes->bytes[at] = (struct about){.addr = addr, .who = json_array()};
    purposes->bytes[at].origins.addr = addr;
    return &purposes->bytes[at];
}

void purposes_take(struct purposes *purposes, struct history *history,
                   uint64_t seq)
{
    struct buf text = {0};
    struct focus focus;
    unsigned length;

    focus_find(history, seq, &focus);
    if (focus.kind == FOCUS_NONE || focus.kind == FOCUS_REST)
        return;
    length = focus.state == INSN_UNKNOWN ? focus.length : focus.insn.length;
    for (unsigned i = 0; i < length; i++) {
        struct about *about = find(purposes, focus.addr + i);
        json_int_t number;

        if (!about)
            break;
        about->base = focus.base;
        buf_clear(&text);
        if (focus.state != INSN_UNKNOWN)
            tell_purpose(&focus.insn, i, &text);
        number = once_add(&purposes->texts, buf_text(&text));
        if (about->count && about->purposes[about->count - 1].text == number)
            continue;
        about->purposes = mem_grow(about->purposes, about->count,
                                   &about->capacity, sizeof *about->purposes);
        about->purposes[about->count++] = (struct since){seq, number};
    }
    buf_release(&text);
}

/* Who wrote the bytes, for as many as there is time for. Returns how many. */
static size_t find_origins(struct history *history, struct purposes *purposes)
{
    const struct store *store = history_store(history);
    const uint64_t most = MOST_LOOKS / (store->count + 1);
    size_t count = purposes->count < most ? purposes->count : (size_t)most;
    struct unpacked unpacked = {0};

    for (uint64_t seq = 0; seq < store->count; seq++) {
        store_read(store, seq, &unpacked);
        for (size_t i = 0; i < count; i++)
            origins_apply(&purposes->bytes[i].origins, store, &unpacked.event);
    }
    unpacked_release(&unpacked);
    return count;
}

json_t *html_bytes(struct history *history, struct purposes *purposes)
{
    struct emissions *emissions = history_emissions(history);
    size_t told = find_origins(history, purposes);
    json_t *list = json_array(), *result;
    struct buf text = {0};

    for (size_t i = 0; i < purposes->count; i++) {
        struct about *about = &purposes->bytes[i];
        json_t *since = json_array();

        for (size_t k = 0; k < about->count; k++)
            json_array_append_new(
                since, json_pack("[I,I]", (json_int_t)about->purposes[k].seq,
                                 about->purposes[k].text));
        for (size_t k = 0; i < told && k < about->origins.count; k++) {
            uint64_t seq = about->origins.list[k].seq;

            buf_clear(&text);
            who_line(emissions, &about->origins, seq, about->base, &text);
            json_array_append_new(
                about->who,
                json_pack("[I,I]", (json_int_t)seq,
                          once_add(&purposes->texts, buf_text(&text))));
        }
        json_array_append_new(
            list, json_pack("[o,o,O]", json_sprintf("%" PRIx64, about->addr),
                            since, about->who));
    }
    buf_release(&text);
    result =
        json_pack("{s:O, s:o, s:b}", "texts", purposes->texts.list, "list",
                  list, "all", told == purposes->count && told < MOST_BYTES);
    return result;
}

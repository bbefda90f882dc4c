/* SPDX-License-Identifier: MIT */
/*
 * What is known where there is no instruction yet, or no registers of one: what
 * the program asked the kernel for, what it got, and the instruction that
 * stores. All of it is from the event, or from the last one before it that was
 * about memory for code.
 */
#include "screen/pane.h"

#include "base/mem.h"
#include "tell/phrase.h"

#define LOOK_BACK 4096u /* events */

static void entry(struct pen *pen, const char *name, enum role role,
                  const char *text)
{
    if (!text || !*text)
        return;
    pen_text(pen, ROLE_NOTE, name);
    pen_gap(pen, 12);
    pen_cut(pen, role, text);
    pen_end(pen);
}

/* The event itself if it is about memory or the start; else the last one before
 * it that is. To be freed. */
static struct event *find_facts(const struct moment *moment)
{
    for (uint64_t i = moment->seq + 1;
         i-- > 0 && moment->seq - i <= LOOK_BACK;) {
        const struct event *event = history_event(moment->history, i);

        if (pane_mapping(event) || event->kind == EVENT_START)
            return event_keep(event);
    }
    return event_keep(history_event(moment->history, 0));
}

static const char *bytes_text(struct phrases *phrases, uint64_t count)
{
    return phrase(phrases, "%" PRIu64 " byte%s", count, count == 1 ? "" : "s");
}

static void write_range(struct pen *pen, struct phrases *phrases, uint64_t addr,
                        uint64_t length)
{
    entry(pen, "memory", ROLE_ADDRESS,
          phrase(phrases, "0x%" PRIx64 "..0x%" PRIx64 ", %s", addr,
                 addr + length - 1, bytes_text(phrases, length)));
}

void pane_call(const struct moment *moment, struct pane *pane)
{
    struct event *event = find_facts(moment);
    struct phrases phrases = {0};
    struct pen *pen = &pane->pen;
    const char *title = "system call";

    switch (event->kind) {
    case EVENT_START:
        title = "the program";
        entry(pen, "file", ROLE_PLAIN, event->start.exe);
        entry(pen, "entry", ROLE_ADDRESS,
              phrase_hex(&phrases, event->start.entry));
        entry(pen, "page size", ROLE_PLAIN,
              bytes_text(&phrases, event->start.page_size));
        break;
    case EVENT_MAP:
        entry(pen, "call", ROLE_CALL, event->map.call);
        write_range(pen, &phrases, event->map.addr, event->map.length);
        entry(pen, "rights", ROLE_PROTECTION, phrase_rights(event->map.prot));
        entry(pen, "flags", ROLE_PLAIN, event->map.flags);
        entry(pen, "backing", ROLE_PLAIN, event->map.backing);
        break;
    case EVENT_PROTECT:
        entry(pen, "call", ROLE_CALL, event->protect.call);
        write_range(pen, &phrases, event->protect.addr, event->protect.length);
        entry(pen, "before", ROLE_PROTECTION,
              phrase_rights(event->protect.old_prot));
        entry(pen, "now", ROLE_PROTECTION, phrase_rights(event->protect.prot));
        break;
    case EVENT_UNMAP:
        entry(pen, "call", ROLE_CALL, event->unmap.call);
        write_range(pen, &phrases, event->unmap.addr, event->unmap.length);
        break;
    default: /* a store, whose code is not there any more */
        title = "stored";
        write_range(pen, &phrases, event->write.addr, event->write.new.len);
        break;
    }
    pen_text(&pane->title, ROLE_HEADING, title);
    phrases_release(&phrases);
    event_free(event);
}

/* What stores, and what it does to memory. */
static void write_store(const struct moment *moment,
                        const struct event_write *write, struct pane *pane)
{
    const struct srcline *source = &moment->event->source;
    struct phrases phrases = {0};
    struct pen *pen = &pane->pen;
    size_t shown = write->new.len < 8 ? write->new.len : 8;
    const char *dots = write->new.len > shown ? " …" : "";
    const char *old = ""; /* a recording may leave it out */

    if (write->old.data)
        old = phrase(
            &phrases, "%s%s → ",
            phrase_bytes(&phrases, (struct bytes){write->old.data, shown}),
            dots);
    pen_text(&pane->title, ROLE_HEADING,
             write->by ? "what wrote" : "the instruction that stores");
    entry(pen, write->by ? "by" : "stores", ROLE_MNEMONIC,
          write->by ? write->by : write->text);
    entry(pen, "to", ROLE_ADDRESS,
          phrase(&phrases, "0x%" PRIx64 " = %s: %s%s%s", write->addr,
                 phrase_place(&phrases, write->offset, write->new.len), old,
                 phrase_bytes(&phrases, (struct bytes){write->new.data, shown}),
                 dots));
    entry(pen, "stands at", ROLE_ADDRESS,
          phrase(&phrases, "0x%" PRIx64 "%s%s%s%s", write->pc,
                 write->symbol ? " " : "", write->symbol ? write->symbol : "",
                 source->file ? ", " : "", phrase_source(&phrases, source)));
    phrases_release(&phrases);
}

/* The line of /proc/PID/maps that a mapping had last, and what is in it. */
static void write_memory(const struct moment *moment, struct pane *pane)
{
    const struct view *view = moment_view(moment);
    struct event *event = find_facts(moment);
    const uint64_t *addr = pane_mapping(event);
    const struct region *region = addr ? view_region_at(view, *addr) : NULL;
    const struct protection *last = addr ? view_protection(view, *addr) : NULL;
    struct phrases phrases = {0};
    struct pen *pen = &pane->pen;
    uint64_t first, last_byte;

    pen_text(&pane->title, ROLE_HEADING, "memory for code");
    if (region) {
        entry(pen, "maps", ROLE_PLAIN,
              phrase_maps(&phrases, last ? last->maps : NULL));
        if (pages_extent(&view->pages, region->addr, region->length, &first,
                         &last_byte))
            entry(pen, "written", ROLE_PLAIN,
                  phrase(&phrases, "from +%" PRIu64 " to +%" PRIu64,
                         first - region->start, last_byte - region->start));
        else
            entry(pen, "written", ROLE_PLAIN, "nothing");
    } else {
        entry(pen, "mappings", ROLE_PLAIN,
              addr ? "none any more" : "none so far");
    }
    phrases_release(&phrases);
    event_free(event);
}

void pane_instead_of_registers(const struct moment *moment, struct pane *pane)
{
    if (moment->event->kind == EVENT_WRITE)
        write_store(moment, &moment->event->write, pane);
    else
        write_memory(moment, pane);
}

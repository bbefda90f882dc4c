/* SPDX-License-Identifier: MIT */
/*
 * Memory of files, and of what is mapped like one (memfd_create(2)).
 *
 * A JIT may map the same memory twice, to store through one mapping and to
 * execute through the other. Then a wrong access wanted the other one, and
 * mprotect is no remedy: a seal or the mode of the descriptor may forbid it.
 * A mapping may also be longer than its file. mmap(2): what lies in pages
 * behind the end of the file raises SIGBUS.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tell/explain_parts.h"

/* What a line of maps says of the file that is mapped there. */
struct mapped {
    uint64_t start;
    uint64_t offset; /* in the file, of that */
    char shared;     /* 's', or 'p': private */
    char device[24];
    uint64_t inode; /* 0: no file */
};

/* Returns false if there is no such line, or no file. */
static bool read_line(const char *maps, struct mapped *out)
{
    return maps &&
           sscanf(maps, "%" SCNx64 "-%*x %*3s%c %" SCNx64 " %23s %" SCNu64,
                  &out->start, &out->shared, &out->offset, out->device,
                  &out->inode) == 5 &&
           out->inode;
}

/* The same byte in another mapping that allows what is needed. */
static bool find_other(const struct crash *crash, uint64_t addr, unsigned needs,
                       uint64_t *other)
{
    uint64_t index = crash->index;
    const struct event *event;
    const struct region *region;
    struct mapped here, there;

    if (!read_line(crash->signal->maps, &here) || here.shared != 's')
        return false;
    while ((event = past_earlier(crash, 0, &index))) {
        if (event->kind != EVENT_MAP || !read_line(event->map.maps, &there) ||
            there.shared != 's' || there.inode != here.inode ||
            strcmp(there.device, here.device) != 0)
            continue;
        *other = there.start + (addr - here.start) + here.offset - there.offset;
        region = view_region_at(crash->view, *other);
        if (*other - event->map.addr < event->map.length && region &&
            region->prot & needs)
            return true;
    }
    return false;
}

bool note_other(struct crash *crash, uint64_t addr, unsigned needs)
{
    const char *verb = needs & PROT_EXEC ? "Call" : "Store through";
    struct mapped here;
    uint64_t other;

    if (find_other(crash, addr, needs, &other)) {
        note(crash, NEXT,
             "%s the other mapping of the same memory: this byte is at "
             "0x%" PRIx64 " there, where the page is %s. ",
             verb, other,
             phrase_prot(view_region_at(crash->view, other)->prot));
        return true;
    }
    if (!(needs & PROT_WRITE) || !read_line(crash->signal->maps, &here) ||
        here.shared != 's')
        return false;
    note(crash, NEXT,
         "This memory is shared, with a file or a memfd: mprotect allows "
         "storing only if its descriptor was opened for that and no seal "
         "forbids it (F_SEAL_WRITE, fcntl(2)). Store before it is sealed. ");
    return true;
}

bool explain_bus(struct crash *crash)
{
    const struct event_signal *signal = crash->signal;
    uint64_t addr = signal->addr.value, seq = crash->event->seq;
    bool fetches = word_is(signal->access, "execute");
    const struct event *event;
    const char *name;
    struct mapped here;

    if (!read_line(signal->maps, &here))
        return false;
    note_what(crash,
              phrase(&crash->phrases,
                     "The program %s a mapping of a file where the file has "
                     "ended",
                     fetches                            ? "executed"
                     : word_is(signal->access, "write") ? "wrote to"
                                                        : "read from"));
    note_access(crash);
    name = strchr(signal->maps, '/');
    event = past_find_at(crash, EVENT_MAP, addr);
    note(crash, WHY,
         "A page that lies behind the end of its file has no memory, though it "
         "is mapped. 0x%" PRIx64 " is byte %" PRIu64 " of %s",
         addr, addr - here.start + here.offset, name ? name : "the file");
    if (event && event->map.call) {
        seq = event->seq;
        note(crash, WHY, ", which %s%s%s (event %" PRIu64 ") mapped",
             event->map.call, event->source.file ? " at " : "",
             phrase_source(&crash->phrases, &event->source), seq);
    }
    note(crash, WHY, ". ");
    note_address(crash, &seq);
    crash->out->line[WHY].len--;
    note(crash, NEXT,
         "Make the file long enough before (ftruncate), and shorten none that "
         "is mapped. ");
    note_command(crash, seq);
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "trace/view.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/mem.h"

void view_release(struct view *view)
{
    regions_release(&view->regions);
    ranges_release(&view->pages.ranges);
    ranges_release(&view->uses.ranges);
    ranges_release(&view->protections);
    ranges_release(&view->generations);
    threads_release(&view->threads);
    buf_release(&view->output);
    ranges_release(&view->listing);
    ranges_release(&view->labels.ranges);
}

void view_copy(struct view *to, const struct view *from)
{
    *to = *from;
    regions_copy(&to->regions, &from->regions);
    ranges_copy(&to->pages.ranges, &from->pages.ranges);
    ranges_copy(&to->uses.ranges, &from->uses.ranges);
    ranges_copy(&to->protections, &from->protections);
    ranges_copy(&to->generations, &from->generations);
    threads_copy(&to->threads, &from->threads);
    ranges_copy(&to->listing, &from->listing);
    ranges_copy(&to->labels.ranges, &from->labels.ranges);
    to->output = (struct buf){0};
    buf_append(&to->output, from->output.data, from->output.len);
}

void view_fork(struct view *view, int tid, int child)
{
    threads_fork(&view->threads, tid, child);
    view->ended = false;
}

/* Another program runs: nothing is mapped, and nobody is in generated code. */
static void begin_anew(struct view *view)
{
    threads_release(&view->threads);
    regions_release(&view->regions);
    ranges_release(&view->pages.ranges);
    ranges_release(&view->uses.ranges);
    ranges_release(&view->protections);
    ranges_release(&view->generations);
    ranges_release(&view->labels.ranges);
    view->threads = (struct threads){0};
    view->regions = (struct regions){0};
    view->pages = (struct pages){0};
    view->uses = (struct uses){0};
    view->protections = view->generations = (struct ranges){0};
    view->labels = (struct labels){0};
    view->stage = STAGE_PAGE_SIZE;
}

const char *stage_name(enum stage stage)
{
    static const char *const name[STAGES] = {
        [STAGE_PAGE_SIZE] = "getpagesize",
        [STAGE_MAP] = "mmap",
        [STAGE_WRITE] = "byte writes",
        [STAGE_PROTECT] = "mprotect",
        [STAGE_CALL] = "call",
    };

    return name[stage];
}

/* --- questions ----------------------------------------------------------- */

const struct region *view_region_at(const struct view *view, uint64_t addr)
{
    return regions_at(&view->regions, addr);
}

const struct protection *view_protection(const struct view *view, uint64_t addr)
{
    return ranges_at(&view->protections, addr);
}

bool view_has_code(const struct view *view, uint64_t addr)
{
    uint64_t end = addr + INSN_MAX_LENGTH;

    return pages_next(&view->pages, addr, end) != end;
}

bool view_leads(const struct view *view, const struct insn *insn,
                uint64_t *offset)
{
    const struct region *from, *to;
    uint64_t target = insn->addr + insn->length;

    if (!insn_distance(insn))
        return false;
    from = view_region_at(view, insn->addr);
    target += (uint64_t)insn_distance(insn)->value;
    to = view_region_at(view, target);
    *offset = from ? target - from->start : 0;
    return from && to && to->start == from->start;
}

void view_name_target(const struct view *view, struct insn *insn)
{
    char *number = strstr(insn->text, "0x"), *end, rest[sizeof insn->text];
    uint64_t offset;

    if (!number || !view_leads(view, insn, &offset))
        return;
    end = number + 2 + strspn(number + 2, "0123456789abcdef");
    strcpy(rest, end);
    snprintf(number, sizeof insn->text - (size_t)(number - insn->text),
             "+%" PRIu64 "%s", offset, rest);
}

bool view_decode(const struct view *view, uint64_t addr, struct insn *insn)
{
    uint8_t bytes[INSN_MAX_LENGTH];

    pages_read(&view->pages, addr, sizeof bytes, bytes);
    if (insn_decode(bytes, sizeof bytes, addr, insn) <= 0)
        return false;
    view_name_target(view, insn);
    return true;
}

bool view_decode_step(const struct view *view, const struct event_step *step,
                      struct insn *insn)
{
    if (insn_decode(step->bytes.data, step->bytes.len, step->addr, insn) <= 0)
        return false;
    view_name_target(view, insn);
    return true;
}

/* --- what code there is -------------------------------------------------- */

struct generation view_generation(const struct view *view,
                                  const struct region *region)
{
    const struct generation *known =
        ranges_at(&view->generations, region->mapping);

    return known ? *known : (struct generation){.number = 1};
}

static void set_generation(struct view *view, const struct region *region,
                           struct generation now)
{
    struct generation *generation = range_value_new(sizeof *generation);

    now.value = generation->value;
    *generation = now;
    ranges_set(&view->generations, region->mapping, region->mapping + 1,
               &generation->value);
    range_value_drop(&generation->value);
}

/* Bytes that are news in code that was in use make it another version. */
static const struct region *changed_by(const struct view *view, uint64_t addr,
                                       struct bytes bytes)
{
    const struct region *region = regions_at(&view->regions, addr);

    return region && view_generation(view, region).in_use &&
                   !pages_hold(&view->pages, addr, bytes)
               ? region
               : NULL;
}

const struct region *view_superseded(const struct view *view,
                                     const struct event *event)
{
    uint64_t addr;
    struct bytes bytes = event_bytes(event, &addr);

    return changed_by(view, addr, bytes);
}

/* The region, if there is one, is used, or can be executed, as it is. */
static void note_use(struct view *view, const struct region *region,
                     bool in_use, bool executable)
{
    struct generation now;

    if (!region)
        return;
    now = view_generation(view, region);
    if ((!in_use || now.in_use) && (!executable || now.executable))
        return;
    now.in_use |= in_use;
    now.executable |= executable;
    set_generation(view, region, now);
}

/* Memory that an instruction accessed: of what is mapped for code, data. */
static void use_data(struct view *view, const struct mem_accesses *accesses)
{
    for (size_t i = 0; i < accesses->count; i++) {
        const struct mem_access *access = &accesses->list[i];
        size_t length = access->old_bytes.len > access->new_bytes.len
                            ? access->old_bytes.len
                            : access->new_bytes.len;

        if (view_region_at(view, access->addr))
            uses_add(&view->uses, access->addr, length, USE_DATA);
    }
}

static void use_step(struct view *view, const struct event_step *step)
{
    uses_add(&view->uses, step->addr, step->bytes.len, USE_RAN);
    use_data(view, &step->reads);
    use_data(view, &step->writes);
}

/* Bytes that are to be taken: those that ran and are others then. */
static void use_changed(struct view *view, uint64_t addr, struct bytes bytes)
{
    if (pages_hold(&view->pages, addr, bytes))
        return;
    for (size_t i = 0; i < bytes.len; i++)
        if (uses_at(&view->uses, addr + i) == USE_RAN &&
            !pages_hold(&view->pages, addr + i,
                        (struct bytes){bytes.data + i, 1}))
            uses_add(&view->uses, addr + i, 1, USE_CHANGED);
}

/* The bytes are there from now on: stored, or found by who looked. */
static void take_bytes(struct view *view, uint64_t addr, struct bytes bytes,
                       bool stored)
{
    const struct region *region = changed_by(view, addr, bytes);
    struct generation next = {0};

    if (region) {
        next.number = view_generation(view, region).number + 1;
        for (size_t i = 0; i < view->regions.count; i++)
            next.executable |=
                view->regions.list[i].mapping == region->mapping &&
                (view->regions.list[i].prot & PROT_EXEC);
        set_generation(view, region, next);
    }
    if (view->keeps_uses)
        use_changed(view, addr, bytes);
    if (stored)
        pages_write(&view->pages, addr, bytes);
    else
        pages_learn(&view->pages, addr, bytes);
}

/* --- the program's source ------------------------------------------------ */

/* The lines of all files are in one list of ranges: the number of a file, from
 * 0, is in the upper half of a line's key, its own in the lower. Each event
 * that has news brings a passage, from which its lines are read. */

/* Some lines of one file. */
struct passage {
    struct range_value value;
    int first;
    bool whole; /* as in the file, with their indentation */
    char *file; /* its name, behind the text */
    char text[];
};

static uint64_t key_of(uint64_t file, int line)
{
    return file << 32 | (uint32_t)((int64_t)line - INT_MIN);
}

/* The file's number; if it is new, the one that it would get. */
static uint64_t find_file(const struct ranges *listing, const char *name)
{
    const struct stretch *stretch;
    size_t count;
    uint64_t i = 0;

    while ((stretch = ranges_from(listing, i << 32, &count)) &&
           strcmp(((struct passage *)stretch->value)->file, name) != 0)
        i++;
    return i;
}

/* The passage that has the line, and in *text what it says; or NULL. */
static const struct passage *find_line(const struct ranges *listing,
                                       uint64_t file, int line,
                                       struct bytes *text)
{
    const struct passage *passage = ranges_at(listing, key_of(file, line));
    const char *at = passage ? passage->text : "";

    for (int i = passage ? passage->first : line; i < line; i++)
        at += strcspn(at, "\n") + 1;
    *text = (struct bytes){(const uint8_t *)at, strcspn(at, "\n")};
    return passage;
}

bool view_source_line(const struct view *view, const char *file, int line,
                      struct bytes *text)
{
    return find_line(&view->listing, find_file(&view->listing, file), line,
                     text);
}

/* Takes lines from `first` up to, but not with, `end`. */
static void put_lines(struct ranges *listing, const char *file, int first,
                      int end, const char *text, bool whole)
{
    uint64_t number = find_file(listing, file);
    size_t size = strlen(text) + 1;
    struct passage *passage =
        range_value_new(sizeof *passage + size + strlen(file) + 1);

    passage->first = first;
    passage->whole = whole;
    passage->file = strcpy(passage->text + size, file);
    memcpy(passage->text, text, size);
    ranges_set(listing, key_of(number, first), key_of(number, end),
               &passage->value);
    range_value_drop(&passage->value);
}

static void learn_source(struct ranges *listing, const struct srcline *source)
{
    const char *at = source->excerpt;
    int line = source->excerpt_line;
    struct bytes known;
    bool news = false;
    uint64_t file;

    if (!source->file)
        return;
    file = find_file(listing, source->file);
    for (; at && *at && line < INT_MAX; line++) {
        size_t len = strcspn(at, "\n");
        const struct passage *passage = find_line(listing, file, line, &known);

        news |= !passage || !passage->whole || known.len != len ||
                memcmp(known.data, at, len) != 0;
        at += len + (at[len] == '\n');
    }
    if (news)
        put_lines(listing, source->file, source->excerpt_line, line,
                  source->excerpt, true);
    if (source->text && *source->text && source->line < INT_MAX &&
        !find_line(listing, file, source->line, &known))
        put_lines(listing, source->file, source->line, source->line + 1,
                  source->text, false);
}

/* --- events -------------------------------------------------------------- */

/* The call that set the protection of that range. */
static void set_protection(struct view *view, const struct event *event,
                           uint64_t addr, uint64_t length, const char *call,
                           const char *maps)
{
    const char *texts[] = {call, maps, event->source.file};
    const char *kept[] = {NULL, NULL, NULL};
    struct protection *protection;
    size_t size = sizeof *protection;
    char *at;

    if (addr + length <= addr) /* a recording may hold any numbers */
        return;
    for (int i = 0; i < 3; i++)
        size += texts[i] ? strlen(texts[i]) + 1 : 0;
    protection = range_value_new(size);
    at = protection->texts;
    for (int i = 0; i < 3; i++) {
        if (!texts[i])
            continue;
        kept[i] = at;
        at = stpcpy(at, texts[i]) + 1;
    }
    protection->seq = event->seq;
    protection->call = kept[0];
    protection->maps = kept[1];
    protection->file = kept[2];
    protection->line = event->source.line;
    ranges_set(&view->protections, addr, addr + length, &protection->value);
    range_value_drop(&protection->value);
}

/* What was there is gone. */
static void forget(struct view *view, uint64_t addr, uint64_t length)
{
    ranges_forget(&view->pages.ranges, addr, addr + length);
    ranges_forget(&view->uses.ranges, addr, addr + length);
    ranges_forget(&view->labels.ranges, addr, addr + length);
    ranges_forget(&view->protections, addr, addr + length);
}

static void apply_protect(struct view *view, const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    const struct region *list, *region = NULL;
    uint64_t end = protect->addr + protect->length, addr;
    struct bytes code = event_bytes(event, &addr);
    size_t first = regions_cut(&view->regions, protect->addr, protect->length);

    list = view->regions.list;
    for (size_t i = first; i < view->regions.count && list[i].addr < end; i++)
        view->regions.list[i].prot = protect->prot;
    set_protection(view, event, protect->addr, protect->length, protect->call,
                   protect->maps);
    take_bytes(view, addr, code, false);
    if ((protect->prot & ~protect->old_prot & PROT_EXEC) &&
        pages_next(&view->pages, protect->addr, end) != end)
        region = view_region_at(view, protect->addr);
    note_use(view, region, true, false);
    for (size_t i = first; i < view->regions.count && list[i].addr < end; i++)
        note_use(view, &list[i], false, protect->prot & PROT_EXEC);
}

static void apply_output(struct view *view, struct bytes bytes)
{
    struct buf *output = &view->output;

    view->output_total += bytes.len;
    if (bytes.len > VIEW_OUTPUT) {
        bytes.data += bytes.len - VIEW_OUTPUT;
        bytes.len = VIEW_OUTPUT;
    }
    if (output->len + bytes.len > VIEW_OUTPUT) {
        size_t kept = VIEW_OUTPUT - bytes.len;

        memmove(output->data, output->data + output->len - kept, kept);
        output->len = kept;
    }
    buf_append(output, bytes.data, bytes.len);
}

void view_apply(struct view *view, const struct event *event)
{
    const struct event_map *map = &event->map;
    const struct event_step *step = &event->step;
    const struct event_name *name = &event->name;
    uint64_t addr;
    struct bytes bytes = event_bytes(event, &addr);

    threads_apply(&view->threads, event);
    switch (event->kind) {
    case EVENT_START:
        view->stage = STAGE_PAGE_SIZE;
        break;
    case EVENT_MAP:
        view->stage = STAGE_MAP;
        note_use(view,
                 regions_map(&view->regions, map->addr, map->length, map->prot),
                 false, map->prot & PROT_EXEC);
        forget(view, map->addr, map->length);
        set_protection(view, event, map->addr, map->length, map->call,
                       map->maps);
        break;
    case EVENT_WRITE:
        view->stage = STAGE_WRITE;
        take_bytes(view, addr, bytes, true);
        if (event->write.also.known)
            take_bytes(view, event->write.also.value, bytes, true);
        break;
    case EVENT_PROTECT:
        view->stage = STAGE_PROTECT;
        apply_protect(view, event);
        break;
    case EVENT_UNMAP:
        regions_unmap(&view->regions, event->unmap.addr, event->unmap.length);
        forget(view, event->unmap.addr, event->unmap.length);
        break;
    case EVENT_ENTER:
        view->stage = STAGE_CALL;
        take_bytes(view, addr, bytes, false);
        note_use(view, view_region_at(view, event->enter.addr), true, true);
        view->calls += word_is(event->enter.how, "call");
        break;
    case EVENT_STEP:
        /* What the CPU executed was there, whoever put it there. */
        note_use(view, view_region_at(view, step->addr), true, false);
        if (view->keeps_uses)
            use_step(view, step);
        for (size_t i = 0; i < step->bytes.len; i++)
            if (!pages_written(&view->pages, step->addr + i))
                pages_write(&view->pages, step->addr + i,
                            (struct bytes){step->bytes.data + i, 1});
        break;
    case EVENT_NAME: /* a recording may hold any numbers */
        if (name->addr + name->length <= name->addr)
            break;
        if (name->name)
            labels_add(&view->labels, name);
        else
            ranges_forget(&view->labels.ranges, name->addr,
                          name->addr + name->length);
        break;
    case EVENT_EXEC:
        begin_anew(view);
        break;
    case EVENT_OUTPUT:
        apply_output(view, event->output.bytes);
        break;
    case EVENT_EXIT:
        view->ended = true;
        break;
    default:
        break;
    }
    if (event->pages && bytes.len > 0 && event->kind != EVENT_WRITE)
        pages_share(&view->pages, event->pages, addr, bytes.len);
    learn_source(&view->listing, &event->source);
    view->applied++;
}

void view_advance(struct view *view, const struct store *store, uint64_t count)
{
    struct unpacked unpacked = {0};

    while (view->applied < count) {
        store_read(store, view->applied, &unpacked);
        view_apply(view, &unpacked.event);
    }
    unpacked_release(&unpacked);
}

/* SPDX-License-Identifier: MIT */
/*
 * Each write is kept with its chain in numbers: of the function that a frame is
 * in, of the place there (a call's, or the store's), and of the call of that
 * function, which is what has to be found out.
 *
 *     one store        emit 13   <- mov 20 <- gen 88 <- main 40
 *     the next one     emit 13   <- mov 21 <- gen 88 <- main 40
 *                      a new one    ^ the same calls of mov, gen and main
 *
 * A frame of a chain that was cut off at its outer end may be at another level
 * in the next chain, so each level of one is compared with each of the other:
 * the functions must be the same, and all places further out.
 */
#include "trace/emission.h"

#include "base/mem.h"
#include "cpu/insn.h"

#define PAGE 4096u

/* A frame of a chain, in numbers. The last three are of the call of the
 * function as a whole, up to this store. */
struct link {
    uint32_t function;
    uint32_t place;
    uint64_t call;
    uint32_t first; /* place */
    bool many;      /* it was at others */
    uint64_t bytes; /* that were stored in it */
};

struct links {
    struct link list[MAX_CHAIN];
    size_t count;
};

struct stored {
    uint64_t write;
    int tid;
    struct links links;
    struct chain chain;
};

/* The last chain of a thread. */
struct thread_chain {
    int tid;
    struct links links;
};

/* From where a function was called. */
struct function {
    uint32_t place; /* the first such place plus 1; 0: nowhere yet */
    bool is_helper; /* and from another one */
    bool generates; /* more than one instruction has room for */
    bool recurses;  /* it was called by itself */
};

/* Who has stored the bytes of a page: numbers in the list plus 1, or 0. */
struct stored_page {
    struct range_value value;
    uint32_t by[PAGE];
};

void emissions_release(struct emissions *emissions)
{
    words_release(&emissions->words);
    ranges_release(&emissions->pages);
    free(emissions->functions);
    free(emissions->list);
    free(emissions->threads);
    *emissions = (struct emissions){0};
}

/* --- chains --------------------------------------------------------------- */

size_t chain_function(const char *symbol)
{
    const char *offset = strrchr(symbol, '+');

    return offset && strncmp(offset, "+0x", 3) == 0 ? (size_t)(offset - symbol)
                                                    : strlen(symbol);
}

static bool same_line(const struct srcline *a, const struct srcline *b)
{
    return a->file && b->file && a->line == b->line &&
           strcmp(a->file, b->file) == 0;
}

/* A store in code that has no lines has that of its caller: which then is where
 * the chain begins. */
void chain_of(const struct event *event, struct chain *chain)
{
    const struct event_write *write = &event->write;
    const struct callers *via = &write->via;
    size_t i = 0;

    while (i < via->count && !via->list[i].source.file)
        i++;
    *chain = (struct chain){.count = 1};
    chain->list[0] = (struct caller){
        event->source, write->inlined ? write->inlined : write->symbol};
    if (!write->inlined && i < via->count &&
        same_line(&via->list[i].source, &event->source))
        chain->count = 0;
    else
        i = 0;
    for (; i < via->count && chain->count < MAX_CHAIN; i++)
        chain->list[chain->count++] = via->list[i];
}

void chain_of_verdict(const struct event *event, struct chain *chain)
{
    const struct event_verdict *verdict = &event->verdict;
    const struct callers *via = &verdict->via;
    uint64_t named = verdict->named.known ? verdict->named.value : 0;

    *chain = (struct chain){.count = 1};
    chain->list[0] = (struct caller){event->source, verdict->symbol};
    if (via->count > 0 && via->list[0].source.file && event->source.file &&
        same_line(&via->list[0].source, &event->source)) {
        chain->count = 0;
        named -= named > 0;
    }
    for (size_t i = 0; i < via->count && chain->count < MAX_CHAIN; i++)
        chain->list[chain->count++] = via->list[i];
    if (named < chain->count)
        chain->named_by = named;
}

/* What was inlined has no place of its own: of its caller only the line is
 * known. */
static void make_links(struct emissions *emissions, const struct chain *chain,
                       struct links *links)
{
    struct buf text = {0};
    bool exact = true;

    *links = (struct links){.count = chain->count};
    for (size_t i = 0; i < chain->count; i++) {
        const struct caller *caller = &chain->list[i];
        const char *symbol = caller->symbol ? caller->symbol : "";
        size_t length = chain_function(symbol);

        buf_clear(&text);
        buf_printf(&text, "%.*s", (int)length, symbol);
        links->list[i].function =
            words_number(&emissions->words, buf_text(&text));
        buf_printf(&text, ":%d%s", caller->source.line,
                   exact ? symbol + length : "");
        links->list[i].place = links->list[i].first =
            words_number(&emissions->words, buf_text(&text));
        exact = symbol[length] != 0;
    }
    buf_release(&text);
}

/* Functions are few among all words; what else there is stays zero. */
static struct function *function_of(struct emissions *emissions,
                                    uint32_t number)
{
    size_t count = emissions->function_count;

    if (number >= count) {
        size_t more = 2 * (size_t)number + 64;

        emissions->functions = mem_resize(emissions->functions, more,
                                          sizeof *emissions->functions);
        memset(emissions->functions + count, 0,
               (more - count) * sizeof *emissions->functions);
        emissions->function_count = more;
    }
    return &emissions->functions[number];
}

/* From where the functions were called, and how much they have stored. What
 * stores many bytes at one place only copies them. */
static void learn(struct emissions *emissions, const struct links *links)
{
    for (size_t i = 0; i < links->count; i++) {
        const struct link *link = &links->list[i];
        struct function *function = function_of(emissions, link->function);
        uint32_t place = i + 1 < links->count ? link[1].place + 1 : 0;

        function->generates |= link->many && link->bytes > INSN_MAX_LENGTH;
        if (place == 0)
            break;
        if (link[1].function == link->function)
            function->recurses = true;
        else if (function->place == 0)
            function->place = place;
        else if (function->place != place)
            function->is_helper = true;
    }
}

/* Who names a chain: the caller of the outermost helper, if its line is known.
 * A function that calls itself, through others or not, is no helper: it walks
 * through what is compiled. */
static size_t find_name(struct emissions *emissions, const struct chain *chain,
                        const struct links *links)
{
    size_t level = 0;

    for (size_t i = 0; i + 1 < chain->count; i++) {
        uint32_t number = links->list[i].function;
        const struct function *function = function_of(emissions, number);

        if (function->generates || function->recurses)
            break;
        for (size_t k = i + 1; k < links->count; k++)
            if (links->list[k].function == number)
                return level;
        if (function->is_helper && chain->list[i + 1].source.file)
            level = i + 1;
    }
    return level;
}

void emissions_name(struct emissions *emissions, struct chain *chain)
{
    struct links links;

    make_links(emissions, chain, &links);
    chain->named_by = find_name(emissions, chain, &links);
}

/* --- calls ---------------------------------------------------------------- */

/* Whether a call of one chain, at that level, may be one of the other. */
static bool is_common(const struct links *a, size_t i, const struct links *b,
                      size_t j)
{
    if (a->list[i].function != b->list[j].function)
        return false;
    while (++i < a->count && ++j < b->count)
        if (a->list[i].place != b->list[j].place)
            return false;
    return true;
}

/* The innermost call that both chains have. */
static bool find_common(const struct links *a, const struct links *b, size_t *i,
                        size_t *j)
{
    for (size_t sum = 0; sum < a->count + b->count; sum++)
        for (*i = 0; *i <= sum && *i < a->count; ++*i) {
            *j = sum - *i;
            if (*j < b->count && is_common(a, *i, b, *j))
                return true;
        }
    return false;
}

/* Gives each call of a chain that stored so many bytes its number: those it
 * shares with the chain before have theirs, the others new ones. */
static void number_calls(struct emissions *emissions,
                         const struct links *before, struct links *links,
                         uint64_t bytes)
{
    size_t i, j;

    for (size_t k = 0; k < links->count; k++) {
        links->list[k].call = ++emissions->calls;
        links->list[k].bytes = bytes;
    }
    if (!find_common(before, links, &i, &j))
        return;
    /* It is at the place where it began, and was at another one: it was called
     * again, from the same place. */
    if (links->list[j].place == before->list[i].first &&
        before->list[i].place != before->list[i].first) {
        i++;
        j++;
    }
    for (; i < before->count && j < links->count; i++, j++) {
        const struct link *same = &before->list[i];
        struct link *link = &links->list[j];

        link->call = same->call;
        link->first = same->first;
        link->many = same->many || link->place != same->first;
        link->bytes += same->bytes;
    }
}

static struct thread_chain *thread_of(struct emissions *emissions, int tid)
{
    for (size_t i = 0; i < emissions->thread_count; i++)
        if (emissions->threads[i].tid == tid)
            return &emissions->threads[i];
    emissions->threads =
        mem_grow(emissions->threads, emissions->thread_count,
                 &emissions->thread_capacity, sizeof *emissions->threads);
    emissions->threads[emissions->thread_count] =
        (struct thread_chain){.tid = tid};
    return &emissions->threads[emissions->thread_count++];
}

/* Takes a store into account, but for its bytes. */
static void take(struct emissions *emissions, const struct event *event,
                 struct chain *chain, struct links *links)
{
    struct links *before = &thread_of(emissions, event->tid)->links;

    chain_of(event, chain);
    make_links(emissions, chain, links);
    number_calls(emissions, before, links, event->write.new.len);
    learn(emissions, links);
    *before = *links;
}

void emissions_learn(struct emissions *emissions, const struct event *event)
{
    struct chain chain;
    struct links links;

    if (event->kind == EVENT_WRITE && !event->write.by)
        take(emissions, event, &chain, &links);
}

/* The texts become those of the words. */
static void keep_texts(struct emissions *emissions, struct chain *chain)
{
    struct words *words = &emissions->words;

    for (size_t i = 0; i < chain->count; i++) {
        const char **texts[] = {&chain->list[i].source.file,
                                &chain->list[i].source.text,
                                &chain->list[i].symbol};

        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            if (*texts[k])
                *texts[k] = words_text(words, words_number(words, *texts[k]));
        chain->list[i].source.excerpt = NULL;
        chain->list[i].source.excerpt_line = 0;
    }
}

/* --- bytes ---------------------------------------------------------------- */

static uint32_t *stored_by(const struct emissions *emissions, uint64_t addr)
{
    struct stored_page *page = ranges_at(&emissions->pages, addr);

    return page ? &page->by[addr % PAGE] : NULL;
}

static void set_stored(struct emissions *emissions, uint64_t addr,
                       uint64_t length, uint32_t by)
{
    for (uint64_t i = 0; i < length; i++) {
        uint64_t start = addr + i - (addr + i) % PAGE;
        uint32_t *at = stored_by(emissions, addr + i);

        if (!at && start + PAGE > start) {
            struct stored_page *page = range_value_new(sizeof *page);

            ranges_set(&emissions->pages, start, start + PAGE, &page->value);
            range_value_drop(&page->value);
            at = &page->by[(addr + i) % PAGE];
        }
        if (at)
            *at = by;
    }
}

static void apply_write(struct emissions *emissions, const struct event *event)
{
    const struct event_write *write = &event->write;
    struct stored *stored;
    uint32_t number = 0;

    if (!write->by && emissions->count < UINT32_MAX) {
        emissions->list = mem_grow(emissions->list, emissions->count,
                                   &emissions->capacity, sizeof *stored);
        stored = &emissions->list[emissions->count++];
        *stored =
            (struct stored){.write = emissions->applied, .tid = event->tid};
        take(emissions, event, &stored->chain, &stored->links);
        keep_texts(emissions, &stored->chain);
        number = (uint32_t)emissions->count;
    }
    set_stored(emissions, write->addr, write->new.len, number);
    if (write->also.known)
        set_stored(emissions, write->also.value, write->new.len, number);
}

void emissions_apply(struct emissions *emissions, const struct event *event)
{
    const struct event_unmap *gone = &event->unmap;
    const struct event_map *map = &event->map;

    if (emissions->applied == 0) /* what was learned is over */
        emissions->thread_count = 0;
    if (event->kind == EVENT_WRITE)
        apply_write(emissions, event);
    else if (event->kind == EVENT_MAP)
        ranges_forget(&emissions->pages, map->addr, map->addr + map->length);
    else if (event->kind == EVENT_UNMAP)
        ranges_forget(&emissions->pages, gone->addr, gone->addr + gone->length);
    emissions->applied++;
}

static const struct stored *stored_at(const struct emissions *emissions,
                                      uint64_t addr)
{
    const uint32_t *by = stored_by(emissions, addr);

    return by && *by ? &emissions->list[*by - 1] : NULL;
}

/* An emission's number: twice that of a call, and one more if it is only what
 * the function has stored itself. */
static uint64_t id_of(const struct link *link, bool itself)
{
    return 2 * link->call + itself;
}

static bool is_of(const struct emissions *emissions, uint64_t addr, uint64_t id)
{
    const struct stored *stored = stored_at(emissions, addr);

    if (stored && id % 2 == 1)
        return id_of(stored->links.list, true) == id;
    for (size_t i = 0; stored && i < stored->links.count; i++)
        if (id_of(&stored->links.list[i], false) == id)
            return true;
    return false;
}

/* Tells of the byte at addr, as one of that emission. */
static void tell(struct emissions *emissions, uint64_t addr, uint64_t id,
                 struct emission *out)
{
    const struct stored *stored = stored_at(emissions, addr);

    *out = (struct emission){.id = id,
                             .from = addr,
                             .to = addr + 1,
                             .write = stored->write,
                             .tid = stored->tid,
                             .chain = stored->chain};
    out->chain.named_by = find_name(emissions, &stored->chain, &stored->links);
    while (is_of(emissions, out->from - 1, id))
        out->from--;
    while (is_of(emissions, out->to, id))
        out->to++;
}

bool emissions_at(struct emissions *emissions, uint64_t addr,
                  struct emission *out)
{
    const struct stored *stored = stored_at(emissions, addr);
    size_t level;

    if (!stored)
        return false;
    level = find_name(emissions, &stored->chain, &stored->links);
    tell(emissions, addr,
         id_of(&stored->links.list[level > 0 ? level - 1 : 0], level == 0),
         out);
    return true;
}

/* The level in each of the innermost call that they were both made in. */
static bool find_shared(const struct links *a, const struct links *b, size_t *i,
                        size_t *j)
{
    for (*i = 0; *i < a->count; ++*i)
        for (*j = 0; *j < b->count; ++*j)
            if (a->list[*i].call == b->list[*j].call)
                return true;
    return false;
}

/* Whether the call at that level has stored the bytes itself, by what else was
 * inlined into it. */
static bool is_own(const struct stored *stored, size_t level)
{
    for (size_t i = 0; i < level; i++) {
        const char *symbol = stored->chain.list[i].symbol;

        if (!symbol || symbol[chain_function(symbol)] != 0)
            return false;
    }
    return true;
}

bool emissions_apart(const struct emissions *emissions, uint64_t addr,
                     uint64_t other)
{
    const struct stored *a = stored_at(emissions, addr);
    const struct stored *b = stored_at(emissions, other);
    size_t i, j;

    return a && b &&
           (!find_shared(&a->links, &b->links, &i, &j) ||
            (!is_own(a, i) && !is_own(b, j)));
}

bool emissions_cut(struct emissions *emissions, uint64_t addr, uint64_t length,
                   struct emission *begun, struct emission *cut)
{
    uint64_t last = addr + length - 1;
    const struct stored *one = stored_at(emissions, addr);
    const struct stored *other = stored_at(emissions, last);
    size_t i, j;

    if (!emissions_apart(emissions, addr, last) ||
        !find_shared(&one->links, &other->links, &i, &j))
        return false;
    tell(emissions, addr, id_of(&one->links.list[i - 1], false), begun);
    tell(emissions, last, id_of(&other->links.list[j - 1], false), cut);
    return cut->from > addr && cut->to > addr + length;
}

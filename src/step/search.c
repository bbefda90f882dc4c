/* SPDX-License-Identifier: MIT */
#include "step/search.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tell/tell.h"

void search_set(struct search *search, const char *text)
{
    static const unsigned bits[] = {64, 32, 16, 8, 8};
    char *copy = mem_copy_text(text + strspn(text, " \t")), *end;
    bool prefixed = strncasecmp(copy, "0x", 2) == 0;
    const char *digits = prefixed ? copy + 2 : copy;
    size_t len = strlen(copy);
    struct buf name = {0};

    while (len > 0 && strchr(" \t", copy[len - 1]))
        copy[--len] = 0;
    free(search->text);
    *search =
        (struct search){.text = copy, .reg = REG_NONE, .flag = flag_find(copy)};
    /* Of a register, or of a part of one: eax, ax, al, ah. */
    for (enum reg reg = 0; reg < REG_COUNT; reg++)
        for (size_t i = 0; i < 5; i++) {
            buf_clear(&name);
            reg_part_name(reg, bits[i], i == 4, &name);
            if (strcasecmp(buf_text(&name), copy) == 0)
                search->reg = reg;
        }
    buf_release(&name);

    len = strspn(digits, "0123456789abcdefABCDEF");
    errno = 0;
    search->addr = strtoull(digits, NULL, 16);
    if (!digits[len] && len >= (prefixed ? 1 : 8) && !errno) {
        search->kind = SEARCH_ADDRESS; /* a short one is a word */
    } else if (strncasecmp(copy, "code[", 5) == 0 &&
               isdigit((unsigned char)copy[5])) {
        errno = 0;
        search->addr = strtoull(copy + 5, &end, 10);
        if (strcmp(end, "]") == 0 && !errno)
            search->kind = SEARCH_OFFSET;
    } else if (search->flag) {
        search->kind = SEARCH_FLAG;
    } else if (search->reg != REG_NONE) {
        search->kind = SEARCH_REGISTER;
    }
}

static bool in(uint64_t addr, uint64_t start, uint64_t length)
{
    return addr - start < length;
}

static bool is(uint64_t addr, struct opt_u64 value)
{
    return value.known && value.value == addr;
}

static bool accesses(const struct mem_accesses *list, uint64_t addr)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct mem_access *access = &list->list[i];

        if (access->addr == addr ||
            in(addr, access->addr, access->old_bytes.len) ||
            in(addr, access->addr, access->new_bytes.len))
            return true;
    }
    return false;
}

static bool names_address(const struct event *event, uint64_t addr)
{
    const struct event_step *step = &event->step;

    switch (event->kind) {
    case EVENT_START:
        return event->start.entry == addr;
    case EVENT_MAP:
        return in(addr, event->map.addr, event->map.length);
    case EVENT_WRITE:
        return in(addr, event->write.addr, event->write.new.len) ||
               event->write.pc == addr;
    case EVENT_PROTECT:
        return in(addr, event->protect.addr, event->protect.length);
    case EVENT_UNMAP:
        return in(addr, event->unmap.addr, event->unmap.length);
    case EVENT_REFUSED:
        return is(addr, event->refused.addr);
    case EVENT_INJECTED:
        return is(addr, event->injected.addr);
    case EVENT_ENTER:
        return event->enter.addr == addr || is(addr, event->enter.return_to);
    case EVENT_STEP:
        /* Where it leads counts only where that is not simply what follows. */
        return in(addr, step->addr, step->bytes.len) ||
               accesses(&step->reads, addr) || accesses(&step->writes, addr) ||
               (step->next == addr && addr != step->addr + step->bytes.len);
    case EVENT_LEAVE:
        return event->leave.to == addr;
    case EVENT_NAME:
        return in(addr, event->name.addr, event->name.length);
    case EVENT_SIGNAL:
        return is(addr, event->signal.addr) || is(addr, event->signal.pc);
    case EVENT_LIMIT:
        return is(addr, event->limit.addr);
    default:
        return false;
    }
}

/* What the event says of a register, or NULL. */
static const struct reg_change *change_of(const struct event *event,
                                          enum reg reg)
{
    const struct reg_changes *regs = &event->step.regs;

    for (size_t i = 0; event->kind == EVENT_STEP && i < regs->count; i++)
        if (regs->list[i].reg == reg)
            return &regs->list[i];
    return NULL;
}

/*
 * What the program changed since the last step shows when it enters again. The
 * events before are asked, as far back as the last enter: to ask for the state
 * before it would be to build that up anew for each, if the search goes back.
 */
static bool changes(struct history *history, uint64_t seq, enum reg reg)
{
    const struct event *event = history_event(history, seq);
    const struct reg_change *change = change_of(event, reg);
    int tid = event->tid;
    uint64_t value;

    if (event->kind == EVENT_STEP)
        return change ||
               (reg == REG_PC && event->step.next != event->step.addr);
    if (event->kind != EVENT_ENTER)
        return false;
    value = event->enter.regs.value[reg];
    while (seq-- > 0) {
        event = history_event(history, seq);
        if (event->tid != tid)
            continue;
        if (event->kind == EVENT_ENTER)
            return event->enter.regs.value[reg] != value;
        if (event->kind == EVENT_STEP && reg == REG_PC)
            return event->step.next != value;
        change = change_of(event, reg);
        if (change)
            return change->new_value != value;
    }
    return true;
}

bool search_finds(const struct search *search, struct history *history,
                  uint64_t seq)
{
    const struct event *event = history_event(history, seq);
    const struct reg_change *flags = change_of(event, REG_FLAGS);
    const char *text, *at;

    switch (search->kind) {
    case SEARCH_ADDRESS:
        return names_address(event, search->addr);
    case SEARCH_OFFSET: /* within a region */
        if (event->kind == EVENT_WRITE)
            return in(search->addr, event->write.offset, event->write.new.len);
        if (event->kind == EVENT_STEP)
            return in(search->addr, event->step.offset, event->step.bytes.len);
        return event->kind == EVENT_ENTER &&
               event->enter.offset == search->addr;
    case SEARCH_FLAG:
        return flags && (flags->old_value ^ flags->new_value) & search->flag;
    case SEARCH_REGISTER:
        return changes(history, seq, search->reg);
    default:
        break;
    }
    /* At the beginning of a word. */
    text = at = search->text ? tell_searched(event) : NULL;
    for (; at && (at = strcasestr(at, search->text)); at++)
        if (at == text || !isalnum((unsigned char)at[-1]) ||
            !isalnum((unsigned char)*search->text))
            return true;
    return false;
}

bool search_changed(const struct search *search, struct history *history,
                    uint64_t seq)
{
    const struct event *event = history_event(history, seq);
    const struct mem_accesses *writes = &event->step.writes;

    if (search->kind == SEARCH_FLAG || search->kind == SEARCH_REGISTER)
        return search_finds(search, history, seq);
    if (event->kind == EVENT_WRITE)
        return search->kind == SEARCH_OFFSET
                   ? in(search->addr, event->write.offset, event->write.new.len)
                   : in(search->addr, event->write.addr, event->write.new.len);
    for (size_t i = 0; event->kind == EVENT_STEP && i < writes->count; i++)
        if (search->kind == SEARCH_ADDRESS &&
            in(search->addr, writes->list[i].addr,
               writes->list[i].new_bytes.len))
            return true;
    return false;
}

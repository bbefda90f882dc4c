/* SPDX-License-Identifier: MIT */
/*
 * The words that explanations are made of.
 */
#include "tell/explain_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tell/hexdump.h"
#include "cpu/effect.h"

#define NAMES_WIDTH 7u /* "where" and two blanks */

void explanation_release(struct explanation *explanation)
{
    for (int i = 0; i < EXPLAIN_LINES; i++)
        buf_release(&explanation->line[i]);
}

void explanation_write(struct explanation *explanation, struct pen *pen,
                       unsigned indent)
{
    static const char *const names[EXPLAIN_LINES] = {"what", "where", "why",
                                                     "next"};

    for (int i = 0; i < EXPLAIN_LINES; i++) {
        pen_column(pen, indent);
        pen_text(pen, ROLE_HEADING, names[i]);
        pen_column(pen, indent + NAMES_WIDTH);
        pen_words(pen, i == EXPLAIN_WHAT ? ROLE_WARNING : ROLE_PLAIN,
                  indent + NAMES_WIDTH, buf_text(&explanation->line[i]));
    }
}

void note(const struct crash *crash, enum explain_line line, const char *format,
          ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(&crash->out->line[line], format, args);
    va_end(args);
}

void note_code(const struct crash *crash, enum explain_line line, uint64_t addr)
{
    const struct region *region = view_region_at(crash->view, addr);

    if (region && region->start == crash->base)
        note(crash, line, "code[%" PRIu64 "]", addr - crash->base);
    else
        note(crash, line, "0x%" PRIx64, addr);
}

void note_insn(const struct crash *crash, enum explain_line line,
               const struct insn *insn)
{
    const struct insn_operand *target = &insn->operands[0];

    if (insn->length == 0) {
        note(crash, line, "an instruction");
    } else if (insn->kind >= INSN_CALL && insn->kind <= INSN_BRANCH &&
               insn->operand_count && target->kind == OPERAND_IMMEDIATE &&
               insn->kind != INSN_RETURN) {
        note(crash, line, "%s ", insn->mnemonic);
        note_code(crash, line, (uint64_t)target->immediate);
    } else {
        note(crash, line, "%s", insn->text);
    }
}

void note_seen(const struct crash *crash, enum explain_line line,
               const struct seen *seen)
{
    note_insn(crash, line, &seen->insn);
    note(crash, line, " at ");
    note_code(crash, line, seen->insn.addr);
    note(crash, line, " (event %" PRIu64 ")", seen->seq);
}

void note_reg(const struct crash *crash, enum explain_line line, enum reg reg)
{
    note(crash, line, "%s = ", reg_name(reg));
    value_describe(crash->regs.value[reg], 64, &crash->out->line[line]);
}

/* Which argument of a call the register is: 1, 2 ... or 0. */
static int argument_number(enum reg reg)
{
    for (int i = 0; i < REG_ARGUMENTS; i++)
        if (reg_argument[i] == reg)
            return i + 1;
    return 0;
}

void note_reg_origin(const struct crash *crash, enum explain_line line,
                     enum reg reg, uint64_t index)
{
    struct seen seen;
    struct entry entry;
    int argument = argument_number(reg);

    if (past_find_change(crash, reg, index, &seen, &entry)) {
        note(crash, line, ", set by ");
        note_seen(crash, line, &seen);
    } else if (entry.known) {
        note(crash, line, ", as it was when control came in (event %" PRIu64,
             entry.seq);
        if (*entry.place)
            note(crash, line, ", %s", entry.place);
        note(crash, line, ")");
        if (argument)
            note(crash, line, ": argument %d, if there are so many", argument);
    }
}

void note_signal(const struct crash *crash)
{
    note(crash, EXPLAIN_WHAT, " (signal %d%s%s).", (int)crash->signal->number,
         crash->signal->name ? " " : "",
         crash->signal->name ? crash->signal->name : "");
}

void note_bytes(const struct crash *crash, enum explain_line line,
                struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        note(crash, line, "%s%02x", i ? " " : "", bytes.data[i]);
}

void source_place(const struct event *event, char *out, size_t size)
{
    *out = 0;
    if (event->source.file)
        snprintf(out, size, "%s:%d", event->source.file, event->source.line);
}

void note_place(const struct crash *crash)
{
    const struct srcline *source = &crash->event->source;
    enum explain_line line = EXPLAIN_WHERE;

    if (crash->insn.length) {
        note_insn(crash, line, &crash->insn);
        note(crash, line, " at ");
    }
    if (crash->code) {
        note_code(crash, line, crash->pc);
        if (crash->code->start == crash->base)
            note(crash, line, " (0x%" PRIx64 ")", crash->pc);
    } else {
        note(crash, line, "0x%" PRIx64, crash->pc);
    }
    if (crash->insn.length || crash->bytes.len) {
        note(crash, line, ", bytes ");
        note_bytes(crash, line,
                   crash->insn.length
                       ? (struct bytes){crash->insn.bytes, crash->insn.length}
                       : crash->bytes);
    }
    if (source->file && !crash->signal->return_to.known) {
        note(crash, line, ", ");
        note_source(crash, line);
    }
}

void note_source(const struct crash *crash, enum explain_line line)
{
    const struct srcline *source = &crash->event->source;

    note(crash, line, "%s:%d", source->file, source->line);
    if (source->text)
        note(crash, line, " `%s`", source->text);
}

/* Behind the addresses and the protection of a line of maps, what it is. */
static const char *maps_name(const char *maps)
{
    const char *name = strchr(maps, '[');

    return name ? name : strchr(maps, '/');
}

/* Which call made a page what it is. */
static void note_origin(const struct crash *crash, enum explain_line line,
                        const struct region_origin *origin)
{
    if (!origin->call)
        return;
    note(crash, line, ", made so by %s", origin->call);
    if (origin->file)
        note(crash, line, " at %s:%d", origin->file, origin->line);
    note(crash, line, " (event %" PRIu64 ")", origin->seq);
}

void note_maps(const struct crash *crash, enum explain_line line,
               const char *maps)
{
    for (; maps && *maps; maps++)
        if (maps[0] != ' ' || maps[1] != ' ')
            note(crash, line, "%c", *maps);
}

void note_protection(const struct crash *crash, enum explain_line line,
                     uint64_t addr)
{
    const struct region *region = view_region_at(crash->view, addr);
    const char *maps = crash->signal->maps;
    char prot[4];

    if (region) {
        prot_text(region->prot, prot);
        note(crash, line, "the page is %s", prot);
        note_origin(crash, line, &region->origin);
    } else if (maps && strchr(maps, ' ')) {
        note(crash, line, "the page is %.3s", strchr(maps, ' ') + 1);
        if (maps_name(maps))
            note(crash, line, " and belongs to %s", maps_name(maps));
    } else {
        note(crash, line, "the page does not allow it");
    }
}

void note_unmapped(const struct crash *crash, enum explain_line line,
                   uint64_t addr)
{
    const char *nearest = crash->signal->nearest;
    struct buf call = {0};
    uint64_t seq;

    if (addr < 4096)
        note(crash, line, "the first page of memory is never mapped");
    else
        note(crash, line, "nothing is mapped");
    if (past_find_unmap(crash, addr, &seq, &call))
        note(crash, line, ", since %s took it away (event %" PRIu64 ")",
             buf_text(&call), seq);
    else if (nearest && addr >= 65536) {
        note(crash, line, "; the nearest is ");
        note_maps(crash, line, nearest);
    }
    buf_release(&call);
}

/* Whether a shell takes the word as it is. */
static bool is_plain(const char *word)
{
    return *word &&
           strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-_./=+:,@%") == strlen(word);
}

/*
 * What makes `jittrace --step` start that program: "--" before a command, or
 * "--lesson" before a lesson of jittrace's own, which is a file in memory of
 * its name, or a temporary one (see target/launch.c). NULL for another file in
 * memory: nothing can start it.
 */
static const char *way_to_start(const struct event *start)
{
    const char *exe = start->start.exe, *name = start->start.argv.list[0];
    const char *temporary = exe ? strstr(exe, "/jittrace-") : NULL;
    size_t len = strlen(name);
    bool in_memory = exe && strncmp(exe, "/memfd:", 7) == 0;

    if (!in_memory && !temporary)
        return "--";
    exe = in_memory ? exe + 7 : strrchr(exe, '/') + 1;
    return strncmp(exe, name, len) == 0 && strcmp(exe + len, " (deleted)") == 0
               ? "--lesson"
           : in_memory ? NULL
                       : "--";
}

/* The program as a reader can start it again, if that is short. */
static bool append_program(const struct crash *crash, struct buf *out)
{
    const struct event *start =
        crash->past->count ? crash->past->event(crash->past->from, 0) : NULL;
    size_t begin = out->len;

    if (!start || start->kind != EVENT_START || !start->start.argv.count)
        return false;
    if (!way_to_start(start))
        return false;
    buf_append_text(out, way_to_start(start));
    for (size_t i = 0; i < start->start.argv.count; i++) {
        if (!is_plain(start->start.argv.list[i])) {
            out->len = begin;
            return false;
        }
        buf_printf(out, " %s", start->start.argv.list[i]);
    }
    return out->len - begin <= 50;
}

void note_command(const struct crash *crash, enum explain_line line,
                  uint64_t seq)
{
    struct buf program = {0};

    if (crash->past->can_go) {
        note(crash, line, "`g %" PRIu64 "` shows", seq);
        return;
    }
    if (append_program(crash, &program))
        note(crash, line, "`jittrace --step %s`", buf_text(&program));
    else
        note(crash, line, "jittrace --step");
    note(crash, line, ", then `g %" PRIu64 "`, shows", seq);
    buf_release(&program);
}

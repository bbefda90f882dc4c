/* SPDX-License-Identifier: MIT */
/*
 * The words that explanations are made of.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "tell/explain_parts.h"

#define NAMES_WIDTH   7u  /* "where" and two blanks */
#define COMMAND_SHOWN 50u /* bytes of a command line, at most */

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
        pen_words(pen, i == WHAT ? ROLE_WARNING : ROLE_PLAIN,
                  indent + NAMES_WIDTH, buf_text(&explanation->line[i]));
    }
}

void note(struct crash *crash, enum explain_line line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(&crash->out->line[line], format, args);
    va_end(args);
}

const char *words_code(struct crash *crash, uint64_t addr)
{
    const struct region *region = view_region_at(crash->view, addr);

    return region && region->start == crash->base
               ? phrase_place(&crash->phrases, addr - crash->base, 1)
               : phrase_hex(&crash->phrases, addr);
}

const char *words_insn(struct crash *crash, const struct insn *insn)
{
    const struct insn_operand *target = &insn->operands[0];

    if (insn->length == 0)
        return "an instruction";
    if (insn->kind >= INSN_CALL && insn->kind <= INSN_BRANCH &&
        insn->kind != INSN_RETURN && insn->operand_count &&
        target->kind == OPERAND_IMMEDIATE)
        return phrase(&crash->phrases, "%s %s", insn->mnemonic,
                      words_code(crash, (uint64_t)target->immediate));
    return phrase(&crash->phrases, "%s", insn->text);
}

const char *words_seen(struct crash *crash, const struct seen *seen)
{
    return phrase(&crash->phrases, "%s at %s (event %" PRIu64 ")",
                  words_insn(crash, &seen->insn),
                  words_code(crash, seen->insn.addr), seen->seq);
}

const char *words_reg(struct crash *crash, enum reg reg)
{
    return phrase(&crash->phrases, "%s = %s", reg_name(reg),
                  phrase_value(&crash->phrases, crash->regs.value[reg]));
}

const char *words_origin(struct crash *crash, enum reg reg, uint64_t index,
                         uint64_t *seq)
{
    const struct event *event = past_find_change(crash, reg, &index);
    struct phrases *phrases = &crash->phrases;
    const char *place, *which = "";
    struct seen seen;

    if (!event)
        return "";
    if (seq)
        *seq = event->seq;
    if (event->kind == EVENT_STEP) {
        seen_from(event, index, &seen);
        return phrase(phrases, ", set by %s", words_seen(crash, &seen));
    }
    for (int i = 0; i < REG_ARGUMENTS; i++)
        if (reg_argument[i] == reg)
            which =
                phrase(phrases, ": argument %d, if there are so many", i + 1);
    place = phrase_source(phrases, &event->source);
    return phrase(phrases,
                  ", as it was when control came in (event %" PRIu64 "%s%s)%s",
                  event->seq, *place ? ", " : "", place, which);
}

const char *words_source(struct crash *crash)
{
    const struct srcline *source = &crash->event->source;
    const char *place = phrase_source(&crash->phrases, source);

    return source->text
               ? phrase(&crash->phrases, "%s `%s`", place, source->text)
               : place;
}

void note_what(struct crash *crash, const char *what)
{
    note(crash, WHAT, "%s (signal %s).", what,
         phrase_signal(&crash->phrases, crash->signal->number,
                       crash->signal->name));
}

void note_place(struct crash *crash)
{
    const struct insn *insn = &crash->insn;
    struct bytes bytes = crash->bytes;

    if (insn->length) {
        bytes = (struct bytes){insn->bytes, insn->length};
        note(crash, WHERE, "%s at ", words_insn(crash, insn));
    }
    note(crash, WHERE, "%s", words_code(crash, crash->pc));
    if (crash->code && crash->code->start == crash->base)
        note(crash, WHERE, " (0x%" PRIx64 ")", crash->pc);
    if (bytes.len)
        note(crash, WHERE, ", bytes %s", phrase_bytes(&crash->phrases, bytes));
    if (crash->event->source.file && !crash->signal->return_to.known)
        note(crash, WHERE, ", %s", words_source(crash));
}

const char *words_maps(struct crash *crash, const char *maps)
{
    struct buf line = {0};

    for (; maps && *maps; maps++)
        if (maps[0] != ' ' || maps[1] != ' ')
            buf_append(&line, maps, 1);
    return phrase_of(&crash->phrases, &line);
}

static const char *words_unmapped(struct crash *crash, uint64_t addr)
{
    const char *nearest = crash->signal->nearest;
    struct phrases *phrases = &crash->phrases;
    const char *what = addr < 4096 ? "the first page of memory is never mapped"
                                   : "nothing is mapped";
    const struct event *event = past_find_at(crash, EVENT_UNMAP, addr);

    if (event)
        return phrase(phrases,
                      "%s, since %s%s%s took it away (event %" PRIu64 ")", what,
                      event->unmap.call ? event->unmap.call : "the program",
                      event->source.file ? " at " : "",
                      phrase_source(phrases, &event->source), event->seq);
    return nearest && addr >= LOWEST ? phrase(phrases, "%s; the nearest is %s",
                                              what, words_maps(crash, nearest))
                                     : what;
}

const char *words_page(struct crash *crash, uint64_t addr)
{
    const struct region *region = view_region_at(crash->view, addr);
    const char *maps = crash->signal->maps, *prot, *name, *at = "";
    struct phrases *phrases = &crash->phrases;
    const struct protection *origin;

    if (region) {
        origin = view_protection(crash->view, region->addr);
        prot = phrase_prot(phrases, region->prot);
        if (!origin || !origin->call)
            return phrase(phrases, "the page is %s", prot);
        if (origin->file)
            at = phrase(phrases, " at %s:%d", origin->file, origin->line);
        return phrase(phrases,
                      "the page is %s, made so by %s%s (event %" PRIu64 ")",
                      prot, origin->call, at, origin->seq);
    }
    if (!maps)
        return words_unmapped(crash, addr);
    prot = strchr(maps, ' ');
    if (!prot)
        return "the page does not allow it";
    /* Behind the addresses and the protection, what it is. */
    name = strchr(maps, '[') ? strchr(maps, '[') : strchr(maps, '/');
    return phrase(phrases, "the page is %.3s%s%s", prot + 1,
                  name ? " and belongs to " : "", name ? name : "");
}

/*
 * What makes `jittrace --step` start that program: "--" before a command, or
 * "--lesson" before a lesson of jittrace's own, which is a file in memory of
 * its name, or a temporary one (see target/launch.c). NULL for another file in
 * memory: nothing can start it.
 */
static const char *way_to_start(const struct event_start *start)
{
    const char *exe = start->exe, *name = start->argv.list[0];
    const char *temporary = exe ? strstr(exe, "/jittrace-") : NULL;
    bool in_memory = exe && strncmp(exe, "/memfd:", 7) == 0;
    size_t len = strlen(name);

    if (!in_memory && !temporary)
        return "--";
    exe = in_memory ? exe + 7 : strrchr(exe, '/') + 1;
    if (strncmp(exe, name, len) == 0 && strcmp(exe + len, " (deleted)") == 0)
        return "--lesson";
    return in_memory ? NULL : "--";
}

/* The program as a reader can start it again, if that is short and a shell
 * takes the words as they are. */
static bool append_program(const struct event_start *start, struct buf *out)
{
    const char *way = start->argv.count ? way_to_start(start) : NULL;

    if (!way)
        return false;
    buf_append_text(out, way);
    for (size_t i = 0; i < start->argv.count; i++) {
        const char *word = start->argv.list[i];

        if (!*word || word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_./=+:,@%")])
            return false;
        buf_printf(out, " %s", word);
    }
    return out->len <= COMMAND_SHOWN;
}

const char *words_command(struct crash *crash, uint64_t seq)
{
    const struct past *past = crash->past;
    const struct event *start = past->count ? past->event(past->from, 0) : NULL;
    struct buf program = {0};
    const char *text;

    if (past->can_go)
        return phrase(&crash->phrases, "`g %" PRIu64 "` shows", seq);
    if (start && start->kind == EVENT_START &&
        append_program(&start->start, &program))
        text = phrase(&crash->phrases,
                      "`jittrace --step %s`, then `g %" PRIu64 "`, shows",
                      buf_text(&program), seq);
    else
        text = phrase(&crash->phrases,
                      "jittrace --step, then `g %" PRIu64 "`, shows", seq);
    buf_release(&program);
    return text;
}

/* SPDX-License-Identifier: MIT */
#include "format/flips.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "format/json_fields.h"
#include "tell/pen.h"
#include "trace/sink.h"

static const char *const words[] = {
    [FLIP_HARMLESS] = "harmless", [FLIP_RESULT] = "result",
    [FLIP_STATUS] = "status",     [FLIP_HANGS] = "hangs",
    [FLIP_CRASHES] = "crashes",   [FLIP_NOT_KNOWN] = "not known",
};

/* The columns: right edges of the counts, and where signals begin. */
#define BITS    26u
#define CRASHES 61u
static const unsigned edges[] = {[FLIP_HARMLESS] = 36,
                                 [FLIP_RESULT] = 44,
                                 [FLIP_STATUS] = 52,
                                 [FLIP_HANGS] = 59};

/* "REX W", "ModRM rm", "imm 7..0" */
static void name_part(const struct flip *flip, struct buf *out)
{
    const struct insn_field *field = &flip->insn->fields[flip->part.field];

    if (strcmp(flip->part.label, "opcode") != 0 &&
        field->kind != FIELD_IMMEDIATE && field->kind != FIELD_DISPLACEMENT &&
        field->kind != FIELD_PREFIX) {
        field_name(field, out);
        buf_append_text(out, " ");
    }
    buf_append_text(out, flip->part.label);
}

static bool same_part(const struct flip *a, const struct flip *b)
{
    return a->insn == b->insn && a->part.byte == b->part.byte &&
           a->part.high == b->part.high;
}

static void signal_word(int64_t signal, struct buf *out)
{
    const char *name = signal_name((int)signal);

    if (name)
        buf_append_text(out, name);
    else
        buf_printf(out, "signal %" PRId64, signal);
}

/* Writes a word, or a number, that ends at an edge. */
static void right(struct pen *pen, enum role role, unsigned edge,
                  const char *text)
{
    pen_column(pen, edge - (unsigned)strlen(text));
    pen_text(pen, role, text);
}

static void right_count(struct pen *pen, unsigned edge, size_t count)
{
    char text[24];

    snprintf(text, sizeof text, count ? "%zu" : ".", count);
    right(pen, count ? ROLE_RESULT : ROLE_NOTE, edge, text);
}

/* "3 SIGSEGV  1 SIGILL" */
static void crashes(struct pen *pen, const struct flip *from,
                    const struct flip *to)
{
    size_t counts[65] = {0}, unknown = 0;
    bool some = false;

    for (; from < to; from++) {
        unknown += from->outcome == FLIP_NOT_KNOWN;
        if (from->outcome == FLIP_CRASHES && from->signal > 0 &&
            from->signal < 65)
            counts[from->signal]++;
    }
    counts[0] = unknown;
    pen_column(pen, CRASHES);
    for (int i = 64; i >= 0; i--) {
        struct buf word = {0};

        if (!counts[i])
            continue;
        buf_printf(&word, "%zu ", counts[i]);
        if (i > 0)
            signal_word(i, &word);
        else
            buf_append_text(&word, words[FLIP_NOT_KNOWN]);
        if (some)
            pen_item(pen, CRASHES, word.len);
        some = true;
        pen_text(pen, ROLE_WARNING, buf_text(&word));
        buf_release(&word);
    }
    if (!some)
        pen_text(pen, ROLE_NOTE, ".");
    pen_end(pen);
}

static void row(struct pen *pen, const char *name, const struct flip *from,
                const struct flip *to)
{
    size_t counts[FLIP_OUTCOMES] = {0};

    for (const struct flip *flip = from; flip < to; flip++)
        counts[flip->outcome]++;
    pen_text(pen, ROLE_PLAIN, name);
    right_count(pen, BITS, (size_t)(to - from));
    for (int i = FLIP_HARMLESS; i <= FLIP_HANGS; i++)
        right_count(pen, edges[i], counts[i]);
    crashes(pen, from, to);
}

/* Words with a number in them, over as many lines as it takes. */
static void sentence(struct pen *pen, enum role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void sentence(struct pen *pen, enum role role, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    pen_words(pen, role, 0, buf_text(&text));
    buf_release(&text);
}

static void heading(struct pen *pen, size_t runs)
{
    sentence(
        pen, ROLE_PLAIN,
        "What became of %zu runs, each with one bit of the code turned over "
        "before its first call:",
        runs);
    pen_blank(pen);
    right(pen, ROLE_HEADING, BITS, "bits");
    for (int i = FLIP_HARMLESS; i <= FLIP_HANGS; i++)
        right(pen, ROLE_HEADING, edges[i], words[i]);
    pen_column(pen, CRASHES);
    pen_line(pen, ROLE_HEADING, "%s", words[FLIP_CRASHES]);
}

int flips_write(FILE *out, bool color, const struct flips *flips,
                struct err *err)
{
    const struct flip *end = flips->list + flips->count, *next;
    struct pen pen = {.color = color};
    int result;

    heading(&pen, flips->count);
    for (const struct flip *flip = flips->list; flip < end; flip = next) {
        struct buf name = {0};

        for (next = flip; next < end && same_part(flip, next); next++)
            continue;
        if (flip == flips->list || flip[-1].insn != flip->insn) {
            pen_print(&pen, ROLE_ADDRESS, "+%" PRIu64, flip->insn->addr);
            pen_gap(&pen, 5);
            pen_cut(&pen, ROLE_MNEMONIC, flip->insn->text);
            pen_end(&pen);
        }
        pen_column(&pen, 5);
        name_part(flip, &name);
        row(&pen, buf_text(&name), flip, next);
        buf_release(&name);
    }
    row(&pen, "all of them", flips->list, end);
    pen_blank(&pen);
    sentence(&pen, ROLE_NOTE,
             "harmless: it printed and ended as without; result: it printed "
             "something else; status: it ended with another one; hangs: not "
             "within %.1f seconds.",
             flips->milliseconds / 1000.0);
    if (flips->left_out)
        pen_line(&pen, ROLE_WARNING,
                 "%zu more bytes of this code were not tried.",
                 flips->left_out);
    if (flips->cut)
        pen_line(&pen, ROLE_WARNING,
                 "It was interrupted; there are more bits.");
    result = sink_write(out, pen.out.data, pen.out.len, err);
    pen_release(&pen);
    return result;
}

int flip_write_json(FILE *out, const struct flip *flip, struct err *err)
{
    json_t *object = json_object();
    struct buf text = {0}, line = {0};
    int result;

    json_put(object, "offset",
             json_of_number((int64_t)(flip->insn->addr + flip->part.byte)));
    json_put(object, "bit", json_of_number(flip->bit));
    json_put(object, "text", json_of_text(flip->insn->text));
    name_part(flip, &text);
    json_put(object, "field", json_of_text(buf_text(&text)));
    json_put(object, "outcome", json_of_text(words[flip->outcome]));
    buf_clear(&text);
    if (flip->outcome == FLIP_CRASHES) {
        signal_word(flip->signal, &text);
        json_put(object, "signal", json_of_text(buf_text(&text)));
    } else if (flip->status >= 0) {
        json_put(object, "status", json_of_number(flip->status));
    }
    json_append(object, 0, &line);
    buf_append_text(&line, "\n");
    result = sink_write(out, line.data, line.len, err);
    buf_release(&text);
    buf_release(&line);
    return result;
}

/* SPDX-License-Identifier: MIT */
/*
 * A trace as a page: one file that a browser opens without a network, and in
 * which a reader goes back and forth as --step does.
 *
 *     program --> events --> history --> panes of src/screen --> blocks
 *                                                                   |
 *     page/player.html with the style, the script, the text form  <-+
 *
 * The screens are drawn here, all of them, and the script in the page shows
 * them: there is one drawing. Whoever has no scripts reads the text form.
 *
 * What comes from the program stays text: in the page it is base64, or escaped
 * in the text form and the title, and the script sets nothing but textContent.
 * The policy in the page (Content Security Policy Level 3, www.w3.org/TR/CSP3)
 * lets the browser run the one script and use the one style whose hashes it
 * names, and load nothing from anywhere.
 */
#include "format/format.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "format/html_parts.h"
#include "screen/command.h"
#include "tell/glossary.h"

/* As the Makefile has made them: bytes, and "sha256-..." of these. */
static const uint8_t page_html[] = {
#include "page/player.html.inc"
};
static const uint8_t page_css[] = {
#include "page/player.css.inc"
};
static const uint8_t page_js[] = {
#include "page/player.js.inc"
};
static const char css_hash[] =
#include "page/player.css.hash.inc"
    ;
static const char js_hash[] =
#include "page/player.js.hash.inc"
    ;

/* Of the text form, for those without scripts. */
#define MOST_TEXT (256u << 10)

struct html {
    struct sink sink;
    FILE *out;
    uint64_t most; /* events that are kept */
    struct history *history;
    struct sink *text; /* writes the text form to ... */
    FILE *stream;      /* ... this, which is ... */
    char *written;     /* ... here after each event */
    size_t length;
    bool cut; /* it goes on, but not in the page */
};

/* --- which events -------------------------------------------------------- */

uint64_t kept_count(const struct kept *kept)
{
    return kept->count - (kept->end - kept->cut);
}

uint64_t kept_seq(const struct kept *kept, uint64_t place)
{
    return place < kept->cut || !kept->end ? place
                                           : place + kept->end - kept->cut;
}

static struct kept keep(const struct html *html)
{
    struct kept kept = {.count = history_count(html->history)};

    if (kept.count > html->most) {
        kept.cut = (html->most + 1) / 2;
        kept.end = kept.count - html->most / 2;
    }
    return kept;
}

/* --- packed JSON --------------------------------------------------------- */

void html_pack(json_t *json, struct buf *out)
{
    char *text = json_dumps(json, JSON_COMPACT);
    uLong len, bound;
    uint8_t *packed;

    BUG_UNLESS(text);
    len = (uLong)strlen(text);
    bound = compressBound(len);
    packed = mem_alloc(bound);
    BUG_UNLESS(compress2(packed, &bound, (const Bytef *)text, len, 9) == Z_OK);
    base64_append((struct bytes){packed, bound}, out);
    free(packed);
    free(text);
    json_decref(json);
}

/* --- the index ----------------------------------------------------------- */

static json_t *command_list(void)
{
    static const char *const names[KEYS] = {
        [KEY_IS_ENTER] = "Enter",    [KEY_IS_RIGHT] = "ArrowRight",
        [KEY_IS_LEFT] = "ArrowLeft", [KEY_IS_HOME] = "Home",
        [KEY_IS_END] = "End",        [KEY_IS_F1] = "F1",
    };
    json_t *list = json_array();

    for (int i = 0; i < COMMANDS; i++) {
        const struct command_entry *entry = &command_table[i];
        json_t *keys = json_array();
        struct buf shown = {0};

        for (const char *c = entry->letters; *c; c++)
            json_array_append_new(keys, json_stringn(c, 1));
        for (int key = 0; key < KEYS; key++)
            if (entry->keys & 1u << key)
                json_array_append_new(keys, json_string(names[key]));
        command_keys((enum command)i, &shown);
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:s, s:s?, s:s}", "word", entry->word,
                            "keys", keys, "shown", buf_text(&shown), "question",
                            entry->question, "help",
                            entry->help + strspn(entry->help, "; ")));
        buf_release(&shown);
    }
    return list;
}

/* {"ABI": "Application binary interface: ...", ...} */
static json_t *glossary(void)
{
    json_t *terms = json_object();

    for (unsigned i = 1; i <= glossary_count(); i++) {
        struct buf term = {0}, text = {0};

        glossary_term(i, &term);
        glossary_text(i, &text);
        json_object_set_new(terms, buf_text(&term),
                            json_string(buf_text(&text)));
        buf_release(&term);
        buf_release(&text);
    }
    return terms;
}

/* [[first event, stage], ...], and the kind of each event that is kept. */
static void add_events(struct history *history, const struct kept *kept,
                       json_t *index)
{
    json_t *chapters = json_array(), *names = json_array();
    const uint64_t count = kept_count(kept);
    json_t *kinds = json_array();

    for (uint64_t seq = 0; seq < kept->count;
         seq = history_next_chapter(history, seq))
        json_array_append_new(
            chapters, json_pack("[I,i]", (json_int_t)seq,
                                (int)history_view(history, seq)->stage));
    for (int i = 0; i < STAGES; i++)
        json_array_append_new(names, json_string(stage_name((enum stage)i)));
    for (uint64_t i = 0; i < count; i++)
        json_array_append_new(
            kinds, json_string(event_name(
                       history_event(history, kept_seq(kept, i))->kind)));
    json_object_set_new(index, "chapters", chapters);
    json_object_set_new(index, "stages", names);
    json_object_set_new(index, "kinds", kinds);
}

static json_t *make_index(struct html *html, const struct kept *kept,
                          struct purposes *purposes)
{
    json_t *index =
        json_pack("{s:I, s:I, s:I, s:i, s:i}", "count", (json_int_t)kept->count,
                  "cut", (json_int_t)kept->cut, "end", (json_int_t)kept->end,
                  "block", (int)BLOCK_EVENTS, "rune", (int)ROLE_RUNE);
    json_t *registers = json_array();

    for (int i = 0; i < REG_COUNT; i++)
        json_array_append_new(registers, json_string(reg_name((enum reg)i)));
    json_object_set_new(index, "registers", registers);
    json_object_set_new(index, "commands", command_list());
    json_object_set_new(index, "glossary", glossary());
    json_object_set_new(index, "panes", html_pane_names());
    json_object_set_new(index, "roles", html_role_names());
    add_events(html->history, kept, index);
    html_moves(html->history, kept, index);
    json_object_set_new(index, "bytes", html_bytes(html->history, purposes));
    return index;
}

/* --- the page ------------------------------------------------------------ */

/* Text between tags, and in attributes. What is not shown as it is (a newline
 * is) stands as "\xNN". */
static void append_escaped(struct buf *out, const void *data, size_t len)
{
    const uint8_t *text = data;
    unsigned columns;

    for (size_t i = 0; i < len;) {
        static const char special[] = "<>&\"'";
        static const char *const escaped[] = {"&lt;", "&gt;", "&amp;", "&quot;",
                                              "&#39;"};
        const char *found = text[i] ? strchr(special, text[i]) : NULL;

        if (found)
            buf_append_text(out, escaped[found - special]);
        else if (text[i] == '\n')
            buf_append_text(out, "\n");
        else
            i += utf8_show(text + i, len - i, out, &columns) - 1;
        i++;
    }
}

/* The command line of what was traced. */
static void append_title(struct history *history, struct buf *out)
{
    const struct event *start = history_event(history, 0);

    if (start->kind != EVENT_START)
        return;
    for (size_t i = 0; i < start->start.argv.count; i++) {
        const char *word = start->start.argv.list[i];
        const char *slash = i ? NULL : strrchr(word, '/');

        buf_append_text(out, i ? " " : "");
        word = slash && slash[1] ? slash + 1 : word;
        append_escaped(out, word, strlen(word));
    }
}

static void append_text_form(struct html *html, struct buf *out)
{
    append_escaped(out, html->written, html->length);
    if (html->cut)
        buf_append_text(out, "\nThe text goes on; it is too long for a page. "
                             "jittrace without --format=html writes it.\n");
}

/* ["index", "block", ...] */
static void append_run(struct html *html, struct buf *out)
{
    const struct kept kept = keep(html);
    const uint64_t count = kept_count(&kept);
    struct purposes *purposes = purposes_new();

    for (uint64_t i = 0; i < count; i++)
        purposes_take(purposes, html->history, kept_seq(&kept, i));
    buf_append_text(out, "[\"");
    html_pack(make_index(html, &kept, purposes), out);
    for (uint64_t place = 0; place < count; place += BLOCK_EVENTS) {
        buf_append_text(out, "\",\n\"");
        html_pack(html_block(html->history, &kept, place), out);
    }
    buf_append_text(out, "\"]");
    purposes_free(purposes);
}

/* What stands for "@NAME@" in player.html. */
static void append_part(struct html *html, const char *name, size_t len,
                        struct buf *out)
{
    if (!strncmp(name, "TITLE", len))
        append_title(html->history, out);
    else if (!strncmp(name, "VERSION", len))
        buf_append_text(out, JITTRACE_VERSION);
    else if (!strncmp(name, "STYLE-HASH", len))
        buf_append_text(out, css_hash);
    else if (!strncmp(name, "SCRIPT-HASH", len))
        buf_append_text(out, js_hash);
    else if (!strncmp(name, "STYLES", len))
        buf_append(out, page_css, sizeof page_css);
    else if (!strncmp(name, "PLAYER", len))
        buf_append(out, page_js, sizeof page_js);
    else if (!strncmp(name, "RUN", len))
        append_run(html, out);
    else if (!strncmp(name, "TEXT", len))
        append_text_form(html, out);
    else
        BUG_UNLESS(!"a part of the page that there is");
}

static int finish(struct sink *sink, struct err *err)
{
    struct html *html = (struct html *)sink;
    const uint8_t *at = page_html, *end = at + sizeof page_html;
    struct buf page = {0};
    int result;

    if (html->text)
        sink_finish(html->text, &(struct err){0});
    fflush(html->stream);
    if (history_count(html->history) == 0)
        return 0;
    while (at < end) {
        const uint8_t *mark = memchr(at, '@', (size_t)(end - at));
        const uint8_t *close =
            mark ? memchr(mark + 1, '@', (size_t)(end - mark - 1)) : NULL;

        buf_append(&page, at, (size_t)((close ? mark : end) - at));
        if (close)
            append_part(html, (const char *)mark + 1,
                        (size_t)(close - mark - 1), &page);
        at = close ? close + 1 : end;
    }
    result = sink_write(html->out, page.data, page.len, err);
    buf_release(&page);
    return result;
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct html *html = (struct html *)sink;

    history_append(html->history, event);
    if (html->cut)
        return 0;
    if (sink_emit(html->text, event, err) < 0)
        return -1;
    html->cut = html->length > MOST_TEXT;
    return 0;
}

static void free_html(struct sink *sink)
{
    struct html *html = (struct html *)sink;

    sink_free(html->text);
    if (html->stream)
        fclose(html->stream);
    free(html->written);
    history_free(html->history);
    free(html);
}

struct sink *html_sink_new(FILE *out, uint64_t most)
{
    struct html *html = mem_alloc(sizeof *html);

    html->sink.emit = emit;
    html->sink.finish = finish;
    html->sink.free = free_html;
    html->out = out;
    html->most = most;
    html->history = history_new();
    html->stream = open_memstream(&html->written, &html->length);
    BUG_UNLESS(html->stream);
    html->text = text_sink_new(html->stream, false);
    return &html->sink;
}

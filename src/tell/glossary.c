/* SPDX-License-Identifier: MIT */
/*
 * Reads the page as it stands: "## " begins a term, an empty line a paragraph,
 * and of the marks of Markdown (CommonMark, section 6) those go that the page
 * uses: `code`, *emphasis* and [words](where they lead).
 */
#include "tell/glossary.h"

static const uint8_t page[] = {
#include "docs/glossary.md.inc"
};

#define HEADING "\n## "

/* What stands at a place of the page, up to the end of a line. */
static struct bytes line_at(size_t at)
{
    const uint8_t *end = NULL;

    if (at < sizeof page)
        end = memchr(page + at, '\n', sizeof page - at);
    return (struct bytes){page + at,
                          end ? (size_t)(end - page) - at : sizeof page - at};
}

/* Where the next heading's text begins, from a place on; or the end. */
static size_t next_term(size_t at)
{
    const uint8_t *found = NULL;

    if (at < sizeof page)
        found =
            memmem(page + at, sizeof page - at, HEADING, sizeof HEADING - 1);

    return found ? (size_t)(found - page) + sizeof HEADING - 1 : sizeof page;
}

static size_t start_of(unsigned term)
{
    size_t at = 0;

    for (unsigned i = 0; i < term && at < sizeof page; i++)
        at = next_term(at);
    return at;
}

unsigned glossary_count(void)
{
    unsigned count = 0;

    for (size_t at = next_term(0); at < sizeof page; at = next_term(at))
        count++;
    return count;
}

void glossary_term(unsigned term, struct buf *out)
{
    struct bytes line = line_at(start_of(term));

    buf_append(out, line.data, line.len);
}

/* --- finding ------------------------------------------------------------- */

enum match {
    MATCH_NOT,
    MATCH_BEGINS,
    MATCH_WORD, /* one of "rel8 and rel32" */
    MATCH_ALL,
};

static enum match match(struct bytes heading, const char *word, size_t len)
{
    const char *text = (const char *)heading.data;
    enum match best = MATCH_NOT;

    if (heading.len == len && !strncasecmp(text, word, len))
        return MATCH_ALL;
    for (size_t at = 0; at + len <= heading.len; at++) {
        bool ends = at + len == heading.len || text[at + len] == ' ';

        if ((at > 0 && text[at - 1] != ' ') ||
            strncasecmp(text + at, word, len) != 0)
            continue;
        if (ends)
            return MATCH_WORD;
        if (at == 0)
            best = MATCH_BEGINS;
    }
    return best;
}

static unsigned find(const char *word, size_t len)
{
    enum match best = MATCH_NOT;
    unsigned term = 0, found = 0;
    bool several = false;

    for (size_t at = next_term(0); at < sizeof page; at = next_term(at)) {
        enum match this = match(line_at(at), word, len);

        term++;
        if (this == MATCH_NOT || this < best)
            continue;
        several = this == best;
        if (!several || this == MATCH_ALL)
            found = term;
        best = this;
    }
    return several && best == MATCH_BEGINS ? 0 : found;
}

unsigned glossary_find(const char *word)
{
    size_t len = strlen(word), digits = len;
    unsigned found = len > 0 ? find(word, len) : 0;

    while (digits > 0 && strchr("0123456789", word[digits - 1]))
        digits--;
    if (!found && digits > 1)
        found = find(word, digits); /* imm32 */
    for (size_t cut = 1; cut <= 2 && !found && len > cut + 2; cut++)
        if (word[len - 1] == 's') /* prefixes */
            found = find(word, len - cut);
    return found;
}

/* --- the text ------------------------------------------------------------ */

/* Appends a paragraph as one line without its marks. An asterisk between blanks
 * is none. */
static void append_plain(struct bytes text, struct buf *out)
{
    bool is_code = false, is_target = false;
    uint8_t before = ' ';

    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i] == '\n' ? ' ' : text.data[i];
        uint8_t after = i + 1 < text.len ? text.data[i + 1] : ' ';
        bool is_sign = byte == '*' && before == ' ' && after == ' ';

        if (is_target)
            is_target = byte != ')';
        else if (byte == '`')
            is_code = !is_code;
        else if (!is_code && byte == ']' && after == '(')
            is_target = true;
        else if (is_code || is_sign || !strchr("[*", byte))
            buf_append(out, &byte, 1);
        before = byte;
    }
}

void glossary_text(unsigned term, struct buf *out)
{
    size_t at = start_of(term), end = next_term(at);

    if (end < sizeof page)
        end -= sizeof HEADING - 1;
    at += line_at(at).len;
    while (at < end) {
        const uint8_t *stop = memmem(page + at, end - at, "\n\n", 2);
        size_t len = stop ? (size_t)(stop - page) - at : end - at;
        struct bytes part = {page + at, len};

        at += len + (stop ? 2 : 0);
        while (part.len > 0 && part.data[part.len - 1] == '\n')
            part.len--;
        if (part.len == 0)
            continue;
        append_plain(part, out);
        buf_append_text(out, "\n");
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Pages of --format=html, as files: how large they are, what stands in them for
 * those without scripts, and that nothing of a trace is markup in them. How
 * they work is for a browser to say: tests/page/check_page.py.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "screen/command.h"
#include "support/support.h"

TestSuite(page, .timeout = 120);

/* Runs jittrace with those arguments; it must end well. */
static void make(const char *const *argv, struct buf *out)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    if (out)
        buf_append(out, result.out.data, result.out.len);
    result_release(&result);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

/* What stands between two marks, without the escapes of HTML. */
static void unescape(const char *from, const char *end, struct buf *out)
{
    static const struct {
        const char *name;
        const char *text;
    } escapes[] = {{"&lt;", "<"},
                   {"&gt;", ">"},
                   {"&amp;", "&"},
                   {"&quot;", "\""},
                   {"&#39;", "'"}};

    while (from < end) {
        size_t len = 1;
        const char *text = from;

        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
            if (!strncmp(from, escapes[i].name, strlen(escapes[i].name))) {
                len = strlen(escapes[i].name);
                text = escapes[i].text;
            }
        buf_append(out, text, 1);
        from += len;
    }
}

Test(page, of_the_baby_jit)
{
    const char *record = scratch(".jsonl"), *page = scratch(".html");
    const char *replay, *text, *end;
    struct buf shown = {0}, html = {0}, plain = {0};
    char option[512];

    snprintf(option, sizeof option, "--replay=%s", record);
    replay = option;
    make(ARGS(JITTRACE, "--format=json", "-o", record, "-4"), NULL);
    make(ARGS(JITTRACE, replay, "--format=html", "-o", page), NULL);
    make(ARGS(JITTRACE, replay), &shown);
    read_file(page, &html);
    cr_assert(lt(sz, html.len, (size_t)200 * 1024));

    /* The text form is what jittrace writes without a page. */
    text = strstr(buf_text(&html), "<pre class=\"text\"");
    cr_assert(ne(ptr, (void *)text, NULL));
    text = strchr(text, '>') + 1;
    end = strstr(text, "</pre>");
    unescape(text, end, &plain);
    cr_assert(eq(str, (char *)buf_text(&plain), (char *)buf_text(&shown)));

    cr_assert(eq(sz, count_of(buf_text(&html), "<script"), 2));
    cr_assert(eq(sz, count_of(buf_text(&html), "</script>"), 2));
    cr_assert(eq(sz, count_of(buf_text(&html), "http://"), 0));
    cr_assert(eq(sz, count_of(buf_text(&html), "https://"), 0));
    cr_assert(eq(sz, count_of(buf_text(&html), "unsafe-inline"), 0));
    cr_assert(eq(sz, count_of(buf_text(&html), "'sha256-"), 2));
    buf_release(&shown);
    buf_release(&html);
    buf_release(&plain);
    unlink(record);
    unlink(page);
}

/* The recording of a program whose arguments are markup. */
Test(page, names_stay_text)
{
    static const char evil[] = "</script></noscript><img src=x onerror=a()>";
    struct buf html = {0};

    make(ARGS(JITTRACE, "--format=html", "--", "/bin/echo", evil), &html);
    cr_assert(eq(sz, count_of(buf_text(&html), "<img"), 0));
    cr_assert(eq(sz, count_of(buf_text(&html), "</noscript>"), 1));
    cr_assert(eq(sz, count_of(buf_text(&html), "</script>"), 2));
    cr_assert(lt(sz, 1, count_of(buf_text(&html), "&lt;img src=x")));
    buf_release(&html);
}

Test(page, what_does_not_go_together)
{
    static const struct {
        const char *first;
        const char *second;
    } wrong[] = {
        {"--format=html", "--check"},
        {"--format=html", "--page-events=0"},
        {"--format=html", "--page-events=x"},
        {"--format=json", "--page-events=3"},
        {"--format=html", "--brief"},
        {"--format=html", "--step"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct result result;

        run(&(struct job){.argv = ARGS(JITTRACE, wrong[i].first,
                                       wrong[i].second, "1")},
            &result);
        cr_expect(eq(int, result.status, 64), "%s %s", wrong[i].first,
                  wrong[i].second);
        cr_expect(eq(sz, result.out.len, 0));
        result_release(&result);
    }
}

/* A recording that is damaged makes no page, and harms no old one. */
Test(page, of_a_damaged_recording)
{
    const char *record = scratch(".jsonl"), *page = scratch(".html");
    struct result result;
    char option[512];
    struct stat old;

    write_file(record, "{}\n", 3, 0644);
    snprintf(option, sizeof option, "--replay=%s", record);
    run(&(struct job){.argv =
                          ARGS(JITTRACE, option, "--format=html", "-o", page)},
        &result);
    cr_assert(eq(int, result.status, 65));
    cr_assert(eq(int, stat(page, &old) == 0 && old.st_size > 0, 0));
    result_release(&result);
    unlink(record);
    unlink(page);
}

/* A key that --step has and the player does not would be a script's error. */
Test(page, player_has_each_command)
{
    struct buf player = {0};
    const char *start;
    char *commands, *end;

    read_file("src/format/page/player.js", &player);
    start = strstr(buf_text(&player), "\nconst commands = {\n");
    cr_assert(ne(ptr, (void *)start, NULL));
    commands = mem_copy_text(start);
    end = strstr(commands, "\n};");
    cr_assert(ne(ptr, end, NULL));
    *end = '\0';
    for (int i = 0; i < COMMANDS; i++) {
        bool found = false;

        for (int form = 0; form < 3; form++) {
            struct buf name = {0};

            buf_append_text(&name, "\n    ");
            buf_printf(&name, form == 1 ? "'%s'" : "%s", command_table[i].word);
            buf_append_text(&name, form == 2 ? "," : ":");
            found |= strstr(commands, buf_text(&name)) != NULL;
            buf_release(&name);
        }
        cr_expect(eq(int, found, true), "%s", command_table[i].word);
    }
    free(commands);
    buf_release(&player);
}

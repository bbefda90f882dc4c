/* SPDX-License-Identifier: MIT */
/*
 * The pages of docs/ keep their word: their commands print what the pages say,
 * their code is that of the lessons, their links lead somewhere. tests/docs.py
 * finds that out, a page at a time; here it is also made to find mistakes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(docs, .timeout = 300);

/* Runs docs.py for a page. */
static void check_page(const char *option, const char *page,
                       struct result *result)
{
    run(&(struct job){.argv = ARGS("/usr/bin/python3", "tests/docs.py", page,
                                   option),
                      .env = ARGS("JITTRACE=" JITTRACE,
                                  "CHECK_ENCODER=" BUILD_DIR "/check-encoder"),
                      .seconds = 280},
        result);
}

/* --- the pages ----------------------------------------------------------- */

struct page {
    char name[256];
};

ParameterizedTestParameters(docs, page)
{
    static struct page pages[100];
    size_t count = 1;
    glob_t found;

    strcpy(pages[0].name, "README.md");
    if (glob("docs/*.md", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && count < 100; i++)
            snprintf(pages[count++].name, sizeof pages->name, "%s",
                     found.gl_pathv[i]);
        globfree(&found);
    }
    return cr_make_param_array(struct page, pages, count);
}

ParameterizedTest(struct page *page, docs, page)
{
    bool rewrite = getenv("JITTRACE_REBASE") != NULL;
    struct result result;

    check_page(rewrite ? "--rewrite" : NULL, page->name, &result);
    cr_assert(eq(int, result.status, 0), "%s%s", buf_text(&result.out),
              buf_text(&result.err));
    if (!rewrite && result.out.len > 0) /* what was not compared in full */
        fprintf(stderr, "%s: %s", page->name, buf_text(&result.out));
    result_release(&result);
}

/* --- mistakes are found -------------------------------------------------- */

static void write_page(const char *name, const char *text)
{
    write_file(name, text, strlen(text), 0644);
}

/* docs.py must say this of such a page; NULL: there is nothing to say. */
static void expect_verdict(const char *text, const char *verdict)
{
    const char *name = scratch(".md");
    struct result result;

    write_page(name, text);
    check_page(NULL, name, &result);
    cr_assert(eq(int, result.status, verdict != NULL), "%s\n%s%s", text,
              buf_text(&result.out), buf_text(&result.err));
    if (verdict)
        cr_assert(contains(buf_text(&result.out), verdict), "%s\n%s%s", text,
                  buf_text(&result.out), buf_text(&result.err));
    result_release(&result);
    unlink(name);
}

Test(docs, outputs_are_compared)
{
    static const struct {
        const char *block, *verdict;
    } blocks[] = {
        {"$ echo a; echo b >&2\na\nb\n$ printf c\nc\n", NULL},
        {"$ seq 9\n1\n...\n4\n5\n...\n9\n", NULL},
        {"$ seq 9\n...\n9\n", NULL},
        {"$ seq 9\n1\n...\n", NULL},
        {"$ echo a \\\n  b\na b\n", NULL},
        {"$ exit 3\n[status 3]\n", NULL},
        {"$ kill -SEGV $$\nSegmentation fault\n[status 139]\n", NULL},
        {"$ >file\n$ ls file\nfile\n", NULL},
        {"$ echo 0x7ffff7fc1003 thread 5\n0x7f0000000000 thread 67\n", NULL},
        {"$ printf 'a\\n(thread\\n 5)\\n'\na (thread\n  12345)\n", NULL},
        {"$ printf '1 2\\n(thread\\n 5)\\n7\\n'\n1\n...\n(thread\n12) 7\n",
         NULL},
        {"$ printf 'a\\n(thread\\n 5)\\n'\nb (thread\n  12345)\n",
         "-b (thread"},
        {"$ printf 'a\\nb\\n'\na b\n", "+a\n+b"},
        {"$ echo a\nb\n", "\n-b\n+a"},
        {"$ echo a\n", "`echo a` prints something else"},
        {"$ true\na\n", "-a"},
        {"$ seq 9\n1\n...\n4\n6\n...\n9\n", "-6\n+5\n"},
        {"$ seq 9\n2\n...\n9\n", "-2\n+1\n ...\n"},
        {"$ seq 9\n1\n...\n8\n", "+9"},
        {"$ exit 3\n", "+[status 3]"},
        {"$ true\n[status 3]\n", "-[status 3]"},
        {"$ echo 0xfffffffffffffffc\n0xfffffffffffffffd\n", "+0xffff"},
        {"$ echo 0x12345678\n0x12345679\n", "+0x12345678"},
        {"echo a\na\n", "a console block begins with"},
    };

    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        char page[512];

        snprintf(page, sizeof page, "# A\n\n```console\n%s```\n",
                 blocks[i].block);
        expect_verdict(page, blocks[i].verdict);
    }
}

Test(docs, code_is_compared)
{
    char page[1024];
    const char *source = scratch(".c");
    static const struct {
        const char *mark, *code, *verdict;
    } codes[] = {
        {" one", "int a;\n    int b;\n", NULL},
        {" two", "int b;\n", NULL},
        {" one", "int a;\n    int c;\n", "-    int c;"},
        {" one", "    int a;\n        int b;\n", "+int a;"},
        {" none", "int a;\n", "must have /* [none] */"},
        {" twice", "int d;\n", "must have /* [twice] */"},
        {" open", "int e;\n", "must have /* [open] */"},
    };

    write_page(source, "/* [one] */\n    int a;\n    /* [two] */\n"
                       "        int b;\n    /* [/two] */\n/* [/one] */\n"
                       "/* [twice] */\nint d;\n/* [/twice] */\n"
                       "/* [twice] */\nint d;\n/* [/twice] */\n"
                       "/* [open] */\nint e;\n");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        snprintf(page, sizeof page, "# A\n\n<!-- code: %s%s -->\n```c\n%s```\n",
                 source, codes[i].mark, codes[i].code);
        expect_verdict(page, codes[i].verdict);
    }
    expect_verdict("<!-- code: none.c a -->\n```c\n```\n",
                   "cannot read none.c: No such file");
    unlink(source);
}

Test(docs, chapters_are_listed)
{
    const char *dir = scratch(".chapters");
    char command[1024];
    struct result result;

    snprintf(command, sizeof command,
             "mkdir %s && cd %s && echo '# 01. One' >01-one.md && "
             "echo '# 10. Ten' >10-ten.md && echo '# No' >no.md && "
             "printf '%%s\\n' '<!-- chapters -->' '- [01. One](01-one.md)' "
             "'<!-- /chapters -->' >list.md",
             dir, dir);
    cr_assert(eq(int, system(command), 0));
    snprintf(command, sizeof command, "%s/list.md", dir);
    check_page(NULL, command, &result);
    cr_assert(eq(int, result.status, 1));
    cr_assert(contains(buf_text(&result.out), "\n+- [10. Ten](10-ten.md)\n"),
              "%s", buf_text(&result.out));
    result_release(&result);
    check_page("--rewrite", command, &result);
    result_release(&result);
    check_page(NULL, command, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    result_release(&result);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert(eq(int, system(command), 0));
}

Test(docs, links_are_followed)
{
    const char *other = scratch(".other.md");
    const char *name = strrchr(other, '/') + 1;
    char page[256];

    write_page(other, "# Other\n");
    snprintf(page, sizeof page,
             "# A: `b_c`, d-e!\n[x](#a-b_c-d-e) "
             "[y](https://example.com/z) [z](%s)\n"
             "`[no](link)`\n```\n[no](link)\n# no heading\n```\n",
             name);
    expect_verdict(page, NULL);
    snprintf(page, sizeof page, "[x](%s#none)\n", name);
    expect_verdict(page, ".other.md has no heading for #none");
    unlink(other);
    expect_verdict("# A\n# A\n[x](#a-1)\n", NULL);
    expect_verdict("# A\n[x](#b)\n", "has no heading for #b");
    expect_verdict("```\n# A\n```\n[x](#a)\n", "has no heading for #a");
    expect_verdict("# A\n[x](none.md)\n", ":2: the link to none.md leads");
}

Test(docs, pages_are_rewritten)
{
    static const char before[] =
        "# A\n\n```console\n$ seq 12\n1\n...\n5\n7\n...\n13\n$ echo b\nc\n"
        "$ echo 0x7f00000000\n0x7f11111111\n```\n\n"
        "<!-- code: lessons/06-babyjit/adder.asm -->\n```nasm\n```\nEnd.\n";
    static const char after[] =
        "# A\n\n```console\n$ seq 12\n1\n...\n5\n6\n...\n12\n$ echo b\nb\n"
        "$ echo 0x7f00000000\n0x7f11111111\n```\n\n"
        "<!-- code: lessons/06-babyjit/adder.asm -->\n```nasm\n"
        "; SPDX-License-Identifier: MIT\n";
    const char *name = scratch(".md");
    struct buf page = {0};
    struct result result;

    write_page(name, before);
    check_page("--rewrite", name, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    read_file(name, &page);
    cr_assert(eq(int, strncmp(buf_text(&page), after, strlen(after)), 0), "%s",
              buf_text(&page));
    cr_assert(contains(buf_text(&page), "; c3\n```\nEnd.\n"), "%s",
              buf_text(&page));
    result_release(&result);
    check_page(NULL, name, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    result_release(&result);
    buf_release(&page);
    unlink(name);
}

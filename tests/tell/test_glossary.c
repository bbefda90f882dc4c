/* SPDX-License-Identifier: MIT */
/*
 * The words that jittrace carries with it are those of docs/glossary.md, without
 * its marks, and are found by what a reader types.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "support/support.h"
#include "tell/glossary.h"

TestSuite(glossary, .timeout = 20);

static void expect_term(const char *word, const char *term)
{
    unsigned found = glossary_find(word);
    struct buf got = {0};

    if (found)
        glossary_term(found, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)term), "'%s'", word);
    buf_release(&got);
}

Test(glossary, words)
{
    static const char *const words[][2] = {
        {"REX", "REX"},
        {"rex", "REX"},
        {"imm32", "immediate"},
        {"imm", "immediate"},
        {"disp8", "displacement"},
        {"rel8", "rel8 and rel32"},
        {"rel32", "rel8 and rel32"},
        {"prefixes", "prefix"},
        {"prefix", "prefix"},
        {"mod", "ModRM"},
        {"evex", "VEX and EVEX"},
        {"pages", "page"},
        {"flag", "flags"},
        {"red", "red zone"},
        {"trace", "trace"}, /* and not the tracer */
        {"tracer", "tracer"},
        {"w^x", "W^X"},
        {"abi", "ABI"},
        {"caller", "caller-saved"},
        {"trac", ""}, /* which one? */
        {"", ""},
        {"nothing", ""},
        {"32", ""},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        expect_term(words[i][0], words[i][1]);
}

/* Each heading of the page is a term, and what it means has no marks. */
Test(glossary, terms_are_those_of_the_page)
{
    struct buf file = {0};
    unsigned term = 0;

    read_file("docs/glossary.md", &file);
    for (char *at = strstr(buf_text(&file), "\n## "); at;
         at = strstr(at + 1, "\n## ")) {
        struct buf got = {0}, text = {0};

        glossary_term(++term, &got);
        cr_assert(eq(int, strncmp(at + 4, buf_text(&got), got.len), 0));
        cr_assert(eq(chr, at[4 + got.len], '\n'));
        cr_assert(eq(uint, glossary_find(buf_text(&got)), term), "%s",
                  buf_text(&got));
        glossary_text(term, &text);
        cr_assert(lt(sz, 20, text.len), "%s", buf_text(&got));
        cr_expect(eq(ptr, strpbrk(buf_text(&text), "`#"), NULL), "%s",
                  buf_text(&text));
        cr_expect(lacks(buf_text(&text), "]("), "%s", buf_text(&text));
        buf_release(&got);
        buf_release(&text);
    }
    cr_assert(eq(uint, glossary_count(), term));
    cr_assert(lt(uint, 30, term));
    buf_release(&file);
}

Test(glossary, text)
{
    struct buf text = {0};

    glossary_text(glossary_find("displacement"), &text);
    cr_assert(eq(str, (char *)buf_text(&text),
                 "A constant number of 8 or 32 bits inside an instruction that "
                 "is added to an address: in mov rax, [rdi+8] it is 8. For "
                 "jumps see rel8 and rel32.\n"));
    buf_clear(&text);
    glossary_text(glossary_find("SIB"), &text);
    cr_assert(eq(str, (char *)buf_text(&text),
                 "A byte behind ModRM, where the address is computed from two "
                 "registers: base + index * scale.\n"));
    buf_release(&text);
}

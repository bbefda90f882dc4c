/* SPDX-License-Identifier: MIT */
/*
 * Who stored a byte, through whom, and together with which others: stores told
 * by hand, and what becomes of them.
 *
 * A chain is written as "emit:13+1f mov:20+8 main:40+2b", the storing place
 * first; a function without an offset was inlined into the next one.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/emission.h"

TestSuite(emission, .timeout = 20);

#define CODE UINT64_C(0x7f1200000000)

static struct emissions emissions;
static uint64_t at; /* where the next byte goes */

/* One store by that chain, of so many bytes. */
static void store_by(const char *chain, size_t len, int tid, bool only_learn)
{
    static char name[MAX_CHAIN][32];
    static const uint8_t bytes[16] = {0};
    struct caller callers[MAX_CHAIN] = {{{0}, NULL}};
    struct event event = {.kind = EVENT_WRITE, .tid = tid};
    size_t count = 0;
    int used = 0;

    for (const char *s = chain; *s; s += used + strspn(s + used, " ")) {
        unsigned offset;
        int line, n = 0;

        sscanf(s, "%31[^:]:%d%n", name[count], &line, &used);
        if (s[used] == '+') {
            sscanf(s + used, "+%x%n", &offset, &n);
            sprintf(name[count] + strlen(name[count]), "+0x%x", offset);
            used += n;
        }
        if (line) /* 0: it has no lines */
            callers[count].source =
                (struct srcline){.file = "jit.c", .line = line};
        callers[count].symbol = name[count];
        count++;
    }
    event.source = callers[0].source;
    for (size_t i = 0; !event.source.file && i < count; i++)
        event.source = callers[i].source;
    if (strchr(callers[0].symbol, '+'))
        event.write.symbol = callers[0].symbol;
    else
        event.write.inlined = callers[0].symbol;
    event.write.via = (struct callers){callers + 1, count - 1};
    event.write.addr = CODE + at;
    event.write.new = (struct bytes){bytes, len};
    if (only_learn) {
        emissions_learn(&emissions, &event);
    } else {
        emissions_apply(&emissions, &event);
        at += len;
    }
}

static void store(const char *chain, size_t len)
{
    store_by(chain, len, 1, false);
}

static void begin(void)
{
    emissions_release(&emissions);
    at = 0;
}

/* The line that names a byte, and where the emission is. */
static void expect(uint64_t offset, int line, uint64_t from, uint64_t to)
{
    struct emission emission;

    cr_assert(emissions_at(&emissions, CODE + offset, &emission));
    cr_expect(
        eq(int, emission.chain.list[emission.chain.named_by].source.line, line),
        "byte %d", (int)offset);
    cr_expect(eq(u64, emission.from - CODE, from), "byte %d", (int)offset);
    cr_expect(eq(u64, emission.to - CODE, to), "byte %d", (int)offset);
}

/* Two instructions of one helper each, and one stored directly. */
static void store_three(void)
{
    store("emit:13+1f mov:20+8 main:40+2b", 1);
    store("emit:13+1f mov:21+1f main:40+2b", 1);
    store("emit:13+1f emit32:17+9 mov:22+30 main:40+2b", 1);
    store("emit:13+1f emit32:17+9 mov:22+30 main:40+2b", 1);
    store("emit:13+1f mov:20+8 main:41+44", 1);
    store("emit:13+1f mov:21+1f main:41+44", 1);
    store("main:42+50", 1);
}

Test(emission, the_first_caller_outside_of_the_helpers_names_it)
{
    begin();
    store_three();
    for (int i = 0; i < 4; i++)
        expect((uint64_t)i, 40, 0, 4);
    expect(4, 41, 4, 6);
    expect(5, 41, 4, 6);
    expect(6, 42, 6, 7);
    begin();
}

/* gen() is called twice, too, but stores more than an instruction. */
Test(emission, who_stores_several_instructions_is_no_helper)
{
    begin();
    store("emit:13+1f mov:20+8 gen:60+9 main:40+2b", 4);
    store("emit:13+1f mov:20+8 gen:62+c main:40+2b", 6);
    store("emit:13+1f copy:9+c gen:64+1c main:40+2b", 9);
    store("emit:13+1f copy:9+c gen:70+1c main:40+2b", 1);
    store("emit:13+1f mov:20+8 gen:60+9 main:41+2b", 4);
    store("memcpy:0+3 copy_all:7+8 gen:61+33 main:41+2b", 16);
    store("memcpy:0+4 copy_all:7+8 gen:61+33 main:41+2b", 16);
    store("memcpy:0+4 copy_all:7+8 gen:63+33 main:41+2b", 16);
    expect(0, 60, 0, 4);
    expect(4, 62, 4, 10);
    expect(10, 64, 10, 19);
    expect(19, 70, 19, 20);
    expect(20, 60, 20, 24);
    expect(24, 61, 24, 56);
    expect(56, 63, 56, 72);
    begin();
}

Test(emission, who_is_called_from_one_place_is_no_helper)
{
    begin();
    store("emit:13+1f ret:30+8 main:50+2b", 1);
    expect(0, 13, 0, 1); /* so far */
    store("emit:13+1f nop:33+8 main:51+2b", 1);
    expect(0, 30, 0, 1);
    expect(1, 33, 1, 2);
    begin();
}

Test(emission, what_comes_later_can_be_learned_before)
{
    begin();
    store_by("emit:13+1f nop:33+8 main:51+2b", 1, 1, true);
    store("emit:13+1f ret:30+8 main:50+2b", 1);
    expect(0, 30, 0, 1);
    begin();
}

Test(emission, calls_from_one_place_are_told_apart_by_where_they_begin)
{
    begin();
    for (int i = 0; i < 3; i++) {
        store("emit:13+1f mov:20+8 main:40+2b", 1);
        store("emit:13+1f mov:21+1f main:40+2b", 1);
    }
    store("emit:13+1f mov:20+8 main:60+2b", 1);
    for (uint64_t i = 0; i < 6; i++)
        expect(i, 40, i / 2 * 2, i / 2 * 2 + 2);
    begin();
}

Test(emission, a_function_that_calls_itself_is_no_helper)
{
    begin();
    store("emit:13+1f gen:80+8 main:40+2b", 1);
    store("emit:13+1f gen:81+1f gen:85+20 main:40+2b", 1);
    store("emit:13+1f gen:80+8 gen:86+30 gen:85+20 main:40+2b", 1);
    store("emit:13+1f gen:80+8 main:44+50", 1);
    expect(0, 80, 0, 1);
    expect(1, 81, 1, 2);
    expect(3, 80, 3, 4);
    begin();
}

Test(emission, what_was_inlined_is_told_apart_by_lines)
{
    begin();
    store("emit:13 mov:20 main:40+2b", 1);
    store("emit:13 mov:20 main:40+33", 1); /* a loop, unrolled */
    store("emit:13 mov:21 main:41+44", 1);
    expect(0, 40, 0, 2);
    expect(1, 40, 0, 2);
    expect(2, 41, 2, 3);
    begin();
}

Test(emission, a_store_without_lines_is_that_of_its_caller)
{
    begin();
    store("memcpy:0+12 copy:9+8 main:40+2b", 8);
    store("memcpy:0+12 copy:9+8 main:41+3b", 8);
    expect(0, 40, 0, 8);
    expect(9, 41, 8, 16);
    begin();
}

Test(emission, threads_do_not_share_calls)
{
    begin();
    store_by("emit:13+1f mov:20+8 main:40+2b", 1, 1, false);
    store_by("emit:13+1f mov:20+8 main:40+2b", 1, 2, false);
    store_by("emit:13+1f mov:20+8 main:41+2c", 1, 2, false);
    expect(0, 40, 0, 1);
    expect(1, 40, 1, 2);
    begin();
}

Test(emission, what_is_unmapped_or_written_by_the_kernel_has_none)
{
    struct event gone = {.kind = EVENT_UNMAP,
                         .unmap = {.addr = CODE, .length = 4096}};
    struct event write = {.kind = EVENT_WRITE};
    struct emission emission;

    begin();
    store_three();
    write.write.addr = CODE + 2;
    write.write.new = (struct bytes){(const uint8_t *)"x", 1};
    write.write.by = "read(3, ...)";
    emissions_apply(&emissions, &write);
    cr_assert(not(emissions_at(&emissions, CODE + 2, &emission)));
    expect(1, 40, 0, 2);
    emissions_apply(&emissions, &gone);
    cr_assert(not(emissions_at(&emissions, CODE, &emission)));
    cr_assert(not(emissions_at(&emissions, 0, &emission)));
    cr_assert(not(emissions_at(&emissions, UINT64_MAX, &emission)));
    begin();
}

Test(emission, an_instruction_that_eats_the_next_one_cuts)
{
    struct emission begun, cut;

    begin();
    store_three();
    cr_assert(emissions_cut(&emissions, CODE, 5, &begun, &cut));
    cr_expect(eq(int, begun.chain.list[begun.chain.named_by].source.line, 40));
    cr_expect(eq(int, cut.chain.list[cut.chain.named_by].source.line, 41));
    cr_expect(eq(u64, cut.from - CODE, 4));
    cr_expect(eq(u64, cut.to - CODE, 6));
    /* All of it, or a part of its own, or what was stored directly. */
    cr_expect(not(emissions_cut(&emissions, CODE, 6, &begun, &cut)));
    cr_expect(not(emissions_cut(&emissions, CODE, 4, &begun, &cut)));
    cr_expect(not(emissions_cut(&emissions, CODE + 2, 2, &begun, &cut)));
    cr_expect(not(emissions_cut(&emissions, CODE + 4, 3, &begun, &cut)));
    /* An immediate that is cut within one helper. */
    cr_expect(emissions_cut(&emissions, CODE, 3, &begun, &cut));
    cr_expect(eq(u64, cut.from - CODE, 2));
    begin();
}

/* The compiler has made one store of the end of an instruction and the next. */
Test(emission, what_was_inlined_into_one_function_cuts_nothing)
{
    struct emission begun, cut;

    begin();
    store("emit:13 push:22 main:40+27", 4);
    store("emit:13 mov:20 main:41+2d", 2);
    store("emit:13+1f main:42+33", 1);
    store("emit:13+1f main:43+3a", 2);
    cr_expect(not(emissions_cut(&emissions, CODE + 3, 2, &begun, &cut)));
    cr_expect(not(emissions_apart(&emissions, CODE + 3, CODE + 4)));
    cr_expect(not(emissions_apart(&emissions, CODE + 5, CODE + 6)));
    cr_expect(emissions_apart(&emissions, CODE + 6, CODE + 7));
    cr_expect(emissions_cut(&emissions, CODE + 6, 2, &begun, &cut));
    begin();
}

/* Any chains at all, against themselves. */
Test(emission, whatever_the_chains_are_every_byte_has_one)
{
    static const char *const links[] = {"emit:13+1f", "mov:20+8", "mov:21+1f",
                                        "gen:80",     "gen:81+2", "main:40+2b",
                                        "main:41+44", "foo:0+1"};
    struct emission emission, other;
    char text[256];

    begin();
    srand(7);
    for (int i = 0; i < 3000; i++) {
        int count = 1 + rand() % MAX_CHAIN;

        text[0] = 0;
        for (int k = 0; k < count; k++) {
            strcat(text, k ? " " : "");
            strcat(text, links[rand() % 8]);
        }
        at = (uint64_t)rand() % 5000;
        store_by(text, (size_t)rand() % 16, rand() % 3, false);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        if (!emissions_at(&emissions, CODE + i, &emission))
            continue;
        cr_assert(le(u64, emission.from, CODE + i));
        cr_assert(lt(u64, CODE + i, emission.to));
        cr_assert(lt(sz, emission.chain.named_by, emission.chain.count));
        emissions_cut(&emissions, CODE + i, 1 + i % 15, &emission, &other);
    }
    begin();
}

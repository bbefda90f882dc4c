/* SPDX-License-Identifier: MIT */
/*
 * Vector registers: their names and changes, and the sentences on what computes
 * with them, compared with what the CPU computes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/effect.h"
#include "cpu/vregs.h"

TestSuite(lanes, .timeout = 60);

#define COUNT(list) (sizeof(list) / sizeof *(list))

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t count = 0;

    for (; *hex; hex += 2)
        out[count++] = (uint8_t)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16);
    return count;
}

/* --- names and changes ---------------------------------------------------- */

Test(lanes, a_register_is_found_by_its_name)
{
    for (int i = 0; i < VREG_COUNT; i++) {
        struct vregs vregs;
        size_t all, size;
        enum vreg reg;

        vregs_at(&vregs, (enum vreg)i, &all);
        for (size_t len = i < VREG_MASK ? 16 : all; len <= all; len *= 2) {
            struct buf name = {0};

            vreg_name((enum vreg)i, len, &name);
            cr_assert(eq(int, vreg_find(buf_text(&name), &reg, &size), 1));
            cr_assert(eq(int, (int)reg, i), "%s", buf_text(&name));
            cr_assert(eq(sz, size, len));
            buf_release(&name);
        }
    }
}

Test(lanes, what_is_no_name_is_refused)
{
    static const char *const names[] = {"",      "xmm",    "xmm32", "xmm01",
                                        "xmm-1", "k8",     "st8",   "st",
                                        "rax",   "mxcsr0", "xmm1 ", "wmm1"};
    enum vreg reg;
    size_t size;

    for (size_t i = 0; i < COUNT(names); i++)
        cr_assert(eq(int, vreg_find(names[i], &reg, &size), 0), "%s", names[i]);
}

/* A change is as wide as what differs, and as the instruction says. */
Test(lanes, a_change_is_told_as_wide_as_it_is)
{
    static const struct {
        unsigned byte;
        const char *hex; /* of the instruction */
        size_t len;
    } cases[] = {
        {0, "", 16},          {15, "", 16},      {16, "", 32},
        {31, "", 32},         {32, "", 64},      {63, "", 64},
        {0, "c5f458c2", 32}, /* vaddps ymm0, ymm1, ymm2 */
        {40, "c5f458c2", 64}, {0, "0f58c1", 16},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct vreg_change list[VREG_COUNT];
        struct vregs before, after;
        uint8_t code[16];
        struct insn insn;
        size_t len = unhex(cases[i].hex, code);

        vregs_init(&before);
        after = before;
        after.vector[0][cases[i].byte] = 1;
        if (len)
            cr_assert(eq(int, insn_decode(code, len, 0, &insn), 1));
        cr_assert(
            eq(sz, vregs_diff(&before, &after, len ? &insn : NULL, list), 1));
        cr_assert(eq(sz, list[0].new_bytes.len, cases[i].len));
        cr_assert(eq(int, (int)list[0].reg, VREG_VECTOR));
    }
}

Test(lanes, news_are_what_differs_and_what_is_asked_for)
{
    struct vreg_change list[VREG_COUNT];
    struct vregs told, now;

    vregs_init(&told);
    told.vector[0][3] = told.vector[9][3] = 1;
    now = told;
    now.vector[9][20] = 7;
    cr_assert(eq(sz, vregs_news(&told, &now, 8, list), 3));
    cr_assert(eq(int, (int)list[0].reg, VREG_VECTOR));
    cr_assert(eq(int, (int)list[1].reg, VREG_VECTOR + 9));
    cr_assert(eq(sz, list[1].new_bytes.len, 32));
    cr_assert(eq(int, (int)list[2].reg, VREG_MXCSR));
    cr_assert(eq(sz, vregs_news(&told, &now, 0, list), 2));
}

/* Only these are read behind a step: all other steps cost nothing. */
Test(lanes, what_uses_and_changes_vectors_is_known)
{
    static const struct {
        const char *hex;
        bool uses, changes;
    } cases[] = {
        {"4801f8", false, false},    /* add rax, rdi */
        {"c3", false, false},        /* ret */
        {"f20f58c1", true, true},    /* addsd xmm0, xmm1 */
        {"f20f1103", true, false},   /* movsd [rbx], xmm0 */
        {"66480f7ec0", true, false}, /* movq rax, xmm0 */
        {"660f2ec1", true, true},    /* ucomisd: the flags of MXCSR */
        {"f2480f2cc0", true, true},  /* cvttsd2si rax, xmm0: likewise */
        {"c5f877", true, true},      /* vzeroupper */
        {"0fae13", true, true},      /* ldmxcsr [rbx] */
        {"c5f892c8", true, true},    /* kmovw k1, eax */
        {"dd03", true, true},        /* fld qword ptr [rbx] */
        {"0f77", true, true},        /* emms */
        {"dbe3", true, true},        /* fninit */
        {"0ffec1", true, true},      /* paddd mm0, mm1 */
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t code[16];
        struct insn insn;

        insn_decode(code, unhex(cases[i].hex, code), 0, &insn);
        cr_assert(eq(int, insn.uses_vregs, cases[i].uses), "%s", insn.text);
        cr_assert(eq(int, insn.changes_vregs, cases[i].changes), "%s",
                  insn.text);
    }
}

/* --- sentences ------------------------------------------------------------ */

struct words {
    const char *hex;
    double a[2], b[2]; /* xmm0 and xmm1 before */
    double now[2];     /* xmm0 after */
    const char *text;
};

static const struct words words[] = {
    {"f20f58c1", {1, 2}, {3, 4}, {4, 2}, "xmm0 = 1 + 3 = 4"},
    {"f20f59c1", {2.5, 0}, {2.5, 0}, {6.25, 0}, "xmm0 = 2.5 * 2.5 = 6.25"},
    {"660f58c1",
     {1, 2},
     {3, 4},
     {4, 6},
     "xmm0[0] = 1 + 3 = 4, [1] = 2 + 4 = 6"},
    {"660f58c1", {1, 2}, {0, 4}, {1, 6}, "xmm0[1] = 2 + 4 = 6"},
    {"f20f5ec1", {1, 0}, {0, 0}, {INFINITY, 0}, "xmm0 = 1 / 0 = inf"},
    {"f20f51c1", {1, 0}, {-1, 0}, {NAN, 0}, "xmm0 = sqrt -1 = NaN"},
    {"0f57c0", {1, 2}, {3, 4}, {0, 0}, "xmm0 = 0, exclusive-ored with itself"},
    {"f20f10c1", {1, 2}, {3, 4}, {3, 2}, "xmm0 = xmm1 = 3"},
    {"660f14c1", {1, 2}, {3, 4}, {1, 3}, "xmm0[1] = xmm1[0] = 3"},
    /* EVEX, without a mask and with k1 */
    {"62f1ff0858c1", {1, 2}, {3, 4}, {4, 2}, "xmm0 = 1 + 3 = 4"},
    {"62f1fd0858c1",
     {1, 2},
     {3, 4},
     {4, 6},
     "xmm0[0] = 1 + 3 = 4, [1] = 2 + 4 = 6"},
    {"62f1fd0958c1", {1, 2}, {3, 4}, {1, 6}, "xmm0[1] 2 -> 6"},
    /* What does not come out so is told as it is. */
    {"f20f58c1", {1, 2}, {3, 4}, {5, 2}, "xmm0 1 -> 5"},
    {"660f58c1", {1, 2}, {3, 4}, {4, 7}, "xmm0[0] 1 -> 4, [1] 2 -> 7"},
    {"0f53c1", {0, 2}, {3, 4}, {0, 2}, "changes no register and no memory"},
};

static void put(struct vregs *vregs, unsigned vector, const double number[2])
{
    memcpy(vregs->vector[vector], number, 16);
}

Test(lanes, a_sentence_has_the_numbers)
{
    for (size_t i = 0; i < COUNT(words); i++) {
        struct regs regs = {{0}};
        struct vregs before, after;
        struct buf text = {0};
        uint8_t code[16];
        struct insn insn;

        insn_decode(code, unhex(words[i].hex, code), 0, &insn);
        vregs_init(&before);
        put(&before, 0, words[i].a);
        put(&before, 1, words[i].b);
        after = before;
        put(&after, 0, words[i].now);
        effect_describe(&(struct executed){.insn = &insn,
                                           .before = &regs,
                                           .after = &regs,
                                           .vregs_before = &before,
                                           .vregs_after = &after},
                        &text);
        cr_assert(eq(str, (char *)buf_text(&text), (char *)words[i].text), "%s",
                  insn.text);
        buf_release(&text);
    }
}

/* Where a mask says what is stored, the bytes there are not all stored. */
Test(lanes, a_masked_store_is_no_whole_one)
{
    static const struct {
        const char *hex;
        size_t size;
        bool whole;
    } cases[] = {
        {"62f1fd491107", 64, false}, /* vmovupd [rdi] {k1}, zmm0 */
        {"62f1fd481107", 64, true},  /* vmovupd [rdi], zmm0 */
        {"c4e2752e07", 32, false},   /* vmaskmovps [rdi], ymm1, ymm0 */
        {"660ff7c1", 16, false},     /* maskmovdqu xmm0, xmm1 */
        {"c5fe7f07", 32, true},      /* vmovdqu [rdi], ymm0 */
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct regs regs = {{0}};
        struct vregs vregs;
        struct buf text = {0};
        uint8_t code[16], bytes[64] = {1};
        struct insn insn;
        const struct mem_access write = {.new_bytes = {bytes, cases[i].size}};

        insn_decode(code, unhex(cases[i].hex, code), 0, &insn);
        vregs_init(&vregs);
        effect_describe(&(struct executed){.insn = &insn,
                                           .before = &regs,
                                           .after = &regs,
                                           .vregs_before = &vregs,
                                           .vregs_after = &vregs,
                                           .writes = &write,
                                           .write_count = 1},
                        &text);
        cr_assert(ne(ptr, (void *)strstr(buf_text(&text), "stores"), NULL),
                  "%s", insn.text);
        cr_assert(eq(int, !strstr(buf_text(&text), "where its mask says so"),
                     cases[i].whole),
                  "%s: %s", insn.text, buf_text(&text));
        buf_release(&text);
    }
}

Test(lanes, the_flags_of_mxcsr_are_named)
{
    const uint8_t old[] = {0x80, 0x1f, 0, 0}, new[] = {0xa0, 0x1f, 0, 0};
    const uint8_t other[] = {0x80, 0x9f, 0, 0};
    struct buf text = {0};

    effect_change(NULL, &(struct vreg_change){VREG_MXCSR, {old, 4}, {new, 4}},
                  NULL, &text);
    cr_assert(eq(str, (char *)buf_text(&text), "mxcsr flags none -> PE"));
    buf_clear(&text);
    effect_change(NULL, &(struct vreg_change){VREG_MXCSR, {old, 4}, {other, 4}},
                  NULL, &text);
    cr_assert(eq(str, (char *)buf_text(&text), "mxcsr 0x1f80 -> 0x9f80"));
    buf_release(&text);
}

/* What the x87 would see of it is no change of an MMX register. */
Test(lanes, an_mmx_register_has_64_bits)
{
    const uint8_t old[10] = {5}, same[10] = {5, [8] = 0xff, 0xff};
    const uint8_t other[10] = {6, [8] = 0xff, 0xff},
                  code[] = {0x0f, 0xfd, 0xc0};
    struct buf text = {0};
    struct insn paddw;
    bool told;

    cr_assert(eq(int, insn_decode(code, sizeof code, 0, &paddw), 1));
    told = effect_change(&paddw,
                         &(struct vreg_change){VREG_X87, {old, 10}, {same, 10}},
                         NULL, &text);
    cr_assert(eq(int, told, 0));
    cr_assert(eq(str, (char *)buf_text(&text), ""));
    effect_change(&paddw,
                  &(struct vreg_change){VREG_X87, {old, 10}, {other, 10}}, NULL,
                  &text);
    cr_assert(eq(str, (char *)buf_text(&text), "mm0 0x5 -> 0x6"));
    buf_release(&text);
}

/* --- the CPU -------------------------------------------------------------- */

/* What an instruction is executed with, and what it leaves. */
struct machine {
    uint8_t vector[3][32];
    uint64_t rax, flags;
    uint32_t mxcsr;
};

/* Calls code with the registers of *machine, and reads them back. Nothing of
 * ours may use a vector in between. */
static void execute(const uint8_t *code, struct machine *machine, bool wide)
{
    uint32_t saved;

    __asm__ volatile("stmxcsr %0" : "=m"(saved));
    if (wide)
        __asm__ volatile("vmovdqu (%1), %%ymm0\n\tvmovdqu 32(%1), %%ymm1\n\t"
                         "vmovdqu 64(%1), %%ymm2\n\tldmxcsr 112(%1)\n\t"
                         "mov 96(%1), %%rax\n\t"
                         "sub $128, %%rsp\n\tcall *%0\n\t"
                         "pushf\n\tpop 104(%1)\n\tadd $128, %%rsp\n\t"
                         "vmovdqu %%ymm0, (%1)\n\tvmovdqu %%ymm1, 32(%1)\n\t"
                         "vmovdqu %%ymm2, 64(%1)\n\tstmxcsr 112(%1)\n\t"
                         "mov %%rax, 96(%1)\n\tvzeroupper"
                         :
                         : "r"(code), "r"(machine)
                         : "rax", "memory", "cc", "xmm0", "xmm1", "xmm2");
    else
        __asm__ volatile("movdqu (%1), %%xmm0\n\tmovdqu 32(%1), %%xmm1\n\t"
                         "movdqu 64(%1), %%xmm2\n\tldmxcsr 112(%1)\n\t"
                         "mov 96(%1), %%rax\n\t"
                         "sub $128, %%rsp\n\tcall *%0\n\t"
                         "pushf\n\tpop 104(%1)\n\tadd $128, %%rsp\n\t"
                         "movdqu %%xmm0, (%1)\n\tmovdqu %%xmm1, 32(%1)\n\t"
                         "movdqu %%xmm2, 64(%1)\n\tstmxcsr 112(%1)\n\t"
                         "mov %%rax, 96(%1)"
                         :
                         : "r"(code), "r"(machine)
                         : "rax", "memory", "cc", "xmm0", "xmm1", "xmm2");
    __asm__ volatile("ldmxcsr %0" : : "m"(saved));
}

_Static_assert(offsetof(struct machine, rax) == 96, "as the code has it");
_Static_assert(offsetof(struct machine, flags) == 104, "as the code has it");
_Static_assert(offsetof(struct machine, mxcsr) == 112, "as the code has it");

static uint64_t roll(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Numbers of all kinds, as doubles and as pairs of floats: NaN, infinite, zero
 * of either sign, denormal, what does not fit an integer, any bits. */
static uint64_t any_lane(uint64_t *state)
{
    static const uint64_t doubles[] = {0,
                                       0x8000000000000000,
                                       0x3ff0000000000000,
                                       0xbff8000000000000,
                                       0x7ff0000000000000,
                                       0xfff0000000000000,
                                       0x7ff8000000000000,
                                       0x7ff0000000000001,
                                       0x0000000000000001,
                                       0x800fffffffffffff,
                                       0x4004000000000000,
                                       0x43e0000000000000,
                                       0xc1e0000000000000,
                                       0x41dfffffffc00000,
                                       0x7fefffffffffffff,
                                       0x3fe0000000000000};
    static const uint32_t floats[] = {
        0,          0x80000000, 0x3f800000, 0xbfc00000, 0x7f800000, 0xff800000,
        0x7fc00000, 0x7f800001, 0x00000001, 0x807fffff, 0x40200000, 0x5f000000,
        0xcf000000, 0x4effffff, 0x7f7fffff, 0x3f000000};
    uint64_t value = roll(state);

    switch (roll(state) % 4) {
    case 0:
        return doubles[value % COUNT(doubles)];
    case 1:
        return (uint64_t)floats[value % COUNT(floats)] << 32 |
               floats[value / 64 % COUNT(floats)];
    case 2:
        return value % 100;
    default:
        return value;
    }
}

/* With the registers xmm0, xmm1, xmm2 and rax. */
static const char *const computed[] = {
    "f20f58c1",     /* addsd xmm0, xmm1 */
    "f30f58c1",     /* addss xmm0, xmm1 */
    "660f58c1",     /* addpd xmm0, xmm1 */
    "0f58c1",       /* addps xmm0, xmm1 */
    "f20f5cc1",     /* subsd xmm0, xmm1 */
    "0f5cc1",       /* subps xmm0, xmm1 */
    "f20f59c1",     /* mulsd xmm0, xmm1 */
    "f30f59c1",     /* mulss xmm0, xmm1 */
    "660f59c1",     /* mulpd xmm0, xmm1 */
    "f20f5ec1",     /* divsd xmm0, xmm1 */
    "f30f5ec1",     /* divss xmm0, xmm1 */
    "0f5ec1",       /* divps xmm0, xmm1 */
    "f20f5dc1",     /* minsd xmm0, xmm1 */
    "f30f5fc1",     /* maxss xmm0, xmm1 */
    "0f5dc1",       /* minps xmm0, xmm1 */
    "660f5fc1",     /* maxpd xmm0, xmm1 */
    "f20f51c1",     /* sqrtsd xmm0, xmm1 */
    "f30f51c1",     /* sqrtss xmm0, xmm1 */
    "660f51c1",     /* sqrtpd xmm0, xmm1 */
    "0f51c1",       /* sqrtps xmm0, xmm1 */
    "660f54c1",     /* andpd xmm0, xmm1 */
    "0f55c1",       /* andnps xmm0, xmm1 */
    "0f56c1",       /* orps xmm0, xmm1 */
    "660f57c1",     /* xorpd xmm0, xmm1 */
    "0f57c0",       /* xorps xmm0, xmm0 */
    "660ffcc1",     /* paddb xmm0, xmm1 */
    "660ffdc1",     /* paddw xmm0, xmm1 */
    "660ffec1",     /* paddd xmm0, xmm1 */
    "660fd4c1",     /* paddq xmm0, xmm1 */
    "660ff8c1",     /* psubb xmm0, xmm1 */
    "660ffbc1",     /* psubq xmm0, xmm1 */
    "660fd5c1",     /* pmullw xmm0, xmm1 */
    "660f3840c1",   /* pmulld xmm0, xmm1 */
    "660f3839c1",   /* pminsd xmm0, xmm1 */
    "660fdec1",     /* pmaxub xmm0, xmm1 */
    "660f383ac1",   /* pminuw xmm0, xmm1 */
    "660feec1",     /* pmaxsw xmm0, xmm1 */
    "660f76c1",     /* pcmpeqd xmm0, xmm1 */
    "660f74c1",     /* pcmpeqb xmm0, xmm1 */
    "660f66c1",     /* pcmpgtd xmm0, xmm1 */
    "660f3837c1",   /* pcmpgtq xmm0, xmm1 */
    "660f72f005",   /* pslld xmm0, 5 */
    "660f73d021",   /* psrlq xmm0, 33 */
    "660f71e003",   /* psraw xmm0, 3 */
    "660fe2c1",     /* psrad xmm0, xmm1 */
    "660ff3c1",     /* psllq xmm0, xmm1 */
    "660f381ec1",   /* pabsd xmm0, xmm1 */
    "660fdbc1",     /* pand xmm0, xmm1 */
    "660fdfc1",     /* pandn xmm0, xmm1 */
    "660febc1",     /* por xmm0, xmm1 */
    "660fefc1",     /* pxor xmm0, xmm1 */
    "660f3a0bc100", /* roundsd xmm0, xmm1, 0 */
    "660f3a0bc101", /* roundsd xmm0, xmm1, 1 */
    "660f3a0ac102", /* roundss xmm0, xmm1, 2 */
    "660f3a08c103", /* roundps xmm0, xmm1, 3 */
    "660f3a09c104", /* roundpd xmm0, xmm1, 4 */
    "660f2ec1",     /* ucomisd xmm0, xmm1 */
    "0f2fc1",       /* comiss xmm0, xmm1 */
    "f20fc2c101",   /* cmpltsd xmm0, xmm1 */
    "0fc2c104",     /* cmpneqps xmm0, xmm1 */
    "660fc2c103",   /* cmpunordpd xmm0, xmm1 */
    "f30fc2c106",   /* cmpnless xmm0, xmm1 */
    "f20f2ac0",     /* cvtsi2sd xmm0, eax */
    "f2480f2ac0",   /* cvtsi2sd xmm0, rax */
    "f3480f2ac0",   /* cvtsi2ss xmm0, rax */
    "f20f2cc1",     /* cvttsd2si eax, xmm1 */
    "f2480f2cc1",   /* cvttsd2si rax, xmm1 */
    "f2480f2dc1",   /* cvtsd2si rax, xmm1 */
    "f30f2dc1",     /* cvtss2si eax, xmm1 */
    "f3480f2cc1",   /* cvttss2si rax, xmm1 */
    "f30f5ac1",     /* cvtss2sd xmm0, xmm1 */
    "f20f5ac1",     /* cvtsd2ss xmm0, xmm1 */
    "f30fe6c1",     /* cvtdq2pd xmm0, xmm1 */
    "0f5bc1",       /* cvtdq2ps xmm0, xmm1 */
    "0f5ac1",       /* cvtps2pd xmm0, xmm1 */
    "660f5ac1",     /* cvtpd2ps xmm0, xmm1 */
    "f30f5bc1",     /* cvttps2dq xmm0, xmm1 */
    "f20fe6c1",     /* cvtpd2dq xmm0, xmm1 */
    "660f5bc1",     /* cvtps2dq xmm0, xmm1 */
    "f20f10c1",     /* movsd xmm0, xmm1 */
    "f30f10c1",     /* movss xmm0, xmm1 */
    "0f28c1",       /* movaps xmm0, xmm1 */
    "660f28c1",     /* movapd xmm0, xmm1 */
    "660f6fc1",     /* movdqa xmm0, xmm1 */
    "f30f7ec1",     /* movq xmm0, xmm1 */
    "66480f7ec8",   /* movq rax, xmm1 */
    "660f7ec8",     /* movd eax, xmm1 */
    "66480f6ec0",   /* movq xmm0, rax */
    "660f6ec0",     /* movd xmm0, eax */
    "660f70c11b",   /* pshufd xmm0, xmm1, 0x1b */
    "f20f70c12d",   /* pshuflw xmm0, xmm1, 0x2d */
    "f30f70c1c6",   /* pshufhw xmm0, xmm1, 0xc6 */
    "0fc6c14e",     /* shufps xmm0, xmm1, 0x4e */
    "660fc6c101",   /* shufpd xmm0, xmm1, 1 */
    "660f14c1",     /* unpcklpd xmm0, xmm1 */
    "660f15c1",     /* unpckhpd xmm0, xmm1 */
    "0f14c1",       /* unpcklps xmm0, xmm1 */
    "0f15c1",       /* unpckhps xmm0, xmm1 */
    "660f60c1",     /* punpcklbw xmm0, xmm1 */
    "660f69c1",     /* punpckhwd xmm0, xmm1 */
    "660f62c1",     /* punpckldq xmm0, xmm1 */
    "660f6cc1",     /* punpcklqdq xmm0, xmm1 */
    "660f6dc1",     /* punpckhqdq xmm0, xmm1 */
    "0f12c1",       /* movhlps xmm0, xmm1 */
    "0f16c1",       /* movlhps xmm0, xmm1 */
    "f20f12c1",     /* movddup xmm0, xmm1 */
    "f30f12c1",     /* movsldup xmm0, xmm1 */
    "f30f16c1",     /* movshdup xmm0, xmm1 */
    "660f73f803",   /* pslldq xmm0, 3 */
    "660f73d808",   /* psrldq xmm0, 8 */
    "c5f358c2",     /* vaddsd xmm0, xmm1, xmm2 */
    "c5f559c2",     /* vmulpd ymm0, ymm1, ymm2 */
    "c5f45ec2",     /* vdivps ymm0, ymm1, ymm2 */
    "c5f351c2",     /* vsqrtsd xmm0, xmm1, xmm2 */
    "c5f555c2",     /* vandnpd ymm0, ymm1, ymm2 */
    "c5f5fec2",     /* vpaddd ymm0, ymm1, ymm2 */
    "c5f5efc2",     /* vpxor ymm0, ymm1, ymm2 */
    "c5f1f8c2",     /* vpsubb xmm0, xmm1, xmm2 */
    "c5fd72f107",   /* vpslld ymm0, ymm1, 7 */
    "c5f5d3c2",     /* vpsrlq ymm0, ymm1, xmm2 */
    "c5f5c2c201",   /* vcmpltpd ymm0, ymm1, ymm2 */
    "c5f82ec1",     /* vucomiss xmm0, xmm1 */
    "c4e1f32ac0",   /* vcvtsi2sd xmm0, xmm1, rax */
    "c4e1fb2cc1",   /* vcvttsd2si rax, xmm1 */
    "c5f25ac2",     /* vcvtss2sd xmm0, xmm1, xmm2 */
    "c5fee6c1",     /* vcvtdq2pd ymm0, xmm1 */
    "c5fd5ac1",     /* vcvtpd2ps xmm0, ymm1 */
    "c5fe5bc1",     /* vcvttps2dq ymm0, ymm1 */
    "c4e37d09c101", /* vroundpd ymm0, ymm1, 1 */
    "c5fc28c1",     /* vmovaps ymm0, ymm1 */
    "c5fa6fc1",     /* vmovdqu xmm0, xmm1 */
    "c5fd70c11b",   /* vpshufd ymm0, ymm1, 0x1b */
    "c5f4c6c24e",   /* vshufps ymm0, ymm1, ymm2, 0x4e */
    "c5f515c2",     /* vunpckhpd ymm0, ymm1, ymm2 */
    "c5f560c2",     /* vpunpcklbw ymm0, ymm1, ymm2 */
    "c4e37d04c11b", /* vpermilps ymm0, ymm1, 0x1b */
    "c4e37d05c105", /* vpermilpd ymm0, ymm1, 5 */
    "c4e27d19c1",   /* vbroadcastsd ymm0, xmm1 */
    "c4e27d78c1",   /* vpbroadcastb ymm0, xmm1 */
    "c5ff12c1",     /* vmovddup ymm0, ymm1 */
    "c5fd73d905",   /* vpsrldq ymm0, ymm1, 5 */
    "c4e2f199c2",   /* vfmadd132sd xmm0, xmm1, xmm2 */
    "c4e2f5a8c2",   /* vfmadd213pd ymm0, ymm1, ymm2 */
    "c4e271b9c2",   /* vfmadd231ss xmm0, xmm1, xmm2 */
    "c4e275bac2",   /* vfmsub231ps ymm0, ymm1, ymm2 */
    "c4e2f1adc2",   /* vfnmadd213sd xmm0, xmm1, xmm2 */
    "c4e2f19ec2",   /* vfnmsub132pd xmm0, xmm1, xmm2 */
};

static void take(struct vregs *vregs, const struct machine *machine)
{
    vregs_init(vregs);
    for (int i = 0; i < 3; i++)
        memcpy(vregs->vector[i], machine->vector[i], 32);
    memcpy(vregs->mxcsr, &machine->mxcsr, 4);
}

/* Each instruction has a sentence whatever it computes with: none says what the
 * CPU did not do, for then the changes would be listed. */
Test(lanes, the_cpu_computes_what_we_say)
{
    const bool has_avx =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t state = 0x9e3779b97f4a7c15;

    cr_assert(page != MAP_FAILED);
    for (size_t round = 0; round < 200 * COUNT(computed); round++) {
        const char *hex = computed[round % COUNT(computed)];
        const bool wide = hex[0] == 'c' && (hex[1] == '4' || hex[1] == '5');
        size_t len = unhex(hex, page);
        struct machine before, after;
        struct vregs vregs_before, vregs_after;
        struct regs regs_before = {{0}}, regs_after;
        struct buf text = {0};
        struct insn insn;

        if (wide && !has_avx)
            continue;
        memset(&before, 0, sizeof before);
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < (wide ? 4 : 2); k++) {
                uint64_t lane = any_lane(&state);

                memcpy(before.vector[i] + 8 * k, &lane, 8);
            }
        before.rax = any_lane(&state);
        before.flags = 0x202;
        before.mxcsr = 0x1f80 | (uint32_t)(roll(&state) % 4) << 13;
        after = before;
        page[len] = 0xc3; /* ret */
        execute(page, &after, wide);
        insn_decode(page, len, 0, &insn);
        regs_before.value[0] = before.rax; /* the first of regs.def */
        regs_after = regs_before;
        regs_after.value[0] = after.rax;
        regs_after.value[REG_FLAGS] = after.flags;
        take(&vregs_before, &before);
        take(&vregs_after, &after);
        effect_describe(&(struct executed){.insn = &insn,
                                           .before = &regs_before,
                                           .after = &regs_after,
                                           .vregs_before = &vregs_before,
                                           .vregs_after = &vregs_after},
                        &text);
        cr_expect(strstr(buf_text(&text), " -> ") == NULL &&
                      strstr(buf_text(&text), "changes no") == NULL,
                  "%s: %s", insn.text, buf_text(&text));
        buf_release(&text);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Tests of src/cpu/: bytes to text, fields, memory accesses and sentences.
 *
 * Expectations are written down, or come from somebody else: objdump for
 * lengths and mnemonics, the CPU itself for where memory is touched and for
 * what a computation yields.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "support/support.h"
#include "cpu/calling.h"
#include "cpu/fault.h"
#include "cpu/effect.h"
#include "cpu/insn.h"
#include "cpu/regs.h"
#include "cpu/split.h"

TestSuite(x86, .timeout = 20);

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Where all instructions of these tables lie. */
#define HERE 0x401000

/* Reads hex digits, blanks between them allowed; returns how many bytes. */
static size_t unhex(const char *hex, uint8_t *out)
{
    size_t count = 0;

    while (*hex) {
        unsigned byte;

        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        if (sscanf(hex, "%2x", &byte) != 1)
            abort();
        out[count++] = (uint8_t)byte;
        hex += 2;
    }
    return count;
}

static int decode(const char *hex, struct insn *insn)
{
    uint8_t code[32];
    size_t len = unhex(hex, code);

    return insn_decode(code, len, HERE, insn);
}

/* Decodes what must decode, all of it. */
static struct insn decoded(const char *hex)
{
    struct insn insn = {0};
    uint8_t code[32];
    size_t len = unhex(hex, code);

    cr_assert(eq(int, decode(hex, &insn), 1), "%s", hex);
    cr_assert(eq(sz, insn.length, len), "%s", hex);
    cr_assert(eq(int, memcmp(insn.bytes, code, len), 0), "%s", hex);
    return insn;
}

/* Reads "rax=1 rdi=0x10" into regs. */
static void read_regs(const char *text, struct regs *regs)
{
    char name[16];
    char value[32];
    int used;

    while (sscanf(text, " %15[^=]=%31s%n", name, value, &used) == 2) {
        enum reg reg = reg_find(name);

        if (reg == REG_NONE)
            abort();
        regs->value[reg] = *value == '-' ? (uint64_t)strtoll(value, NULL, 0)
                                         : strtoull(value, NULL, 0);
        text += used;
    }
}

/* ---------------------------------------------------------------- registers */

Test(x86, register_names)
{
    cr_assert(eq(str, (char *)reg_name(X86_RAX), "rax"));
    cr_assert(eq(str, (char *)reg_name(X86_GS_BASE), "gs_base"));
    for (int reg = 0; reg < REG_COUNT; reg++)
        cr_assert(eq(int, reg_find(reg_name((enum reg)reg)), reg));
    cr_assert(eq(int, reg_find("RAX"), REG_NONE));
    cr_assert(eq(int, reg_find(""), REG_NONE));
}

Test(x86, names_of_register_parts)
{
    static const struct {
        enum reg reg;
        unsigned bits;
        bool high;
        const char *name;
    } cases[] = {
        {X86_RAX, 64, false, "rax"},       {X86_RAX, 32, false, "eax"},
        {X86_RBX, 16, false, "bx"},        {X86_RCX, 8, false, "cl"},
        {X86_RDX, 8, true, "dh"},          {X86_RSI, 8, false, "sil"},
        {X86_RSP, 32, false, "esp"},       {X86_RBP, 16, false, "bp"},
        {X86_RDI, 8, false, "dil"},        {X86_R8, 64, false, "r8"},
        {X86_R8, 32, false, "r8d"},        {X86_R10, 16, false, "r10w"},
        {X86_R15, 8, false, "r15b"},       {X86_RIP, 64, false, "rip"},
        {X86_RFLAGS, 64, false, "rflags"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf buf = {0};

        reg_part_name(cases[i].reg, cases[i].bits, cases[i].high, &buf);
        cr_assert(eq(str, (char *)buf_text(&buf), (char *)cases[i].name));
        buf_release(&buf);
    }
}

/* The byte registers of the same number, with a REX prefix and without. */
Test(x86, registers_beside_the_high_ones)
{
    static const struct {
        const char *plain, *rex;
    } cases[] = {
        {"b0 01", "40 b0 01"}, /* mov al */
        {"b4 01", "40 b4 01"}, /* mov ah, spl */
        {"b5 01", "40 b5 01"}, {"b6 01", "40 b6 01"}, {"b7 01", "40 b7 01"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct insn plain = decoded(cases[i].plain),
                    rex = decoded(cases[i].rex);
        const struct insn_operand *operand = &plain.operands[0];

        cr_assert(eq(int, operand->high, i > 0));
        if (operand->high)
            cr_assert(
                eq(int, reg_beside_high(operand->reg), rex.operands[0].reg));
    }
    cr_assert(eq(int, reg_beside_high(X86_RSI), REG_NONE));
}

Test(x86, arguments_follow_the_psabi)
{
    static const char *const names[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};

    for (int i = 0; i < REG_ARGUMENTS; i++)
        cr_assert(eq(str, (char *)reg_name(reg_argument[i]), (char *)names[i]));
    cr_assert(eq(int, REG_RESULT, X86_RAX));
}

/* Of a value that an instruction left as it was: did it come from there? */
Test(x86, what_an_instruction_sets)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool sets; /* rcx */
    } cases[] = {
        {"\x31\xc9", 2, true},        /* xor ecx, ecx */
        {"\x48\x29\xc9", 3, true},    /* sub rcx, rcx */
        {"\x31\xc1", 2, false},       /* xor ecx, eax */
        {"\xb9\x01\0\0\0", 5, true},  /* mov ecx, 1 */
        {"\xb1\x01", 2, false},       /* mov cl, 1 */
        {"\x66\xb9\x01\0", 4, false}, /* mov cx, 1 */
        {"\x48\x83\xc1\0", 4, false}, /* add rcx, 0 */
        {"\x0f\x44\xc8", 3, false},   /* cmovz ecx, eax */
        {"\x8b\x09", 2, true},        /* mov ecx, [rcx] */
        {"\x89\x01", 2, false},       /* mov [rcx], eax */
        {"\x59", 1, true},            /* pop rcx */
        {"\x0f\x05", 2, true},        /* syscall */
        {"\xf3\xa4", 2, false},       /* rep movsb */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct insn insn;

        cr_assert(eq(int,
                     insn_decode((const uint8_t *)cases[i].bytes, cases[i].len,
                                 HERE, &insn),
                     1));
        cr_expect(eq(int, insn_sets(&insn, X86_RCX), cases[i].sets), "%s",
                  insn.text);
    }
}

Test(x86, register_differences)
{
    struct regs before = {{0}};
    struct regs after = {{0}};
    struct reg_change changes[REG_COUNT];

    cr_assert(eq(sz, regs_diff(&before, &after, changes), 0));
    read_regs("rax=1 rip=0x401000 gs_base=7", &before);
    read_regs("rax=2 rip=0x401007 rflags=0x246 gs_base=7", &after);
    cr_assert(eq(sz, regs_diff(&before, &after, changes), 2));
    cr_assert(eq(int, changes[0].reg, X86_RAX));
    cr_assert(eq(u64, changes[0].old_value, 1));
    cr_assert(eq(u64, changes[0].new_value, 2));
    cr_assert(eq(int, changes[1].reg, X86_RFLAGS));
}

Test(x86, flags_by_name)
{
    static const struct {
        uint64_t flags;
        const char *text;
    } cases[] = {
        {0, "none"},      {0x202, "none"}, {0x246, "PF ZF"},
        {0x1, "CF"},      {0x10, "AF"},    {0x880, "SF OF"},
        {0x500, "DF TF"}, {0x40, "ZF"},    {0xfff, "CF PF AF ZF SF OF DF TF"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf buf = {0};

        flags_describe(cases[i].flags, &buf);
        cr_assert(eq(str, (char *)buf_text(&buf), (char *)cases[i].text));
        buf_release(&buf);
    }
}

/* ------------------------------------------------------------------ decoding */

static const struct {
    const char *hex;
    enum insn_kind kind;
    const char *mnemonic;
    const char *text;
} texts[] = {
    {"48c7c0fcffffff", INSN_PLAIN, "mov", "mov rax, -4"},
    {"4801f8", INSN_PLAIN, "add", "add rax, rdi"},
    {"c3", INSN_RETURN, "ret", "ret"},
    {"c20800", INSN_RETURN, "ret", "ret 8"},
    {"cb", INSN_PLAIN, "ret", "ret far"},
    {"488b448df8", INSN_PLAIN, "mov", "mov rax, [rbp+rcx*4-8]"},
    {"488b0510000000", INSN_PLAIN, "mov", "mov rax, [rip+16]"},
    {"488d05f9ffffff", INSN_PLAIN, "lea", "lea rax, [rip-7]"},
    {"64488b042528000000", INSN_PLAIN, "mov", "mov rax, fs:[0x28]"},
    {"b8ffffffff", INSN_PLAIN, "mov", "mov eax, -1"},
    {"48b8ffffffffffffffff", INSN_PLAIN, "mov", "mov rax, -1"},
    {"48b8efcdab9078563412", INSN_PLAIN, "mov", "mov rax, 0x1234567890abcdef"},
    {"48b80000000001000000", INSN_PLAIN, "mov", "mov rax, 0x100000000"},
    {"6af0", INSN_PLAIN, "push", "push -16"},
    {"c1e004", INSN_PLAIN, "shl", "shl eax, 4"},
    {"e8fbffffff", INSN_CALL, "call", "call 0x401000"},
    {"ffd0", INSN_CALL, "call", "call rax"},
    {"ff18", INSN_PLAIN, "call", NULL},
    {"eb02", INSN_JUMP, "jmp", "jmp 0x401004"},
    {"ffe0", INSN_JUMP, "jmp", "jmp rax"},
    {"74fe", INSN_BRANCH, "jz", "jz 0x401000"},
    {"0f8400010000", INSN_BRANCH, "jz", "jz 0x401106"},
    {"e2fe", INSN_BRANCH, "loop", "loop 0x401000"},
    {"e300", INSN_BRANCH, "jrcxz", "jrcxz 0x401002"},
    {"0f05", INSN_SYSCALL, "syscall", "syscall"},
    {"cd80", INSN_SYSCALL, "int", "int 128"},
    {"cc", INSN_PLAIN, "int3", "int3"},
    {"9c", INSN_SAVES_FLAGS, "pushfq", "pushfq"},
    {"669d", INSN_LOADS_FLAGS, "popf", "popf"},
    {"9d", INSN_LOADS_FLAGS, "popfq", "popfq"},
    {"f348a5", INSN_PLAIN, "movsq", "rep movsq"},
    {"0f1f440000", INSN_PLAIN, "nop", NULL},
    {"f30f1efa", INSN_PLAIN, "endbr64", "endbr64"},
    {"48ff03", INSN_PLAIN, "inc", "inc qword ptr [rbx]"},
    {"d323", INSN_PLAIN, "shl", "shl dword ptr [rbx], cl"},
    {"0f9403", INSN_PLAIN, "setz", "setz byte ptr [rbx]"},
    {"f2480f2a03", INSN_PLAIN, "cvtsi2sd", "cvtsi2sd xmm0, qword ptr [rbx]"},
    {"0f2803", INSN_PLAIN, "movaps", "movaps xmm0, [rbx]"},
    {"8d47fc", INSN_PLAIN, "lea", "lea eax, [rdi-4]"},
    {"0fae3b", INSN_PLAIN, "clflush", "clflush [rbx]"},
    {"c5f96fc1", INSN_PLAIN, "vmovdqa", "vmovdqa xmm0, xmm1"},
};

Test(x86, text_and_kind)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct insn insn = decoded(texts[i].hex);

        cr_assert(eq(int, insn.kind, texts[i].kind), "%s", texts[i].hex);
        cr_assert(eq(str, insn.mnemonic, (char *)texts[i].mnemonic));
        cr_assert(eq(u64, insn.addr, HERE));
        if (texts[i].text)
            cr_assert(eq(str, insn.text, (char *)texts[i].text));
    }
}

/* Longest texts: nothing is cut in the middle of an operand. */
Test(x86, long_text_fits)
{
    struct insn insn = decoded("62f17dcf6f842411223344");

    cr_assert(eq(str, insn.text,
                 "vmovdqa32 zmm0 {k7} {z}, zmmword ptr [rsp+1144201745]"));
}

/* Every beginning of an instruction is one that ends too early. */
Test(x86, void_prefixes)
{
    static const struct {
        const char *hex;
        uint8_t ignored;
    } cases[] = {
        {"66 41 c7 00 34 12", 0},    /* mov word ptr [r8], 0x1234 */
        {"41 66 c7 00 34 12", 0x41}, /* the same to [rax] */
        {"48 f2 0f 2a c0", 0x48},    /* cvtsi2sd xmm0, eax */
        {"f2 48 0f 2a c0", 0},       /* cvtsi2sd xmm0, rax */
        {"48 49 89 f8", 0x48},       /* mov r8, rdi */
        {"48 89 f8", 0},
        {"40 66 89 f8", 0}, /* it would change nothing */
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        cr_assert(eq(u8, decoded(cases[i].hex).void_prefix, cases[i].ignored),
                  "%s", cases[i].hex);
}

Test(x86, what_is_behind_runs)
{
    static const struct {
        const char *hex;
        bool goes_on;
    } cases[] = {
        {"90", true},
        {"c3", false},
        {"eb 00", false},
        {"ff e0", false},
        {"74 00", true},
        {"e8 00 00 00 00", true},
        {"cc", false},
        {"0f 0b", false},
        {"f4", false},
        {"0f 05", true},
        {"e9 00 00 00 00", false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct insn insn = decoded(cases[i].hex);

        cr_assert(eq(int, insn_goes_on(&insn), cases[i].goes_on), "%s",
                  cases[i].hex);
    }
}

Test(x86, truncated)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        uint8_t code[32];
        size_t len = unhex(texts[i].hex, code);
        struct insn insn;
        struct insn untouched;

        memset(&insn, 0x5a, sizeof insn);
        memset(&untouched, 0x5a, sizeof untouched);
        for (size_t part = 0; part < len; part++) {
            cr_assert(eq(int, insn_decode(code, part, HERE, &insn), 0),
                      "%zu bytes of %s", part, texts[i].hex);
            cr_assert(eq(int, memcmp(&insn, &untouched, sizeof insn), 0));
        }
        cr_assert(eq(int, insn_decode(code, len + 1, HERE, &insn), 1));
        cr_assert(eq(sz, insn.length, len));
    }
}

Test(x86, invalid)
{
    /* push es; salc; a lock that add to a register does not take; 16 bytes. */
    static const char *const cases[] = {
        "06",   "d6",         "f04801f8",
        "0f04", "c4e3ffff00", "66666666666666666666666666666690",
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct insn insn;
        struct insn untouched;

        memset(&insn, 0x5a, sizeof insn);
        memset(&untouched, 0x5a, sizeof untouched);
        cr_assert(eq(int, decode(cases[i], &insn), -1), "%s", cases[i]);
        cr_assert(eq(int, memcmp(&insn, &untouched, sizeof insn), 0));
    }
}

/* -------------------------------------------------------------------- fields */

/* "imm32 -4 to 64: ..." : everything that a field says, and its bits. */
static void write_field(const struct insn_field *field, struct buf *out)
{
    field_name(field, out);
    if (field->digit >= 0)
        buf_printf(out, " /%d", field->digit);
    if (field->kind == FIELD_DISPLACEMENT || field->kind == FIELD_IMMEDIATE)
        buf_printf(out, " %lld", (long long)field->value);
    if (field->kind == FIELD_IMMEDIATE)
        buf_printf(out, "%s to %d", field->is_signed ? "" : "u",
                   field->extended_bits);
    buf_append_text(out, ":");
}

static void write_fields(const struct insn *insn, struct buf *out)
{
    struct insn_bits bits[INSN_MAX_BITS];
    size_t count = insn_split(insn, bits);

    for (size_t i = 0; i < count; i++) {
        if (!i || bits[i].field != bits[i - 1].field) {
            buf_append_text(out, i ? " | " : "");
            write_field(&insn->fields[bits[i].field], out);
        }
        buf_printf(out, " %s=%x", bits[i].label, bits[i].value);
    }
}

#define BYTES4(name, a, b, c, d)                                        \
    name " 7..0=" a " " name " 15..8=" b " " name " 23..16=" c " " name \
         " 31..24=" d

static const struct {
    const char *hex;
    const char *fields;
} field_cases[] = {
    {"48c7c0fcffffff", /* mov rax, -4 */
     "REX: 0100=4 W=1 R=0 X=0 B=0 | opcode /0: opcode=c7 | "
     "ModRM: mod=3 reg=0 rm=0 | "
     "imm32 -4 to 64: " BYTES4("imm", "fc", "ff", "ff", "ff")},
    {"4801f8", /* add rax, rdi */
     "REX: 0100=4 W=1 R=0 X=0 B=0 | opcode: opcode=1 | "
     "ModRM: mod=3 reg=7 rm=0"},
    {"c3", "opcode: opcode=c3"},
    {"488b448df8", /* mov rax, [rbp+rcx*4-8] */
     "REX: 0100=4 W=1 R=0 X=0 B=0 | opcode: opcode=8b | "
     "ModRM: mod=1 reg=0 rm=4 | SIB: scale=2 index=1 base=5 | "
     "disp8 -8: disp 7..0=f8"},
    {"4d8b9c2480000000", /* mov r11, [r12+128] */
     "REX: 0100=4 W=1 R=1 X=0 B=1 | opcode: opcode=8b | "
     "ModRM: mod=2 reg=3 rm=4 | SIB: scale=0 index=4 base=4 | "
     "disp32 128: " BYTES4("disp", "80", "0", "0", "0")},
    {"4157", /* push r15: the register is in the opcode */
     "REX: 0100=4 W=0 R=0 X=0 B=1 | opcode: opcode=a reg=7"},
    {"48b8efcdab9078563412", /* mov rax, imm64 */
     "REX: 0100=4 W=1 R=0 X=0 B=0 | opcode: opcode=17 reg=0 | "
     "imm64 1311768467294899695 to 64: " BYTES4(
         "imm", "ef", "cd", "ab",
         "90") " imm 39..32=78 imm 47..40=56 imm 55..48=34 imm 63..56=12"},
    {"e8fbffffff", /* call, counted from the next instruction */
     "opcode: opcode=e8 | "
     "rel32 -5 to 64: " BYTES4("rel", "fb", "ff", "ff", "ff")},
    {"74fe", "opcode: opcode=74 | rel8 -2 to 64: rel 7..0=fe"},
    {"0f8400010000", "opcode: opcode=f opcode=84 | "
                     "rel32 256 to 64: " BYTES4("rel", "0", "1", "0", "0")},
    {"6af0", "opcode: opcode=6a | imm8 -16 to 64: imm 7..0=f0"},
    {"83c8f0", /* or eax, -16 */
     "opcode /1: opcode=83 | ModRM: mod=3 reg=1 rm=0 | "
     "imm8 -16 to 32: imm 7..0=f0"},
    {"c1e01f", /* shl: the count has no sign */
     "opcode /4: opcode=c1 | ModRM: mod=3 reg=4 rm=0 | "
     "imm8 31u to 8: imm 7..0=1f"},
    {"c8100002", /* enter has two immediates */
     "opcode: opcode=c8 | imm16 16u to 16: imm 7..0=10 imm 15..8=0 | "
     "imm8 2u to 8: imm 7..0=2"},
    {"66b8ffff", /* mov ax, -1 */
     "prefix: operand size=66 | opcode: opcode=17 reg=0 | "
     "imm16 -1 to 16: imm 7..0=ff imm 15..8=ff"},
    {"f0480fb10f", /* lock cmpxchg [rdi], rcx */
     "prefix: lock=f0 | REX: 0100=4 W=1 R=0 X=0 B=0 | "
     "opcode: opcode=f opcode=b1 | ModRM: mod=0 reg=1 rm=7"},
    {"f348a5", /* rep movsq */
     "prefix: rep=f3 | REX: 0100=4 W=1 R=0 X=0 B=0 | opcode: opcode=a5"},
    {"660f6ec0", /* movd xmm0, eax: here 66 is no operand size */
     "prefix: mandatory prefix=66 | opcode: opcode=f opcode=6e | "
     "ModRM: mod=3 reg=0 rm=0"},
    {"65678b03", /* mov eax, gs:[ebx] */
     "prefixes: gs=65 address size=67 | opcode: opcode=8b | "
     "ModRM: mod=0 reg=0 rm=3"},
    {"0f94c0", /* setz al: ModRM.reg means nothing */
     "opcode: opcode=f opcode=94 | ModRM: mod=3 reg=0 rm=0"},
    {"0f1f00", /* nop [rax], which is 0F 1F /0 */
     "opcode /0: opcode=f opcode=1f | ModRM: mod=0 reg=0 rm=0"},
    {"c5f96fc1", /* vmovdqa xmm0, xmm1 */
     "VEX: 11000101=c5 ~R=1 ~vvvv=f L=0 pp=1 | opcode: opcode=6f | "
     "ModRM: mod=3 reg=0 rm=1"},
    {"c4e2f1b8c2", /* vfmadd231pd xmm0, xmm1, xmm2 */
     "VEX: 11000100=c4 ~R=1 ~X=1 ~B=1 mmmmm=2 W=1 ~vvvv=e L=0 pp=1 | "
     "opcode: opcode=b8 | ModRM: mod=3 reg=0 rm=2"},
    {"62f17c4810440101", /* vmovups zmm0, [rcx+rax+64]: disp8 counts 64s */
     "EVEX: 01100010=62 ~R=1 ~X=1 ~B=1 ~R'=1 0=0 mmm=1 W=0 ~vvvv=f 1=1 pp=0 "
     "z=0 L'L=2 b=0 ~V'=1 aaa=0 | opcode: opcode=10 | "
     "ModRM: mod=1 reg=0 rm=4 | SIB: scale=0 index=0 base=1 | "
     "disp8 1: disp 7..0=1"},
};

Test(x86, fields)
{
    for (size_t i = 0; i < COUNT(field_cases); i++) {
        struct insn insn = decoded(field_cases[i].hex);
        struct buf buf = {0};

        write_fields(&insn, &buf);
        cr_assert(
            eq(str, (char *)buf_text(&buf), (char *)field_cases[i].fields),
            "%s", field_cases[i].hex);
        buf_release(&buf);
    }
}

/* A relative immediate's operand is the target that it means. */
Test(x86, relative_targets)
{
    struct insn insn = decoded("e8fbffffff");

    cr_assert(eq(int, insn.fields[1].is_relative, 1));
    cr_assert(eq(i64, insn.operands[0].immediate, HERE));
    insn = decoded("48c7c0fcffffff");
    cr_assert(eq(int, insn.fields[3].is_relative, 0));
    cr_assert(eq(i64, insn.operands[1].immediate, -4));
}

Test(x86, operands)
{
    struct insn insn = decoded("4801f8"); /* add rax, rdi */

    cr_assert(eq(int, insn.operand_count, 3));
    cr_assert(eq(int, insn.operands[0].reg, X86_RAX));
    cr_assert(eq(int, insn.operands[0].read &&insn.operands[0].written, 1));
    cr_assert(eq(int, insn.operands[1].reg, X86_RDI));
    cr_assert(eq(int, insn.operands[1].written, 0));
    cr_assert(eq(int, insn.operands[2].reg, X86_RFLAGS));
    cr_assert(eq(int, insn.operands[2].hidden, 1));

    insn = decoded("88640e80"); /* mov [rsi+rcx-128], ah */
    cr_assert(eq(int, insn.operands[0].kind, OPERAND_MEMORY));
    cr_assert(eq(int, insn.operands[0].base, X86_RSI));
    cr_assert(eq(int, insn.operands[0].index, X86_RCX));
    cr_assert(eq(int, insn.operands[0].scale, 1));
    cr_assert(eq(i64, insn.operands[0].displacement, -128));
    cr_assert(eq(int, insn.operands[0].segment, REG_NONE));
    cr_assert(eq(int, insn.operands[1].reg, X86_RAX));
    cr_assert(eq(int, insn.operands[1].high, 1));
    cr_assert(eq(int, insn.operands[1].bits, 8));

    insn = decoded("660fefc0"); /* pxor xmm0, xmm0 */
    cr_assert(eq(int, insn.operands[0].reg, REG_NONE));
    cr_assert(eq(int, insn.operands[0].written, 1));
}

/* Every bit has one label, and the labelled values make up the bytes again. */
static void check_split(const struct insn *insn)
{
    struct insn_bits bits[INSN_MAX_BITS];
    size_t count = insn_split(insn, bits);
    uint8_t bytes[INSN_MAX_LENGTH] = {0};
    unsigned next = 0;

    for (size_t i = 0; i < count; i++) {
        const struct insn_field *field = &insn->fields[bits[i].field];

        cr_assert(eq(int, bits[i].byte * 8 + 7 - bits[i].high, next), "%s",
                  insn->text);
        cr_assert(ge(int, bits[i].byte, field->offset));
        cr_assert(lt(int, bits[i].byte, field->offset + field->size));
        cr_assert(ne(int, bits[i].label[0], 0));
        bytes[bits[i].byte] |=
            (uint8_t)(bits[i].value << (bits[i].high + 1 - bits[i].width));
        next += bits[i].width;
    }
    cr_assert(eq(int, next, insn->length * 8), "%s", insn->text);
    cr_assert(eq(int, memcmp(bytes, insn->bytes, insn->length), 0));
    cr_assert(ne(int, insn->text[0], 0));
    cr_assert(ne(int, insn->mnemonic[0], 0));
}

/* A fixed sequence (an LCG, Knuth's constants), the same in every run. */
static uint8_t next_byte(uint64_t *state)
{
    *state =
        *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint8_t)(*state >> 56);
}

/* Random bytes, half of them after a prefix or the start of VEX and EVEX. */
Test(x86, every_bit_is_labelled)
{
    static const uint8_t starts[] = {0x48, 0x66, 0xf2, 0xf3, 0x0f, 0xc4,
                                     0xc5, 0x62, 0x8f, 0x67, 0xf0};
    uint64_t state = 1;
    unsigned decodable = 0;

    for (unsigned i = 0; i < 100000; i++) {
        uint8_t code[INSN_MAX_LENGTH];
        struct insn insn;

        for (size_t k = 0; k < sizeof code; k++)
            code[k] = next_byte(&state);
        if (i % 2)
            code[0] = starts[i / 2 % sizeof starts];
        if (insn_decode(code, sizeof code, HERE, &insn) != 1)
            continue;
        decodable++;
        check_split(&insn);
    }
    cr_assert(lt(int, 50000, decodable));
}

/* ------------------------------------------------------------ second opinion */

/* One instruction a word. */
static const char for_objdump[] =
    "48c7c0fcffffff 4801f8 c3 c20800 488b448df8 c5f96fc1 e8fbffffff 74fe "
    "0f85fbffffff 48b8efcdab9078563412 f348a5 f3aa 660f6ec0 f20f58c1 "
    "f30f1efa 0f1f440000 662e0f1f840000000000 55 4157 5b 415f 6a01 "
    "68ffffff7f b8ffffffff 8b03 678b03 64488b042528000000 48890424 8800 "
    "c60042 48c1e004 d1e8 48d3f8 480fafc7 486bc003 4869c0e8030000 f7e1 "
    "48f7f9 48f7d8 48f7d0 ffc0 48ffc9 31c0 4829f8 4821f8 4809f8 4811f8 "
    "4819f8 4839f8 4885c0 480fb6c0 480fbec0 4863c7 4898 4899 99 480f44c7 "
    "480f4fc7 0f94c0 0f9cc0 48870f f0480fb10f f0480fc107 488d047f "
    "488d05f9ffffff eb02 ffe0 ffd0 ff25f9ffffff 7fff 7c01 e2fe e300 c9 "
    "c8100002 9c 9d 90 f390 0f05 cc 0f0b 0fa2 0f31 480fc8 f3480fb8c1 "
    "480fbcc1 480fabc8 480fbae005 48a5 a4 ab ae a6 ac 0f2801 0f1101 "
    "f30f6f01 660f7f01 0fae27 c4e2f1b8c2 c5fc77 62f17c4810440101 "
    "62f1fd585807 c4e37d4ac110 d9c0 d97500 df2f fc fd f8 f9 98 6698 48cf "
    "0f0001 0f1807 0fae3f 660ff7c1 0fc709 ";

/* Where Zydis and binutils use two of the names that Intel gives. */
static const struct {
    const char *zydis;
    const char *binutils;
} aliases[] = {
    {"jz", "je"},       {"jnz", "jne"},         {"jnle", "jg"},
    {"cmovz", "cmove"}, {"cmovnle", "cmovg"},   {"setz", "sete"},
    {"mov", "movabs"},  {"pushfq", "pushf"},    {"popfq", "popf"},
    {"movsq", "movs"},  {"movsb", "movs"},      {"stosb", "stos"},
    {"stosd", "stos"},  {"scasb", "scas"},      {"cmpsb", "cmps"},
    {"lodsb", "lods"},  {"fnstenv", "fnstenv"}, {"ret", "retf"},
};

static bool same_mnemonic(const char *zydis, const char *binutils)
{
    if (!strcmp(zydis, binutils))
        return true;
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (!strcmp(zydis, aliases[i].zydis) &&
            !strcmp(binutils, aliases[i].binutils))
            return true;
    return false;
}

/* A file without a name that a child of the shell can open. */
static int bytes_in_file(const uint8_t *bytes, size_t len)
{
    int fd = memfd_create("code", 0);

    cr_assert(eq(int, write(fd, bytes, len) == (ssize_t)len, 1));
    return fd;
}

/* Finds the mnemonic behind objdump's bytes and behind prefixes. */
static void objdump_mnemonic(char *line, char *out, size_t size)
{
    char *text = strrchr(line, '\t');
    char *word;

    snprintf(out, size, "?");
    if (!text)
        return;
    for (word = strtok(text, " \t\n"); word; word = strtok(NULL, " \t\n")) {
        snprintf(out, size, "%s", word);
        if (strcmp(word, "rep") && strcmp(word, "lock") && strcmp(word, "cs") &&
            strcmp(word, "bnd"))
            return;
    }
}

/* One address line: "   7:\t48 01 f8 \tadd    rax,rdi". Lines that continue
 * the bytes have no second tab. */
static bool objdump_line(char *line, size_t *offset, char *mnemonic,
                         size_t size)
{
    char *colon = strchr(line, ':');
    char *end;

    if (!colon || colon[1] != '\t' || !strchr(colon + 2, '\t'))
        return false;
    *offset = strtoul(line, &end, 16);
    if (end != colon)
        return false;
    objdump_mnemonic(colon + 1, mnemonic, size);
    return true;
}

/* The words of for_objdump, one after the other; NULL behind the last. */
static const char *next_code(const char **rest, char *word)
{
    int used = 0;

    if (sscanf(*rest, " %31s%n", word, &used) != 1)
        return NULL;
    *rest += used;
    return word;
}

/* Starts objdump on all of them. */
static FILE *objdump_start(int *fd)
{
    const char *rest = for_objdump;
    uint8_t code[2048];
    char word[32];
    char command[160];
    size_t len = 0;

    while (next_code(&rest, word))
        len += unhex(word, code + len);
    *fd = bytes_in_file(code, len);
    snprintf(command, sizeof command,
             "objdump -D -b binary -m i386:x86-64 -M intel /dev/fd/%d", *fd);
    return popen(command, "r");
}

Test(x86, objdump_agrees)
{
    const char *rest = for_objdump;
    size_t expected = 0;
    char word[32];
    char line[512];
    int fd;
    FILE *pipe = objdump_start(&fd);

    while (fgets(line, sizeof line, pipe)) {
        char mnemonic[32];
        struct insn insn;
        size_t offset;

        if (!objdump_line(line, &offset, mnemonic, sizeof mnemonic))
            continue;
        cr_assert(ne(ptr, (void *)next_code(&rest, word), NULL));
        cr_assert(eq(sz, offset, expected), "before %s", word);
        insn = decoded(word);
        cr_assert(eq(int, same_mnemonic(insn.mnemonic, mnemonic), 1),
                  "%s: we say %s, objdump says %s", word, insn.mnemonic,
                  mnemonic);
        expected += insn.length;
    }
    cr_assert(eq(int, pclose(pipe), 0));
    close(fd);
    cr_assert(eq(ptr, (void *)next_code(&rest, word), NULL));
}

/* ------------------------------------------------------------ memory accesses */

#define ACCESS_REGS                                                   \
    "rax=0x10 rbx=0x20000 rcx=3 rdx=0x30000 rsi=0x40000 rdi=0x50000 " \
    "rbp=0x60000 rsp=0x70000 fs_base=0x80000 gs_base=0x90000 "        \
    "r8=-9 r9=0x1234567800000100 r10=64"

static const struct {
    const char *hex;
    const char *accesses;
} access_cases[] = {
    {"488b03", "read 0x20000 8"},                /* mov rax, [rbx] */
    {"8803", "write 0x20000 1"},                 /* mov [rbx], al */
    {"66c7030100", "write 0x20000 2"},           /* mov word [rbx], 1 */
    {"480103", "readwrite 0x20000 8"},           /* add [rbx], rax */
    {"480303", "read 0x20000 8"},                /* add rax, [rbx] */
    {"483903", "read 0x20000 8"},                /* cmp [rbx], rax */
    {"488b448bf8", "read 0x20004 8"},            /* mov rax, [rbx+rcx*4-8] */
    {"4a8b44c300", "read 0x1ffb8 8"},            /* mov rax, [rbx+r8*8] */
    {"488b0510000000", "read 0x401017 8"},       /* mov rax, [rip+16] */
    {"c605f9ffffff01", "write 0x401000 1"},      /* mov byte [rip-7], 1 */
    {"64488b042528000000", "read 0x80028 8"},    /* mov rax, fs:[0x28] */
    {"67c605f9ffffff01", "write 0x401001 1"},    /* mov byte [eip-7], 1 */
    {"65488903", "write 0xb0000 8"},             /* mov gs:[rbx], rax */
    {"67418b01", "read 0x100 4"},                /* mov eax, [r9d] */
    {"6467418b01", "read 0x80100 4"},            /* mov eax, fs:[r9d] */
    {"678b4400f0", "read 0x10 4"},               /* mov eax, [eax+eax-16] */
    {"55", "write 0x6fff8 8"},                   /* push rbp */
    {"6650", "write 0x6fffe 2"},                 /* push ax */
    {"6a01", "write 0x6fff8 8"},                 /* push 1 */
    {"ff33", "read 0x20000 8, write 0x6fff8 8"}, /* push [rbx] */
    {"ff742408", "read 0x70008 8, write 0x6fff8 8"},   /* push [rsp+8] */
    {"5b", "read 0x70000 8"},                          /* pop rbx */
    {"8f03", "write 0x20000 8, read 0x70000 8"},       /* pop [rbx] */
    {"8f0424", "write 0x70008 8, read 0x70000 8"},     /* pop [rsp] */
    {"e800000000", "write 0x6fff8 8"},                 /* call */
    {"ff13", "read 0x20000 8, write 0x6fff8 8"},       /* call [rbx] */
    {"ff1424", "read 0x70000 8, write 0x6fff8 8"},     /* call [rsp] */
    {"c3", "read 0x70000 8"},                          /* ret */
    {"c21000", "read 0x70000 8"},                      /* ret 16 */
    {"9c", "write 0x6fff8 8"},                         /* pushfq */
    {"9d", "read 0x70000 8"},                          /* popfq */
    {"c9", "read 0x60000 8"},                          /* leave */
    {"c8200000", "write 0x6fff8 8"},                   /* enter 32, 0 */
    {"c8200001", "write 0x6fff0 16"},                  /* enter 32, 1 */
    {"c8200003", "write 0x6ffe0 32, read 0x5fff0 16"}, /* enter 32, 3 */
    {"a4", "write 0x50000 1, read 0x40000 1"},         /* movsb */
    {"f348a5", "write 0x50000 8, read 0x40000 8"},     /* rep movsq */
    {"aa", "write 0x50000 1"},                         /* stosb */
    {"f3ab", "write 0x50000 4"},                       /* rep stosd */
    {"48ad", "read 0x40000 8"},                        /* lodsq */
    {"ae", "read 0x50000 1"},                          /* scasb */
    {"f2ae", "read 0x50000 1"},                        /* repne scasb */
    {"a6", "read 0x40000 1, read 0x50000 1"},          /* cmpsb */
    {"64a4", "write 0x50000 1, read 0xc0000 1"},       /* movs, from fs:[rsi] */
    {"d7", "read 0x20010 1"},                          /* xlat */
    {"488703", "readwrite 0x20000 8"},                 /* xchg [rbx], rax */
    {"f0480fb10b", "readwrite 0x20000 8"},  /* lock cmpxchg [rbx], rcx */
    {"f0480fc103", "readwrite 0x20000 8"},  /* lock xadd [rbx], rax */
    {"0fc70b", "readwrite 0x20000 8"},      /* cmpxchg8b [rbx] */
    {"480f4403", "read 0x20000 8"},         /* cmovz rax, [rbx] */
    {"0f9403", "write 0x20000 1"},          /* setz [rbx] */
    {"480fab0b", "readwrite 0x20000 8"},    /* bts [rbx], rcx: bit 3 */
    {"4c0fab13", "readwrite 0x20008 8"},    /* bts [rbx], r10: bit 64 */
    {"4c0fa303", "read 0x1fff8 8"},         /* bt [rbx], r8: bit -9 */
    {"440fa303", "read 0x1fffc 4"},         /* bt [rbx], r8d */
    {"480fba2b07", "readwrite 0x20000 8"},  /* bts [rbx], 7 */
    {"0f2803", "read 0x20000 16"},          /* movaps xmm0, [rbx] */
    {"0f1103", "write 0x20000 16"},         /* movups [rbx], xmm0 */
    {"f30f1103", "write 0x20000 4"},        /* movss [rbx], xmm0 */
    {"f20f5803", "read 0x20000 8"},         /* addsd xmm0, [rbx] */
    {"660fd603", "write 0x20000 8"},        /* movq [rbx], xmm0 */
    {"c5fc1003", "read 0x20000 32"},        /* vmovups ymm0, [rbx] */
    {"c5fd7f03", "write 0x20000 32"},       /* vmovdqa [rbx], ymm0 */
    {"62f17c48114301", "write 0x20040 64"}, /* vmovups [rbx+64], zmm0 */
    {"62f1fd585803", "read 0x20000 8"},     /* vaddpd, [rbx] broadcast */
    {"d903", "read 0x20000 4"},             /* fld dword [rbx] */
    {"db3b", "write 0x20000 10"},           /* fstp tbyte [rbx] */
    {"660ff7c1", "write 0x50000 16"},       /* maskmovdqu xmm0, xmm1 */
    {"0fae03", "write 0x20000 512"},        /* fxsave [rbx] */
    {"90", ""},
    {"4801f8", ""},
    {"0f1f440000", ""},             /* nop [rax+rax] */
    {"66662e0f1f840000000000", ""}, /* the long one */
    {"488d448df8", ""},             /* lea */
    {"0f1803", ""},                 /* prefetchnta [rbx] */
    {"0f0d0b", ""},                 /* prefetchw [rbx] */
    {"0fae3b", ""},                 /* clflush [rbx] */
    {"f30f1efa", ""},
    {"eb02", ""},
    {"c4e2e99304cd00000000", ""}, /* vgatherqpd: not known */
};

static void write_accesses(const struct insn_access *list, size_t count,
                           struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s%s 0x%llx %u", i ? ", " : "",
                   list[i].read ? "read" : "", list[i].written ? "write" : "",
                   (unsigned long long)list[i].addr, list[i].size);
}

static void check_accesses(const char *hex, const struct regs *regs,
                           const char *expected)
{
    struct insn insn = decoded(hex);
    struct insn_access list[8];
    size_t count = insn_accesses(&insn, regs, list, COUNT(list));
    struct buf buf = {0};

    write_accesses(list, count, &buf);
    cr_assert(eq(str, (char *)buf_text(&buf), (char *)expected), "%s: %s", hex,
              insn.text);
    buf_release(&buf);
}

Test(x86, memory_accesses)
{
    struct regs regs = {{0}};

    read_regs(ACCESS_REGS, &regs);
    for (size_t i = 0; i < COUNT(access_cases); i++)
        check_accesses(access_cases[i].hex, &regs, access_cases[i].accesses);
}

/* With nothing left to do, rep accesses nothing; without rep, rcx is not
 * asked. Under an address-size prefix the counter is ecx. */
Test(x86, repeated_until_rcx_is_0)
{
    struct regs regs = {{0}};

    read_regs("rsi=0x40000 rdi=0x50000 rcx=0x100000000", &regs);
    check_accesses("f3a4", &regs, "write 0x50000 1, read 0x40000 1");
    check_accesses("67f3a4", &regs, "");
    regs.value[X86_RCX] = 0;
    check_accesses("f3a4", &regs, "");
    check_accesses("f348ab", &regs, "");
    check_accesses("f2ae", &regs, "");
    check_accesses("a4", &regs, "write 0x50000 1, read 0x40000 1");
}

Test(x86, no_more_accesses_than_asked_for)
{
    struct insn insn = decoded("a4");
    struct regs regs = {{0}};
    struct insn_access list[2] = {{.addr = 1}, {.addr = 1}};

    cr_assert(eq(sz, insn_accesses(&insn, &regs, list, 1), 1));
    cr_assert(eq(u64, list[1].addr, 1));
}

/* ------------------------------------------------ traps, stepping and calls */

Test(x86, breakpoint_instructions)
{
    static const struct {
        uint8_t bytes[TRAP_LOOK_BACK];
        size_t length;
    } cases[] = {
        {{0x90, 0xcc}, 1}, /* int3 */
        {{0xcd, 0x03}, 2}, /* int 3 */
        {{0xcd, 0xcc}, 1}, {{0xcd, 0x80}, 0},
        {{0xcc, 0x90}, 0}, {{0x03, 0x03}, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        cr_assert(eq(sz, trap_length(cases[i].bytes), cases[i].length), "%zu",
                  i);
    cr_assert(eq(u8, trap_insn, 0xcc));
}

/* Where it is no instruction, too. */
Test(x86, what_linux_takes_for_popf)
{
    static const struct {
        const char *hex;
        bool loads;
        uint8_t length;
    } cases[] = {
        {"9d", true, 1},  {"669d", true, 2}, {"489d", true, 2},
        {"cf", true, 1},  {"48cf", true, 2}, {"f09d", true, 0},
        {"06", false, 0}, {"90", false, 1},  {"489c", false, 2},
        {"66", false, 0}, {"f0", false, 0},  {"48c7c09d000000", false, 7},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t code[32];
        size_t len = unhex(cases[i].hex, code);
        struct insn insn;

        insn_decode_any(code, len, HERE, &insn);
        cr_assert(eq(int, trap_loads_flags(code, len), cases[i].loads), "%s",
                  cases[i].hex);
        cr_assert(eq(int, insn.kind == INSN_LOADS_FLAGS, cases[i].loads), "%s",
                  cases[i].hex);
        cr_assert(eq(u8, insn.length, cases[i].length), "%s", cases[i].hex);
        cr_assert(eq(u64, insn.addr, HERE));
    }
}

/* popf takes them from the top of the stack; of the five words that iret takes
 * they are the third. */
Test(x86, flags_that_are_loaded)
{
    static const struct {
        const char *hex;
        size_t word; /* bytes */
        size_t words;
        size_t place; /* of the flags */
    } cases[] = {{"9d", 8, 1, 0},
                 {"669d", 2, 1, 0},
                 {"48cf", 8, 5, 2},
                 {"cf", 4, 5, 2},
                 {"66cf", 2, 5, 2}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct insn insn = decoded(cases[i].hex);
        size_t len = cases[i].word * cases[i].words;
        uint8_t read[40];
        uint64_t flags;

        memset(read, 0xff, sizeof read);
        memcpy(read + cases[i].word * cases[i].place, "\x02\x41", 2);
        flags = trap_flags_loaded(&insn, read, len);
        cr_assert(eq(u64, flags & 0xffff, 0x4102), "%s", cases[i].hex);
        cr_assert(eq(u64, trap_flags_loaded(&insn, read, 1), 0));
        insn.kind = INSN_PLAIN;
        cr_assert(eq(u64, trap_flags_loaded(&insn, read, len), 0));
    }
    cr_assert(eq(int, trap_is_set(0x102), 1));
    cr_assert(eq(int, trap_is_set(0x4202), 0));
    cr_assert(eq(int, trap_loses_flags(0x4002), 1));
    cr_assert(eq(int, trap_loses_flags(0x302), 0));
}

#define STACK_AT 0x7000

/* A stack of three words, of which the middle one is a return address. */
static size_t read_stack(int pid, uint64_t addr, void *out, size_t size)
{
    static const uint64_t stack[] = {1, HERE + 5, 3};

    if (pid != 42 || addr < STACK_AT || addr - STACK_AT > sizeof stack - size)
        return 0;
    memcpy(out, (const uint8_t *)stack + (addr - STACK_AT), size);
    return size;
}

Test(x86, frames_of_calls)
{
    struct regs regs = {{[X86_RSP] = STACK_AT + 8, [X86_RIP] = HERE}}, before;
    struct call_frame frame;

    cr_assert(eq(int, calling_frame(42, read_stack, &regs, &frame), 1));
    cr_assert(eq(u64, frame.return_to, HERE + 5));
    cr_assert(eq(u64, frame.stack_after, STACK_AT + 16));
    cr_assert(eq(int, calling_frame_holds(42, read_stack, &frame), 1));
    cr_assert(eq(int, calling_frame_holds(41, read_stack, &frame), 0));
    frame.return_to++;
    cr_assert(eq(int, calling_frame_holds(42, read_stack, &frame), 0));
    calling_before(&regs, &before);
    cr_assert(eq(u64, before.value[X86_RSP], STACK_AT + 16));
    regs.value[X86_RSP] = STACK_AT - 8;
    cr_assert(eq(int, calling_frame(42, read_stack, &regs, &frame), 0));
}

/* ------------------------------------------------- the CPU's own opinion */

/* A stopped child that executes what it is given, one instruction a time. */
struct cpu {
    pid_t pid;
    uint64_t code; /* a page of its own */
};

static struct cpu cpu_start(void)
{
    struct cpu cpu = {0};
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;

    cr_assert(ne(ptr, page, MAP_FAILED));
    cpu.code = (uint64_t)(uintptr_t)page;
    cpu.pid = fork();
    if (!cpu.pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(1);
    }
    cr_assert(eq(int, waitpid(cpu.pid, &status, 0), cpu.pid));
    cr_assert(eq(int, WIFSTOPPED(status), 1));
    ptrace(PTRACE_SETOPTIONS, cpu.pid, NULL, PTRACE_O_EXITKILL);
    return cpu;
}

static void cpu_stop(struct cpu *cpu)
{
    kill(cpu->pid, SIGKILL);
    waitpid(cpu->pid, NULL, 0);
    munmap((void *)(uintptr_t)cpu->code, 4096);
}

/* glibc and musl have another type of 64 bits each. */
typedef __typeof__((struct user_regs_struct){0}.rax) cpu_word;

/* The registers of both worlds, in pairs. */
static cpu_word *cpu_reg(struct user_regs_struct *user, int reg)
{
    cpu_word *all[REG_COUNT] = {
        [X86_RAX] = &user->rax,         [X86_RBX] = &user->rbx,
        [X86_RCX] = &user->rcx,         [X86_RDX] = &user->rdx,
        [X86_RSI] = &user->rsi,         [X86_RDI] = &user->rdi,
        [X86_RBP] = &user->rbp,         [X86_RSP] = &user->rsp,
        [X86_R8] = &user->r8,           [X86_R9] = &user->r9,
        [X86_R10] = &user->r10,         [X86_R11] = &user->r11,
        [X86_R12] = &user->r12,         [X86_R13] = &user->r13,
        [X86_R14] = &user->r14,         [X86_R15] = &user->r15,
        [X86_RIP] = &user->rip,         [X86_RFLAGS] = &user->eflags,
        [X86_FS_BASE] = &user->fs_base, [X86_GS_BASE] = &user->gs_base,
    };

    return all[reg];
}

/* Executes one instruction with these registers and reads them back. Returns
 * the signal that the program stopped with; SIGTRAP is success. */
static int cpu_step(struct cpu *cpu, const char *hex, struct regs *regs,
                    uint64_t *fault)
{
    struct user_regs_struct user;
    uint8_t code[16] = {0};
    siginfo_t info;
    int status;

    unhex(hex, code);
    for (int i = 0; i < 16; i += 8) {
        uint64_t word;

        memcpy(&word, code + i, 8);
        ptrace(PTRACE_POKETEXT, cpu->pid, cpu->code + (unsigned)i, word);
    }
    ptrace(PTRACE_GETREGS, cpu->pid, NULL, &user);
    regs->value[X86_RIP] = cpu->code;
    for (int reg = 0; reg < REG_COUNT; reg++)
        *cpu_reg(&user, reg) = regs->value[reg];
    user.orig_rax = (unsigned long long)-1;
    cr_assert(eq(long, ptrace(PTRACE_SETREGS, cpu->pid, NULL, &user), 0));
    ptrace(PTRACE_SINGLESTEP, cpu->pid, NULL, NULL);
    cr_assert(eq(int, waitpid(cpu->pid, &status, 0), cpu->pid));
    cr_assert(eq(int, WIFSTOPPED(status), 1));
    ptrace(PTRACE_GETREGS, cpu->pid, NULL, &user);
    for (int reg = 0; reg < REG_COUNT; reg++)
        regs->value[reg] = *cpu_reg(&user, reg);
    ptrace(PTRACE_GETSIGINFO, cpu->pid, NULL, &info);
    *fault = (uint64_t)(uintptr_t)info.si_addr;
    return WSTOPSIG(status);
}

static bool lies_within(const struct insn_access *list, size_t count,
                        uint64_t addr)
{
    for (size_t i = 0; i < count; i++)
        if (addr >= list[i].addr && addr - list[i].addr < list[i].size)
            return true;
    return false;
}

/*
 * Nothing is mapped where the registers point. So what accesses memory faults
 * at an address that insn_accesses has named, and what does not, does not.
 */
static void check_fault(struct cpu *cpu, const char *hex)
{
    struct regs regs = {{0}};
    struct insn insn;
    struct insn_access list[8];
    uint8_t code[32];
    uint64_t fault;
    size_t len = unhex(hex, code);
    size_t count;
    int signal;

    read_regs(ACCESS_REGS " rflags=0x202", &regs);
    cr_assert(eq(int, insn_decode(code, len, cpu->code, &insn), 1));
    count = insn_accesses(&insn, &regs, list, COUNT(list));
    signal = cpu_step(cpu, hex, &regs, &fault);
    if (signal == SIGILL) /* this CPU is too old for it */
        return;
    if (signal == SIGTRAP)
        cr_assert(eq(sz, count, 0), "%s did not fault", insn.text);
    else
        cr_assert(eq(int, lies_within(list, count, fault), 1),
                  "%s: signal %d at 0x%llx", insn.text, signal,
                  (unsigned long long)fault);
}

/* Those whose access depends on what the test does not set (a mask, where the
 * code lies), and clflush, which asks for a mapped page but moves no data. */
static bool is_beyond_faults(const char *hex)
{
    static const char *const cases[] = {"660ff7c1", "0fae3b", "488b0510000000",
                                        "67c605f9ffffff01"};

    for (size_t i = 0; i < COUNT(cases); i++)
        if (!strcmp(hex, cases[i]))
            return true;
    return false;
}

Test(x86, the_cpu_faults_where_we_say)
{
    struct cpu cpu = cpu_start();

    for (size_t i = 0; i < COUNT(access_cases); i++)
        if (!is_beyond_faults(access_cases[i].hex))
            check_fault(&cpu, access_cases[i].hex);
    cpu_stop(&cpu);
}

/* ------------------------------------------------------------------ sentences */

Test(x86, values)
{
    static const struct {
        uint64_t value;
        unsigned bits;
        const char *text;
    } cases[] = {
        {0, 64, "0"},
        {5, 64, "5"},
        {(uint64_t)-4, 64, "-4"},
        {0xfc, 8, "-4"},
        {0xfc, 16, "252"},
        {0xffffff00, 8, "0"},
        {0xfffffffc, 32, "-4"},
        {0xfffffffc, 64, "4294967292"},
        {0xffffffff, 64, "4294967295"},
        {0x100000000, 64, "0x100000000"},
        {0xffffffff80000000, 64, "-2147483648"},
        {0xffffffff7fffffff, 64, "-2147483649"},
        {0xffff800000000000, 64, "-140737488355328"},
        {0xffff7fffffffffff, 64, "0xffff7fffffffffff"},
        {0x8000000000000000, 64, "0x8000000000000000"},
        {0x7fff12345678, 64, "0x7fff12345678"},
        {0x80000000, 32, "-2147483648"},
        {0x8000, 16, "-32768"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf buf = {0};

        value_describe(cases[i].value, cases[i].bits, &buf);
        cr_assert(eq(str, (char *)buf_text(&buf), (char *)cases[i].text));
        buf_release(&buf);
    }
}

/*
 * before: registers (rip is HERE, all else 0); after: what is different then,
 * rip being the next instruction's unless given; read and written: "ADDRESS
 * BYTES", the old bytes of a write in front of a slash if they are known.
 */
struct sentence {
    const char *hex;
    const char *before;
    const char *after;
    const char *read;
    const char *written;
    const char *text;
};

static const struct sentence sentences[] = {
    /* the adder of the lesson */
    {"48c7c0fcffffff", "", "rax=-4", "", "", "rax = -4"},
    {"4801f8", "rax=-4 rdi=1", "rax=-3", "", "", "rax = -4 + 1 = -3"},
    {"c3", "rsp=0x7ffe1000", "rsp=0x7ffe1008 rip=0x5555000", "", "",
     "returns to 0x5555000; rsp goes up by 8"},

    /* moves */
    {"4889f8", "rdi=5", "rax=5", "", "", "rax = rdi = 5"},
    {"89ff", "rdi=0x100000005", "rdi=5", "", "",
     "edi stays 5; the upper half of rdi becomes 0"},
    {"b8ffffffff", "rax=7", "rax=0xffffffff", "", "", "eax = -1"},
    {"b8ffffffff", "rax=-1", "rax=0xffffffff", "", "",
     "eax = -1; the upper half of rax becomes 0"},
    {"b4fe", "rax=0x1111", "rax=0xfe11", "", "", "ah = -2"},
    {"48897c24f8", "rsp=0x7ffe1000 rdi=5", "", "",
     "0x7ffe0ff8 0500000000000000", "stores 5 at 0x7ffe0ff8 (8 bytes)"},
    {"c60300", "rbx=0x9000", "", "", "0x9000 ff/00",
     "stores 0 at 0x9000 (1 byte)"},
    {"8b0424", "rsp=0x9000", "rax=0xfffffffc", "0x9000 fcffffff", "",
     "eax = -4, loaded from 0x9000 (4 bytes)"},
    {"48b80000123456780000", "", "rax=0x785634120000", "", "",
     "rax = 0x785634120000"},
    {"660f6ec0", "rax=5", "", "", "",
     "changes no general register and no memory"},
    {"660f7ec0", "", "rax=5", "", "", "eax = 5"},
    {"0f2903", "rbx=0x9000", "", "", "0x9000 000102030405060708090a0b0c0d0e0f",
     "stores 16 bytes at 0x9000: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e "
     "0f"},
    {"c5fc1003", "rbx=0x9000", "",
     "0x9000 00000000000000000000000000000000"
     "00000000000000000000000000000000",
     "",
     "loads 32 bytes from 0x9000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
     "00 ..."},
    {"0fb6c7", "rbx=0xc800", "rax=200", "", "",
     "eax = 200, zero-extended from the 8 bits of bh"},
    {"480fbec3", "rbx=0xc8", "rax=-56", "", "",
     "rax = -56, sign-extended from the 8 bits of bl"},
    {"0fb703", "rbx=0x9000", "rax=65535", "0x9000 ffff", "",
     "eax = 65535, zero-extended from the 16 bits at 0x9000"},
    {"4863c7", "rdi=0xfffffffc", "rax=-4", "", "",
     "rax = -4, sign-extended from the 32 bits of edi"},
    {"4898", "rax=0xfffffffc", "rax=-4", "", "",
     "rax = -4, sign-extended from the 32 bits of eax"},
    {"98", "rax=0xfffc", "rax=0xfffffffc", "", "",
     "eax = -4, sign-extended from the 16 bits of ax"},
    {"4899", "rax=-4", "rdx=-1", "", "",
     "rdx = -1, 64 copies of the sign bit of rax"},
    {"99", "rax=4 rdx=9", "rdx=0", "", "",
     "edx = 0, 32 copies of the sign bit of eax"},
    {"480f44c7", "rax=3 rdi=5 rflags=0x40", "rax=5", "", "",
     "rax = rdi = 5, because ZF is 1"},
    {"480f44c7", "rax=3 rdi=5", "", "", "", "rax stays 3, because ZF is 0"},
    {"0f4c03", "rax=-1 rbx=0x9000 rflags=0x80", "rax=7", "0x9000 07000000", "",
     "eax = 7, loaded from 0x9000 (4 bytes), because SF is 1 and OF is 0; the "
     "upper half of rax becomes 0"},
    {"0f4cc3", "rax=-1", "rax=0xffffffff", "", "",
     "eax stays -1, because SF is 0 and OF is 0; the upper half of rax becomes "
     "0"},
    {"0f97c0", "rflags=0x1", "", "", "", "al = 0, because CF is 1 and ZF is 0"},
    {"0f9403", "rbx=0x9000 rflags=0x40", "", "", "0x9000 01",
     "1 byte at 0x9000 = 1, because ZF is 1"},
    {"4887d8", "rax=3 rbx=5", "rax=5 rbx=3", "", "", "swaps: rax = 5, rbx = 3"},
    {"488703", "rax=3 rbx=0x9000", "rax=5", "0x9000 0500000000000000",
     "0x9000 0500000000000000/0300000000000000",
     "swaps: 8 bytes at 0x9000 = 3, rax = 5"},

    /* equations */
    {"4829f8", "rax=3 rdi=5", "rax=-2", "", "", "rax = 3 - 5 = -2"},
    {"01f8", "rax=0x7fffffff rdi=1", "rax=0x80000000", "", "",
     "eax = 2147483647 + 1 = 2147483648"},
    {"4883e801", "rax=-2147483648", "rax=-2147483649", "", "",
     "rax = -2147483648 - 1 = -2147483649"},
    {"48f7d8", "rax=3000000000", "rax=-3000000000", "", "",
     "rax = 0 - 3000000000 = -3000000000"},
    {"480fafc7", "rax=-7 rdi=352321536", "rax=-2466250752", "", "",
     "rax = -7 * 352321536 = -2466250752"},
    {"480fafc7", "rax=-1099511627776 rdi=1024", "rax=-1125899906842624", "", "",
     "rax = -1099511627776 * 1024 = -0x4000000000000"},
    {"4801f8", "rax=0x8000000000000000 rdi=0x7fffffffffffffff", "rax=-1", "",
     "", "rax = -0x8000000000000000 + 0x7fffffffffffffff = -1"},
    {"4883e801", "rax=0x8000000000000000", "rax=0x7fffffffffffffff", "", "",
     "rax = 0x8000000000000000 - 1 = 0x7fffffffffffffff"},
    {"01f8", "rax=-2 rdi=3", "rax=1", "", "",
     "eax = -2 + 3 = 1; the upper half of rax becomes 0"},
    {"01f8", "rax=0x80000000 rdi=0x80000001", "rax=1", "", "",
     "eax = -2147483648 + -2147483647 = 1, wrapped around at 32 bits"},
    {"4000f8", "rax=200 rdi=100", "rax=44", "", "", "al = -56 + 100 = 44"},
    {"4000f8", "rax=100 rdi=100", "rax=200", "", "", "al = 100 + 100 = 200"},
    {"2b03", "rax=0x80000001 rbx=0x9000", "rax=1", "0x9000 00000080", "",
     "eax = -2147483647 - -2147483648 = 1, -2147483648 loaded from 0x9000 (4 "
     "bytes)"},
    {"0303", "rax=1 rbx=0x9000", "rax=0x80000000", "0x9000 ffffff7f", "",
     "eax = 1 + 2147483647 = 2147483648, 2147483647 loaded from 0x9000 (4 "
     "bytes)"},
    {"2b03", "rax=0x80000000 rbx=0x9000", "rax=0xfffffffe", "0x9000 02000080",
     "",
     "eax = -2147483648 - -2147483646 = -2, -2147483646 loaded from 0x9000 "
     "(4 bytes)"},
    {"2b03", "rax=0xfffffffe rbx=0x9000", "rax=0x7fffffff", "0x9000 ffffff7f",
     "",
     "eax = 4294967294 - 2147483647 = 2147483647, 2147483647 loaded from "
     "0x9000 (4 bytes)"},
    {"11f8", "rax=0x7fffffff rflags=1", "rax=0x80000000", "", "",
     "eax = 2147483647 + 0 + 1 (CF) = 2147483648"},
    {"4883c0f0", "rax=0x7fff00001000", "rax=0x7fff00000ff0", "", "",
     "rax = 0x7fff00001000 + -16 = 0x7fff00000ff0"},
    {"4801c0", "rax=0x8000000000000000", "rax=0", "", "",
     "rax = 0x8000000000000000 + 0x8000000000000000 = 0, wrapped around at 64 "
     "bits"},
    {"480303", "rax=5 rbx=0x9000", "rax=12", "0x9000 0700000000000000", "",
     "rax = 5 + 7 = 12, 7 loaded from 0x9000 (8 bytes)"},
    {"830301", "rbx=0x9000", "", "0x9000 05000000", "0x9000 05000000/06000000",
     "4 bytes at 0x9000 = 5 + 1 = 6"},
    {"480fafc7", "rax=-3 rdi=5", "rax=-15", "", "", "rax = -3 * 5 = -15"},
    {"486bc703", "rdi=5", "rax=15", "", "", "rax = 5 * 3 = 15"},
    {"6b030a", "rbx=0x9000", "rax=50", "0x9000 05000000", "",
     "eax = 5 * 10 = 50, 5 loaded from 0x9000 (4 bytes)"},
    {"4869c7e8030000", "rdi=0x7fffffffffffffff", "rax=-1000", "", "",
     "rax = 0x7fffffffffffffff * 1000 = -1000, wrapped around at 64 bits"},
    {"4821f8", "rax=12 rdi=10", "rax=8", "", "", "rax = 12 & 10 = 8"},
    {"4883e4f0", "rsp=0x7ffe00001238", "rsp=0x7ffe00001230", "", "",
     "rsp = 0x7ffe00001238 & -16 = 0x7ffe00001230"},
    {"0c01", "rax=0x1280", "rax=0x1281", "", "", "al = -128 | 1 = -127"},
    {"4831d8", "rax=6 rbx=3", "rax=5", "", "", "rax = 6 ^ 3 = 5"},
    {"31c0", "rax=7", "rax=0", "", "", "eax = 0"},
    {"4831c0", "rax=-1", "rax=0", "", "", "rax = 0"},
    {"4811f8", "rax=5 rdi=3 rflags=1", "rax=9", "", "",
     "rax = 5 + 3 + 1 (CF) = 9"},
    {"4819c0", "rax=5 rflags=1", "rax=-1", "", "", "rax = 5 - 5 - 1 (CF) = -1"},
    {"ffc0", "rax=-1", "rax=0", "", "",
     "eax = -1 + 1 = 0; the upper half of rax becomes 0"},
    {"48ffc9", "rcx=3", "rcx=2", "", "", "rcx = 3 - 1 = 2"},
    {"48f7d8", "rax=5", "rax=-5", "", "", "rax = 0 - 5 = -5"},
    {"48f7d0", "rax=5", "rax=-6", "", "", "rax = ~5 = -6"},
    {"48c1e002", "rax=5", "rax=20", "", "", "rax = 5 << 2 = 20"},
    {"d1e0", "rax=0x40000000", "rax=0x80000000", "", "",
     "eax = 1073741824 << 1 = 2147483648"},
    {"48c1e00a", "rax=-1099511627776", "rax=-1125899906842624", "", "",
     "rax = -1099511627776 << 10 = -0x4000000000000"},
    {"48d1e0", "rax=-1073741825", "rax=-2147483650", "", "",
     "rax = -1073741825 << 1 = -2147483650"},
    {"48d1e0", "rax=0x8000000000000001", "rax=2", "", "",
     "rax = 0x8000000000000001 << 1 = 2, wrapped around at 64 bits"},
    {"48d1f8", "rax=0x8000000000000000", "rax=0xc000000000000000", "", "",
     "rax = -0x8000000000000000 >> 1 = -0x4000000000000000"},
    {"d3e8", "rax=0x80000000 rcx=33", "rax=0x40000000", "", "",
     "eax = 2147483648 >> 1 = 1073741824, the CPU uses 1 of the count 33"},
    {"48d1e8", "rax=-2", "rax=0x7fffffffffffffff", "", "",
     "rax = 0xfffffffffffffffe >> 1 = 0x7fffffffffffffff"},
    {"48d1f8", "rax=-7", "rax=-4", "", "", "rax = -7 >> 1 = -4"},
    {"48c1c004", "rax=0x1000000000000000", "rax=1", "", "",
     "rax = 0x1000000000000000 rotated left by 4 = 1"},
    {"488d447f01", "rdi=5", "rax=16", "", "", "rax = 5 + 5*2 + 1 = 16"},
    {"488d4424f8", "rsp=0x7ffe00001000", "rax=0x7ffe00000ff8", "", "",
     "rax = 0x7ffe00001000 - 8 = 0x7ffe00000ff8"},
    {"488d05f9ffffff", "", "rax=0x401000", "", "",
     "rax = 4198407 - 7 = 4198400"},
    {"488d07", "rdi=5", "rax=5", "", "", "rax = 5"},
    {"8d043f", "rdi=0x7fffffff", "rax=0xfffffffe", "", "",
     "eax = 2147483647 + 2147483647 = 4294967294"},
    {"8d4701", "rdi=0xfffffffb", "rax=0xfffffffc", "", "", "eax = -5 + 1 = -4"},
    {"8d043f", "rdi=0x80000001", "rax=2", "", "",
     "eax = -2147483647 + -2147483647 = 2, wrapped around at 32 bits"},
    {"48f7e1", "rax=5 rcx=7", "rax=35", "", "", "rdx:rax = 5 * 7 = 35"},
    {"48f7e1", "rax=-1 rcx=2", "rax=-2 rdx=1", "", "",
     "rdx:rax = 0xffffffffffffffff * 2 = 0x1fffffffffffffffe"},
    {"48f7e9", "rax=-5 rcx=7", "rax=-35 rdx=-1", "", "",
     "rdx:rax = -5 * 7 = -35"},
    {"f72b", "rax=-5 rbx=0x9000", "rax=0xfffffff1 rdx=0xffffffff",
     "0x9000 03000000", "",
     "edx:eax = -5 * 3 = -15, the factor loaded from 0x9000 (4 bytes); the "
     "upper half of rax becomes 0"},
    {"48f7e9", "rax=-2 rcx=0x4000000000000000", "rdx=-1 rax=0x8000000000000000",
     "", "", "rdx:rax = -2 * 0x4000000000000000 = -0x8000000000000000"},
    {"f7f9", "rax=0x80000000 rdx=0xffffffff rcx=3",
     "rax=0xd5555556 rdx=0xfffffffe", "", "",
     "eax = -2147483648 / 3 = -715827882; edx = -2, the remainder"},
    {"48f7f1", "rax=17 rcx=5", "rax=4 rdx=2", "", "",
     "rax 17 -> 4; rdx 0 -> 2"},
    {"48f7e1", "rax=5 rcx=7", "rax=36", "", "", "rax 5 -> 36"},
    {"f6e1", "rax=0x7810 rcx=32", "rax=512", "", "", "ax = 16 * 32 = 512"},
    {"48f7f1", "rax=17 rcx=5", "rax=3 rdx=2", "", "",
     "rax = 17 / 5 = 3; rdx = 2, the remainder"},
    {"48f7f9", "rax=-17 rdx=-1 rcx=5", "rax=-3 rdx=-2", "", "",
     "rax = -17 / 5 = -3; rdx = -2, the remainder"},
    {"f6f1", "rax=17 rcx=5", "rax=0x203", "", "",
     "al = 17 / 5 = 3; ah = 2, the remainder"},
    {"4839f8", "rax=3 rdi=5", "rflags=0x293", "", "",
     "compares 3 with 5: 3 - 5 = -2 sets CF AF SF"},
    {"83f801", "rax=0x80000000", "rflags=0xa16", "", "",
     "compares 2147483648 with 1: 2147483648 - 1 = 2147483647 sets PF AF OF"},
    {"4883f805", "rax=6", "rflags=0x202", "", "",
     "compares 6 with 5: 6 - 5 = 1 clears all status flags"},
    {"833b05", "rbx=0x9000", "rflags=0x246", "0x9000 05000000", "",
     "compares 5 with 5: 5 - 5 = 0 sets PF ZF, 5 loaded from 0x9000 (4 bytes)"},
    {"4885c0", "rax=0", "rflags=0x246", "", "", "tests 0 & 0 = 0: sets PF ZF"},

    /* stack and control */
    {"53", "rbx=5 rsp=0x7ffe1000", "rsp=0x7ffe0ff8", "",
     "0x7ffe0ff8 0500000000000000",
     "pushes 5; rsp goes down by 8 to 0x7ffe0ff8"},
    {"6aff", "rsp=0x7ffe1000", "rsp=0x7ffe0ff8", "",
     "0x7ffe0ff8 ffffffffffffffff",
     "pushes -1; rsp goes down by 8 to 0x7ffe0ff8"},
    {"5b", "rsp=0x7ffe0ff8", "rbx=5 rsp=0x7ffe1000",
     "0x7ffe0ff8 0500000000000000", "",
     "pops 5 into rbx; rsp goes up by 8 to 0x7ffe1000"},
    {"9c", "rflags=0x246 rsp=0x7ffe1000", "rsp=0x7ffe0ff8", "",
     "0x7ffe0ff8 4602000000000000",
     "pushes the flags: PF ZF; rsp goes down by 8 to 0x7ffe0ff8"},
    {"c9", "rbp=0x7ffe1000 rsp=0x7ffe0f00", "rbp=0x7ffe2000 rsp=0x7ffe1008",
     "0x7ffe1000 0020fe7f00000000", "",
     "takes the frame down: rsp goes up to 0x7ffe1008, rbp = 2147360768, "
     "popped"},
    {"e8fb0f0000", "rsp=0x7ffe1000", "rsp=0x7ffe0ff8 rip=0x402000", "",
     "0x7ffe0ff8 0510400000000000",
     "calls 0x402000; pushes the return address 0x401005"},
    {"ff13", "rsp=0x7ffe1000 rbx=0x9000", "rsp=0x7ffe0ff8 rip=0x402000",
     "0x9000 0020400000000000", "0x7ffe0ff8 0210400000000000",
     "calls 0x402000, loaded from 0x9000 (8 bytes); pushes the return address "
     "0x401002"},
    {"c21000", "rsp=0x7ffe1000", "rsp=0x7ffe1018 rip=0x402000", "", "",
     "returns to 0x402000; rsp goes up by 24"},
    {"eb02", "", "rip=0x401004", "", "", "jumps to 0x401004"},
    {"ffe0", "rax=0x402000", "rip=0x402000", "", "", "jumps to 0x402000"},
    {"7410", "rflags=0x40", "rip=0x401012", "", "",
     "taken, because ZF is 1: jumps to 0x401012"},
    {"7410", "", "", "", "", "not taken, because ZF is 0"},
    {"7f10", "rflags=0x880", "rip=0x401012", "", "",
     "taken, because ZF is 0, SF is 1 and OF is 1: jumps to 0x401012"},
    {"7610", "rflags=0x40", "rip=0x401012", "", "",
     "taken, because CF is 0 and ZF is 1: jumps to 0x401012"},
    {"e310", "rcx=3", "", "", "", "not taken, because rcx is 3"},
    {"67e310", "rcx=0x100000000", "rip=0x401013", "", "",
     "taken, because ecx is 0: jumps to 0x401013"},
    {"e2fe", "rcx=3", "rcx=2 rip=0x401000", "", "",
     "rcx = 3 - 1 = 2; taken, because it is not 0: jumps to 0x401000"},
    {"e2fe", "rcx=1", "rcx=0", "", "",
     "rcx = 1 - 1 = 0; not taken, because it is 0"},
    {"e1fe", "rcx=3", "rcx=2", "", "",
     "rcx = 3 - 1 = 2; not taken, because ZF is 0"},

    {"8f03", "rbx=0x9000 rsp=0x7ffe0ff8", "rsp=0x7ffe1000",
     "0x7ffe0ff8 0500000000000000", "0x9000 0500000000000000",
     "pops 5 into 8 bytes at 0x9000; rsp goes up by 8 to 0x7ffe1000"},
    {"8f0424", "rsp=0x9000", "rsp=0x9008", "0x9000 0500000000000000",
     "0x9008 0500000000000000",
     "pops 5 into 8 bytes at 0x9008; rsp goes up by 8 to 0x9008"},
    {"8f03", "rbx=0x9000", "rsp=8", "", "", "rsp 0 -> 8"},

    /* two steps in one */
    {"480fc1c8", "rax=5 rcx=3", "rax=8 rcx=5", "", "",
     "rax = 5 + 3 = 8; rcx = 5, the value before"},
    {"480fc1c0", "rax=5", "rax=10", "", "", "rax = 5 + 5 = 10"},
    {"f00fc10b", "rbx=0x9000 rcx=3", "rcx=5", "0x9000 05000000",
     "0x9000 05000000/08000000",
     "4 bytes at 0x9000 = 5 + 3 = 8; ecx = 5, the value before"},
    {"480fc1c8", "rax=5 rcx=3", "rax=8 rcx=4", "", "",
     "rax 5 -> 8; rcx 3 -> 4"},
    {"f0480fb10b", "rax=5 rbx=0x9000 rcx=7", "rflags=0x40",
     "0x9000 0500000000000000", "0x9000 0500000000000000/0700000000000000",
     "8 bytes at 0x9000 = rcx = 7, because the value before was 5, as in rax"},
    {"f0480fb10b", "rax=5 rbx=0x9000 rcx=7", "rax=6", "0x9000 0600000000000000",
     "0x9000 0600000000000000/0600000000000000",
     "rax = 6, from 8 bytes at 0x9000, which do not get rcx = 7, because rax "
     "was 5"},
    {"0fb1cb", "rax=5 rbx=6 rcx=7", "rax=6", "", "",
     "eax = 6, from ebx, which does not get ecx = 7, because eax was 5"},
    {"0fb1cb", "rax=5 rbx=5 rcx=7", "rbx=8", "", "", "rbx 5 -> 8"},

    /* strings */
    {"48a5", "rsi=0x8000 rdi=0x9000", "rsi=0x8008 rdi=0x9008",
     "0x8000 0500000000000000", "0x9000 0500000000000000",
     "copies 5 from 0x8000 to 0x9000 (8 bytes)"},
    {"f3a5", "rcx=3 rsi=0x8000 rdi=0x9000",
     "rcx=2 rsi=0x8004 rdi=0x9004 rip=0x401000", "0x8000 05000000",
     "0x9000 05000000",
     "copies 5 from 0x8000 to 0x9000 (4 bytes); again, because rcx is now 2"},
    {"f3a4", "rcx=1 rsi=0x8000 rdi=0x9000", "rcx=0 rsi=0x8001 rdi=0x9001",
     "0x8000 05", "0x9000 05",
     "copies 5 from 0x8000 to 0x9000 (1 byte); ends, because rcx is now 0"},
    {"f3a4", "rsi=0x8000 rdi=0x9000", "", "", "",
     "does nothing, because rcx is 0"},
    {"67f3ab", "rcx=0x100000000", "", "", "", "does nothing, because ecx is 0"},
    {"f348ab", "rax=-1 rcx=3 rdi=0x9000", "rcx=2 rdi=0x9008 rip=0x401000", "",
     "0x9000 ffffffffffffffff",
     "stores -1 at 0x9000 (8 bytes); again, because rcx is now 2"},
    {"f348ab", "rax=-1 rcx=3 rdi=0x9000", "rcx=0 rdi=0x9018", "",
     "0x9000 ffffffffffffffff",
     "rcx 3 -> 0; rdi 36864 -> 36888; stores -1 at 0x9000 (8 bytes)"},
    {"ac", "rsi=0x8000", "rax=65 rsi=0x8001", "0x8000 41", "",
     "al = 65, loaded from 0x8000 (1 byte)"},
    {"ae", "rax=65 rdi=0x9000", "rdi=0x9001 rflags=0x46", "0x9000 41", "",
     "compares 65 with 65: 65 - 65 = 0 sets PF ZF, 65 loaded from 0x9000 (1 "
     "byte)"},
    {"f2ae", "rcx=-1 rdi=0x9000", "rcx=-2 rdi=0x9001 rip=0x401000 rflags=0x97",
     "0x9000 41", "",
     "compares 0 with 65: 0 - 65 = -65 sets CF PF AF SF, 65 loaded from 0x9000 "
     "(1 byte); again, because rcx is now -2 and ZF is 0"},
    {"f2ae", "rcx=-9 rdi=0x9000", "rcx=-10 rdi=0x9001 rflags=0x46", "0x9000 00",
     "",
     "compares 0 with 0: 0 - 0 = 0 sets PF ZF, 0 loaded from 0x9000 (1 byte); "
     "ends, because ZF is 1"},
    {"f3a6", "rcx=4 rsi=0x8000 rdi=0x9000", "rcx=3 rsi=0x8001 rdi=0x9001",
     "0x8000 07", "",
     "rcx 4 -> 3; rsi 32768 -> 32769; rdi 36864 -> 36865; reads 7 from 0x8000 "
     "(1 byte)"},
    {"660fc2c100", "rax=1", "rax=2", "", "", "rax 1 -> 2"},
    {"f20fc2c100", "rax=1", "rax=2", "", "", "rax 1 -> 2"},

    /* the CPU about itself; registers are listed elsewhere */
    {"0fa2", "rax=7 rcx=1", "rax=0 rbx=9 rcx=2 rdx=3", "", "",
     "asks the CPU about itself (leaf eax = 7, ecx = 1)"},
    {"0fa2", "rax=0x80000002", "rax=1", "", "",
     "asks the CPU about itself (leaf eax = 0x80000002, ecx = 0)"},
    {"0f31", "", "rax=5 rdx=2", "", "",
     "reads the time-stamp counter into edx:eax: 0x200000005"},
    {"0f01f9", "rcx=-1", "rax=5 rdx=0 rcx=3", "", "",
     "reads the time-stamp counter into edx:eax: 5, and IA32_TSC_AUX into ecx: "
     "3; the upper half of rcx becomes 0"},
    {"0f01d0", "rcx=0", "rax=7", "", "",
     "reads the control register XCR0 into edx:eax: 7"},

    /* what has no sentence of its own, or not enough to tell it */
    {"90", "", "", "", "", "does nothing"},
    {"660f1f440000", "", "", "", "", "does nothing"},
    {"f30f1efa", "", "", "", "", "marks where indirect jumps and calls may go"},
    {"0f05", "rax=39", "rax=77 rcx=0x401002 r11=0x202", "", "",
     "system call 39; the kernel returns 77 in rax"},
    {"f3480fb8c7", "rdi=7", "rax=3", "", "", "rax 0 -> 3"},
    {"f3480fb8c7", "rflags=0x41", "rbx=7 rflags=0x1", "", "",
     "rbx 0 -> 7; flags CF ZF -> CF"},
    {"c8200000", "rsp=0x9000 rbp=5", "rsp=0x8fd8 rbp=0x8ff8", "",
     "0x8ff8 0500000000000000",
     "rbp 5 -> 36856; rsp 36864 -> 36824; stores 5 at 0x8ff8 (8 bytes)"},
    {"830301", "rbx=0x9000", "", "", "0x9000 06000000",
     "stores 6 at 0x9000 (4 bytes)"},
    {"4801f8", "rax=1 rdi=1", "rax=3", "", "", "rax 1 -> 3"},
    {"488b03", "rbx=0x9000", "rax=5", "", "",
     "rax = 5, loaded from 0x9000 (8 bytes)"},
};

/* "0x9000 ff/00" becomes an access that borrows from bytes. */
static size_t read_access(const char *text, bool is_write, uint8_t *bytes,
                          struct mem_access *access)
{
    char first[160];
    char second[160] = "";
    unsigned long long addr;
    int fields = sscanf(text, "%llx %159[^/]/%159s", &addr, first, second);
    size_t len;

    if (fields < 2)
        return 0;
    *access = (struct mem_access){.addr = addr};
    len = unhex(first, bytes);
    if (!is_write || fields == 3)
        access->old_bytes = (struct bytes){bytes, len};
    else
        access->new_bytes = (struct bytes){bytes, len};
    if (fields == 3)
        access->new_bytes =
            (struct bytes){bytes + 80, unhex(second, bytes + 80)};
    return 1;
}

static void check_sentence(const struct sentence *given)
{
    struct insn insn = decoded(given->hex);
    struct regs before = {{[X86_RIP] = HERE}};
    struct regs after;
    struct mem_access read;
    struct mem_access write;
    uint8_t read_bytes[160];
    uint8_t write_bytes[160];
    size_t reads = read_access(given->read, false, read_bytes, &read);
    size_t writes = read_access(given->written, true, write_bytes, &write);
    struct buf buf = {0};

    read_regs(given->before, &before);
    after = before;
    after.value[X86_RIP] = HERE + insn.length;
    read_regs(given->after, &after);
    effect_describe(&(struct executed){&insn, &before, &after, NULL, NULL,
                                       &read, reads, &write, writes},
                    &buf);
    cr_assert(eq(str, (char *)buf_text(&buf), (char *)given->text), "%s: %s",
              given->hex, insn.text);
    buf_release(&buf);
}

Test(x86, sentences)
{
    for (size_t i = 0; i < COUNT(sentences); i++)
        check_sentence(&sentences[i]);
}

Test(x86, sentence_is_appended)
{
    struct insn insn = decoded("4801f8");
    struct regs regs = {{[X86_RIP] = HERE}};
    struct regs after = {{[X86_RIP] = HERE + 3, [X86_RAX] = 9}};
    struct buf buf = {0};

    buf_append_text(&buf, "before: ");
    effect_describe(
        &(struct executed){.insn = &insn, .before = &regs, .after = &after},
        &buf);
    cr_assert(eq(str, (char *)buf_text(&buf), "before: rax 0 -> 9"));
    buf_release(&buf);
}

/*
 * What the CPU computes is what the sentences work out: with registers of all
 * kinds none of these falls back to the list of changes, which it would if
 * the equation did not hold.
 */
static const char *const equations[] = {
    "48f7e7",         "48f7ef",   "f7e7",         "f7ef",
    "40f6e7",         "40f6ef",   "01f8",         "4801f8",
    "6601f8",         "00f8",     "4829f8",       "29f8",
    "4811f8",         "11f8",     "4819f8",       "18f8",
    "4821f8",         "09f8",     "4831f8",       "480fafc7",
    "0fafc7",         "486bc7f3", "6669c7ff7f",   "48f7d8",
    "f7d8",           "f6d8",     "ffc0",         "48ffc8",
    "fec8",           "4839f8",   "38f8",         "4885f8",
    "83c0f0",         "4883e8f0", "66ffc0",       "83f8f0",
    "488d447ff8",     "8d447ff8", "67488d447f08", "678d04fd00010000",
    "488d05f9ffffff", "d3e0",     "48d3e8",       "48d3f8",
    "d2e0",           "0f44c7",   "480f4cc7",     "0f97c0",
    "04f0",           "80e4f0",   "480fc1f8",     "0fc1f8",
    "480fb1f7",       "0fb1f7",   "400fb0f7",     "480fc1c0",
};

/* Where it is not, a CPU may refuse to resume with the stack there: AMD's do,
 * with a SIGSEGV before any instruction. */
static bool is_canonical(uint64_t addr)
{
    return (addr >> 47) == 0 || (addr >> 47) == 0x1ffff;
}

Test(x86, the_cpu_computes_what_we_say)
{
    static const uint64_t values[] = {
        0,
        1,
        5,
        UINT64_MAX - 3,
        0x7f,
        0x80,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x7fff12345678,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xc000000000000000,
    };
    struct cpu cpu = cpu_start();
    uint64_t state = 7;

    for (size_t i = 0; i < COUNT(equations) * 60; i++) {
        const char *hex = equations[i / 60];
        struct regs before = {{0}};
        struct regs after;
        struct insn insn;
        struct buf buf = {0};
        uint8_t code[32];
        uint64_t fault;

        for (int reg = 0; reg <= X86_R15; reg++)
            before.value[reg] = values[next_byte(&state) % COUNT(values)];
        while (!is_canonical(before.value[X86_RSP]))
            before.value[X86_RSP] = values[next_byte(&state) % COUNT(values)];
        before.value[X86_RFLAGS] = 0x202 | (next_byte(&state) & 1);
        before.value[X86_RIP] = cpu.code;
        after = before;
        cr_assert(eq(int, cpu_step(&cpu, hex, &after, &fault), SIGTRAP));
        insn_decode(code, unhex(hex, code), cpu.code, &insn);
        effect_describe(&(struct executed){.insn = &insn,
                                           .before = &before,
                                           .after = &after},
                        &buf);
        cr_assert(lacks(buf_text(&buf), " -> "), "%s: %s", insn.text,
                  buf_text(&buf));
        buf_release(&buf);
    }
    cpu_stop(&cpu);
}

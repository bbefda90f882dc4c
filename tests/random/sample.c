/* SPDX-License-Identifier: MIT */
/*
 * sample.c - makes samples of machine code (sample.h).
 *
 * Instructions are made by rolling dice for prefixes, opcode and operands until
 * Zydis knows the result, so that every instruction which Zydis knows may come.
 * What is rare that way, or needs another one in front, comes from a list of
 * snippets. A branch with a displacement goes forward, to the beginning of an
 * instruction. Most accesses to memory use a register that holds a good address
 * and that is seldom overwritten.
 *
 * Whatever byte the CPU may come to execute from, no instruction of these may
 * stand there (is_left_out):
 *
 * - System calls: with random registers they could do harm, to other processes
 *   too. (A sample that writes instructions could still make one.)
 * - What has another result each time: rdtsc, rdtscp, rdpru, rdpmc, rdrand,
 *   rdseed, rdpid; cpuid and lsl (the number of the CPU); xgetbv and the xsave
 *   family (which registers are "in use" changes by interrupts); sgdt, sidt,
 *   sldt, str, smsw (tables of the kernel and of the CPU); what waits (umwait,
 *   tpause, monitor).
 * - What asks a hypervisor: vmcall, vmmcall.
 * - Transactions: a trap aborts them, as an interrupt may at any time.
 * - What belongs to the thread and not to the sample: memory and base of fs,
 *   where the C library keeps its own; the base of gs; protection keys, which
 *   would take the stack from the handler of a fault; the shadow stack.
 */
#include "sample.h"

#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_INSNS 40
#define MOST      ZYDIS_MAX_INSTRUCTION_LENGTH

struct decoded {
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* A sample that is being made. */
struct maker {
    struct sample *sample;
    uint64_t random;
    size_t starts[MAX_INSNS + 1], count; /* where its instructions begin */
    struct {
        size_t at, size; /* of a displacement, at the instruction's end */
        size_t target;   /* which instruction */
    } branches[MAX_INSNS];
    size_t branch_count;
};

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(struct maker *maker, unsigned limit)
{
    return (unsigned)(random_next(&maker->random) >> 33) % limit;
}

/* True in so many of 100 cases. */
static bool percent(struct maker *maker, unsigned chance)
{
    return below(maker, 100) < chance;
}

/* --- which instructions there may be -------------------------------------- */

static bool decode(const uint8_t *bytes, size_t size, struct decoded *out)
{
    ZydisDecoder decoder;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                     ZYDIS_STACK_WIDTH_64);
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(
        &decoder, bytes, size < MOST ? size : MOST, &out->insn, out->operands));
}

size_t sample_insn_length(const uint8_t *bytes, size_t size, size_t offset)
{
    struct decoded decoded;

    if (!decode(bytes + offset, size - offset, &decoded))
        return 1;
    return decoded.insn.length;
}

static bool is_left_out_name(ZydisMnemonic name)
{
    static const ZydisMnemonic names[] = {
        ZYDIS_MNEMONIC_RDTSC,    ZYDIS_MNEMONIC_RDPMC,
        ZYDIS_MNEMONIC_RDRAND,   ZYDIS_MNEMONIC_RDSEED,
        ZYDIS_MNEMONIC_RDPID,    ZYDIS_MNEMONIC_CPUID,
        ZYDIS_MNEMONIC_LSL,      ZYDIS_MNEMONIC_SLDT,
        ZYDIS_MNEMONIC_STR,      ZYDIS_MNEMONIC_XSAVE,
        ZYDIS_MNEMONIC_XSAVE64,  ZYDIS_MNEMONIC_XSAVEOPT,
        ZYDIS_MNEMONIC_XSAVEC,   ZYDIS_MNEMONIC_XSAVEC64,
        ZYDIS_MNEMONIC_XSAVES,   ZYDIS_MNEMONIC_XSAVEOPT64,
        ZYDIS_MNEMONIC_XSAVES64, ZYDIS_MNEMONIC_XRSTOR,
        ZYDIS_MNEMONIC_XRSTOR64, ZYDIS_MNEMONIC_XRSTORS,
        ZYDIS_MNEMONIC_XBEGIN,   ZYDIS_MNEMONIC_XRSTORS64,
        ZYDIS_MNEMONIC_XABORT,   ZYDIS_MNEMONIC_UMONITOR,
        ZYDIS_MNEMONIC_UMWAIT,   ZYDIS_MNEMONIC_TPAUSE,
        ZYDIS_MNEMONIC_RDFSBASE, ZYDIS_MNEMONIC_WRFSBASE,
        ZYDIS_MNEMONIC_WRGSBASE, ZYDIS_MNEMONIC_LFS,
        ZYDIS_MNEMONIC_RDSSPD,   ZYDIS_MNEMONIC_RDSSPQ,
        ZYDIS_MNEMONIC_INCSSPD,  ZYDIS_MNEMONIC_INCSSPQ,
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i] == name)
            return true;
    return false;
}

static bool is_left_out(const uint8_t *bytes, size_t size)
{
    struct decoded decoded;

    /* syscall, sysenter, int 0x80, and a group that is left out as a whole */
    if (size >= 2 &&
        ((bytes[0] == 0x0f &&
          (bytes[1] == 0x05 || bytes[1] == 0x34 || bytes[1] == 0x01)) ||
         (bytes[0] == 0xcd && bytes[1] == 0x80)))
        return true;
    if (!decode(bytes, size, &decoded))
        return false;
    for (size_t i = 0; i < decoded.insn.operand_count; i++) {
        const ZydisDecodedOperand *operand = &decoded.operands[i];

        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            operand->mem.segment == ZYDIS_REGISTER_FS)
            return true;
        if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            operand->reg.value == ZYDIS_REGISTER_FS &&
            operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            return true;
    }
    return is_left_out_name(decoded.insn.mnemonic);
}

/* Whether there is none at any byte of it, nor in front of it. */
static bool is_harmless(const struct sample *sample)
{
    size_t at = sample->entry < MOST ? 0 : sample->entry - MOST;

    for (; at < sample->end; at++)
        if (is_left_out(sample->bytes + at, sample->length - at))
            return false;
    return true;
}

/* --- instructions --------------------------------------------------------- */

/* Writes what could be the beginning of an instruction; MOST bytes in all. */
static void roll(struct maker *maker, uint8_t *bytes)
{
    static const uint8_t prefixes[] = {0x66, 0xf2, 0xf3, 0xf0, 0x67};
    unsigned form = below(maker, 100);
    size_t n = 0;

    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (uint8_t)random_next(&maker->random);
    if (form >= 78) { /* VEX, EVEX */
        bytes[0] = form < 84 ? 0xc5 : form < 92 ? 0xc4 : 0x62;
        if (bytes[0] == 0xc4)
            bytes[1] = (uint8_t)((bytes[1] & 0xe0) | (1 + below(maker, 3)));
        return;
    }
    while (percent(maker, 20))
        bytes[n++ % 4] = prefixes[below(maker, sizeof prefixes)];
    n = n > 4 ? 4 : n;
    if (percent(maker, 45))
        bytes[n++] = (uint8_t)(0x40 + below(maker, 16));
    if (form >= 42)
        bytes[n++] = 0x0f;
    if (form >= 68)
        bytes[n] = percent(maker, 60) ? 0x38 : 0x3a;
}

/* Registers that hold good addresses. */
static bool is_pointer(ZydisRegister reg)
{
    return reg == ZYDIS_REGISTER_RBX || reg == ZYDIS_REGISTER_RSI ||
           reg == ZYDIS_REGISTER_RDI || reg == ZYDIS_REGISTER_RBP ||
           reg == ZYDIS_REGISTER_RSP || reg == ZYDIS_REGISTER_R12;
}

/* Whether an operand leads to a fault, or spoils what is behind. */
static bool is_wild(const ZydisDecodedOperand *operand)
{
    ZydisRegister reg = operand->reg.value;

    if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
        return false;
    if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY)
        return !is_pointer(operand->mem.base) ||
               operand->mem.index != ZYDIS_REGISTER_NONE ||
               operand->mem.disp.value != (int8_t)operand->mem.disp.value;
    return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
           operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
           is_pointer(ZydisRegisterGetLargestEnclosing(
               ZYDIS_MACHINE_MODE_LONG_64, reg));
}

/* Whether an instruction that was rolled is to be taken. */
static bool is_wanted(struct maker *maker, const struct decoded *decoded)
{
    const ZydisDecodedInstruction *insn = &decoded->insn;
    bool relative = insn->raw.imm[0].is_relative;

    if (relative)
        return !(insn->attributes &
                 (ZYDIS_ATTRIB_HAS_OPERANDSIZE | ZYDIS_ATTRIB_HAS_ADDRESSSIZE));
    if (insn->meta.category == ZYDIS_CATEGORY_RET ||
        insn->meta.category == ZYDIS_CATEGORY_CALL ||
        insn->meta.category == ZYDIS_CATEGORY_UNCOND_BR)
        return percent(maker, 5);
    if (insn->meta.category == ZYDIS_CATEGORY_INTERRUPT ||
        insn->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
        return percent(maker, 5);
    for (size_t i = 0; i < insn->operand_count; i++)
        if (is_wild(&decoded->operands[i]))
            return percent(maker, 3);
    return true;
}

/* Appends an instruction; false if there is no room. */
static bool add(struct maker *maker, const void *bytes, size_t size)
{
    struct sample *sample = maker->sample;

    if (maker->count == MAX_INSNS)
        return false;
    maker->starts[maker->count++] = sample->end;
    memcpy(sample->bytes + sample->end, bytes, size);
    sample->end += size;
    return true;
}

/* The displacement at the end of the last instruction is to lead forward. */
static void forward(struct maker *maker, size_t size)
{
    size_t n = maker->branch_count++;

    maker->branches[n].at = maker->sample->end - size;
    maker->branches[n].size = size;
    maker->branches[n].target = maker->count + below(maker, 4);
}

static void add_rolled(struct maker *maker)
{
    uint8_t bytes[MOST];
    struct decoded decoded;

    do
        roll(maker, bytes);
    while (!decode(bytes, sizeof bytes, &decoded) ||
           !is_wanted(maker, &decoded));
    if (add(maker, bytes, decoded.insn.length) &&
        decoded.insn.raw.imm[0].is_relative)
        forward(maker, decoded.insn.raw.imm[0].size / 8);
}

/* --- snippets ------------------------------------------------------------- */

/*
 * Their bytes, in hex, an instruction a word. "??" is a random byte, "<<" one
 * from 0 to 15, and ">>" stands for a displacement of 32 bits that leads
 * forward from the end of its instruction.
 */
static const char *const snippets[] = {
    "9c 9d",                            /* pushf; popf */
    "9c 810c24d50c0000 9d",             /* sets all status flags, and DF */
    "9c 813424??0c0000 9d",             /* changes some of them */
    "9c 810c2400000400 9d 8b4301",      /* AC, and an unaligned load */
    "9c 810c2400002000 9d 9c",          /* ID */
    "9c 810c2400000100 9d 90 9c",       /* RF */
    "9c 810c2400300300 9d 9c",          /* IOPL, VM */
    "669c 669d",                        /* pushf, popf of 16 bits */
    "fd a4 fc",                         /* std; movsb; cld */
    "b9<<000000 f3a4",                  /* mov ecx, N; rep movsb */
    "b9<<000000 f348a5",                /* rep movsq */
    "b9<<000000 f3ab",                  /* rep stosd */
    "b9<<000000 f3ac",                  /* rep lodsb */
    "b9<<000000 f3a6",                  /* repe cmpsb */
    "b9<<000000 f2ae",                  /* repne scasb */
    "b9<<000000 fd f3aa fc",            /* std; rep stosb; cld */
    "498d7df0 b9<<000000 f348ab",       /* rep stosq onto the end of a page */
    "c8<<0000 c9",                      /* enter N, 0; leave */
    "c8100002 c9",                      /* enter 16, 2; leave */
    "cc",                               /* int3 */
    "cd03",                             /* the same in two bytes */
    "cd??",                             /* int N: not for a program */
    "f1",                               /* int1 */
    "0f0b",                             /* ud2 */
    "f4",                               /* hlt */
    "ec",                               /* in al, dx */
    "8cd0 8ed0 9c",                     /* mov ss, eax; pushf */
    "8cd0 8ed0 9d",                     /* ... popf */
    "8cd0 8ed0 cc",                     /* ... int3 */
    "8cd0 8ed0 0f0b",                   /* ... ud2 */
    "8cd0 8ed0 8b07",                   /* ... a load */
    "8cd0 8ed0 418911",                 /* ... a store to no page */
    "8cd0 8ed0 50",                     /* ... a push */
    "8cd0 8ed0 eb00",                   /* ... a jump */
    "8cd0 8ed0 8ed0 90",                /* ... again */
    "31c0 8ed8 8cd9",                   /* mov ds, null selector */
    "b8ffff0000 8ed8",                  /* mov ds, what is no selector */
    "8cc8 8ed0",                        /* mov ss, code selector */
    "488d05>> ffe0",                    /* lea rax, forward; jmp rax */
    "488d05>> ffd0",                    /* ... call rax */
    "488d05>> 50 c3",                   /* ... push rax; ret */
    "488d05>> 50 c20800",               /* ... push rax; ret 8 */
    "488d05>> 488903 ff23",             /* ... jmp [rbx] */
    "488d05>> 488903 ff13",             /* ... call [rbx] */
    "e8>>",                             /* call */
    "e9>>",                             /* jmp */
    "e8>> 58",                          /* call; pop rax */
    "e800000000 59",                    /* call the next one; pop rcx */
    "488d05>> 6a33 50 48cb",            /* ... a far return to the same cs */
    "488d05>> 6a2b 54 9c 6a33 50 48cf", /* iretq, with its stack */
    "488d05>> 4989e3 6a2b 4153 9c 6a33 50 48cf",
    "31d2 b903000000 f7f1",              /* div ecx */
    "31d2 31c9 f7f1",                    /* div by 0 */
    "ba01000000 31c0 b901000000 f7f1",   /* a quotient that is too large */
    "99 f7fb",                           /* cdq; idiv ebx */
    "f0480fc103",                        /* lock xadd [rbx], rax */
    "f00fb10b",                          /* lock cmpxchg [rbx], ecx */
    "f00fc70b",                          /* lock cmpxchg8b [rbx] */
    "4883e7f0 f0480fc70f",               /* lock cmpxchg16b [rdi], aligned */
    "8703",                              /* xchg [rbx], eax */
    "f08303<<",                          /* lock add dword [rbx], N */
    "418900",                            /* a store to the read-only page */
    "418b00",                            /* a load from there */
    "418911",                            /* a store to no page */
    "418b11",                            /* a load from there */
    "418802",                            /* a store to the code */
    "418b02",                            /* a load of the code */
    "410fb64a<< 41884a<<",               /* a byte of the code onto another */
    "418b06",                            /* an address that is none */
    "41ff36",                            /* push from there */
    "418f06",                            /* pop to there */
    "498945fc",                          /* a store across two pages */
    "490145fc",                          /* ... that also loads */
    "498b45fc",                          /* a load across two pages */
    "410f2945f8",                        /* movaps, not aligned */
    "410f1145f8",                        /* movups across two pages */
    "0f2803 0f2907",                     /* movaps, aligned */
    "660fe703",                          /* movntdq */
    "f30f7f03",                          /* movdqu */
    "c5fe7f03 c5fe6f0b",                 /* vmovdqu ymm, both ways */
    "c5fc2903",                          /* vmovaps ymm */
    "c5f877",                            /* vzeroupper */
    "480fab03",                          /* bts [rbx], rax: any address */
    "0fba6b<<07",                        /* bts [rbx + N], 7 */
    "6aff",                              /* push -1 */
    "68????????",                        /* push imm32 */
    "54 5c",                             /* push rsp; pop rsp */
    "5c",                                /* pop rsp, from the stack */
    "ff3424",                            /* push [rsp] */
    "8f0424",                            /* pop [rsp] */
    "66 50 6658",                        /* a prefix alone; push ax; pop ax */
    "31e4 50",                           /* xor esp, esp; push */
    "4c89f4 50",                         /* rsp is no address; push */
    "4c89f4 9c",                         /* ... pushf */
    "4c89f4 e8>>",                       /* ... call */
    "4c89cc e8>>",                       /* rsp at no page; call */
    "4d8d6010 4c89e4 50",                /* rsp at the read-only page */
    "4c89c4 e8>>",                       /* ... call */
    "4c89d4 5a",                         /* rsp at the code; pop */
    "4c89d4 50",                         /* ... push below it */
    "4883c408 c3",                       /* returns over the caller */
    "c3",                                /* ret */
    "41ffe1",                            /* jmp to no page */
    "41ffd1",                            /* call to no page */
    "41ffe0",                            /* jmp to what is not executable */
    "ffd3",                              /* the same with call */
    "41ffe6",                            /* jmp to an address that is none */
    "41ffd6",                            /* call it */
    "ff33 c3",                           /* returns to anywhere */
    "0fae1b 8023c0 0fae13",              /* stmxcsr; changes it; ldmxcsr */
    "c70380000000 0fae13 0f5ec1",        /* unmasks all; divps */
    "dbe3 d9ee d9e8 def1",               /* fninit; fldz; fld1; fdivp */
    "66c7034003 d92b d9e8 d9ee def9 9b", /* unmasks x87; divides by 0; fwait */
    "9b d9e8 dd1b",                      /* fwait; fld1; fstp [rbx] */
    "0fc8 0f18c0",                       /* bswap; nop */
    "f390",                              /* pause */
    "0faee8 0faef0 0faef8",              /* fences */
    "0faf03 480faf07",                   /* imul */
    "d7",                                /* xlat */
    "0f1f8400????????",                  /* a nop with an address */
    "2e2e2e2e2e2e2e2e2e2e2e2e2e90",      /* a long one */
    "666666666666666666666666666690",    /* of 15 bytes */
    "66666666666666666666666666666690",  /* of 16: too long */
};

/* Who steps itself is not watched any more: these come seldom. */
static const char *const own_steps[] = {
    "9c 810c2400010000 9d",    /* TF */
    "9c 810c2400010000 9d 9c", /* ... and a pushf that is stepped */
    "9c 810c2400010000 8cd0 8ed0 9d 90",
    "9c 810c2400010000 9d 8cd0 8ed0 90",
    "9c 810c2400010000 9d 0f0b", /* ... what faults */
    "9c 810c2400010000 9d b903000000 f3a4",
    "488d05>> 4989e3 6a2b 4153 9c 810c2400010000 6a33 50 48cf",
};

static unsigned nibble(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static const char *choose(struct maker *maker)
{
    if (below(maker, 2000) == 0)
        return own_steps[below(maker, sizeof own_steps / sizeof *own_steps)];
    return snippets[below(maker, sizeof snippets / sizeof *snippets)];
}

static void add_snippet(struct maker *maker)
{
    const char *text = choose(maker);

    while (*text != '\0') {
        uint8_t bytes[32];
        size_t size = 0;
        bool branch = false;

        for (; *text != ' ' && *text != '\0'; text += 2) {
            uint8_t byte = (uint8_t)random_next(&maker->random);

            if (*text == '>') {
                branch = true;
                memset(bytes + size, 0, 4);
                size += 4;
                continue;
            }
            if (*text == '<')
                byte &= 15;
            else if (*text != '?')
                byte = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
            bytes[size++] = byte;
        }
        if (add(maker, bytes, size) && branch)
            forward(maker, 4);
        text += *text == ' ';
    }
}

/* --- samples -------------------------------------------------------------- */

static void aim_branches(struct maker *maker)
{
    uint8_t *bytes = maker->sample->bytes;

    maker->starts[maker->count] = maker->sample->end;
    for (size_t i = 0; i < maker->branch_count; i++) {
        size_t at = maker->branches[i].at, size = maker->branches[i].size;
        size_t target = maker->branches[i].target;
        int32_t distance;

        target = target < maker->count ? target : maker->count;
        distance = (int32_t)(maker->starts[target] - at - size);
        memcpy(bytes + at, &distance, size);
    }
}

/* How it ends: by a return, even if the stack is not what it was, or not. */
static void add_end(struct maker *maker)
{
    static const uint8_t ud2[] = {0x0f, 0x0b}, ret[] = {0xc3};
    uint64_t rsp = SAMPLE_RSP - 8;
    uint8_t back[11] = {0x48, 0xbc, [10] = 0xc3}; /* mov rsp, ...; ret */
    unsigned how = below(maker, 10);

    memcpy(back + 2, &rsp, sizeof rsp);
    if (how < 6)
        add(maker, back, sizeof back);
    else if (how < 8)
        add(maker, ret, sizeof ret);
    else if (how < 9)
        add(maker, ud2, sizeof ud2);
}

static void make_valid(struct maker *maker)
{
    unsigned wanted = 3 + below(maker, MAX_INSNS - 12);

    while (maker->count < wanted)
        if (percent(maker, 40))
            add_snippet(maker);
        else
            add_rolled(maker);
    add_end(maker);
    aim_branches(maker);
}

static void make_bytes(struct maker *maker)
{
    struct sample *sample = maker->sample;
    size_t count = 16 + below(maker, 200);

    for (size_t i = 0; i < count; i++)
        sample->bytes[sample->end++] = (uint8_t)random_next(&maker->random);
}

/* Moves all to the end of its pages, so that it may run off them, or so that
 * it spans two. */
static void move(struct maker *maker)
{
    struct sample *sample = maker->sample;
    size_t size = sample->end - sample->entry, entry = 0;
    unsigned where = below(maker, 10);

    if (where < 3)
        entry = sample->length - size;
    else if (where < 5)
        entry = below(maker, 64);
    else if (where < 7 && sample->length > SAMPLE_PAGE)
        entry = SAMPLE_PAGE - below(maker, (unsigned)size);
    memmove(sample->bytes + entry, sample->bytes, size);
    sample->entry = entry;
    sample->end = entry + size;
}

/* What is not of the sample in its pages. */
static void fill(struct maker *maker)
{
    static const uint8_t bytes[] = {0xcc, 0xc3, 0xf4, 0x0f};
    struct sample *sample = maker->sample;
    uint8_t byte = bytes[below(maker, sizeof bytes)];

    memset(sample->bytes, byte, sample->entry);
    memset(sample->bytes + sample->end, byte, sample->length - sample->end);
}

static void set_registers(struct maker *maker)
{
    struct sample *sample = maker->sample;
    uint64_t *regs = sample->regs;

    for (int i = 0; i < SAMPLE_REGS; i++)
        regs[i] = random_next(&maker->random) & SAMPLE_FLAGS;
    regs[RCX] &= 15;
    regs[RDX] &= 0xff;
    regs[RBX] = SAMPLE_DATA + 0x400;
    regs[RSI] = SAMPLE_DATA + 0x600 + below(maker, 16);
    regs[RDI] = SAMPLE_DATA + 0x800 + below(maker, 16);
    regs[RBP] = SAMPLE_DATA + 0xa00;
    regs[R12] = SAMPLE_DATA + 0x200;
    regs[R8] = SAMPLE_READ_ONLY + 0x100;
    regs[R9] = SAMPLE_UNMAPPED + 0x100;
    regs[R10] = SAMPLE_CODE + sample->entry;
    regs[R13] = SAMPLE_READ_ONLY; /* the end of the page before it */
    regs[R14] |= UINT64_C(1) << 63;
    regs[R14] &= ~(UINT64_C(1) << 62); /* not canonical */
    regs[RSP] = SAMPLE_RSP;
    /* CF, PF, AF, ZF, SF and OF as it comes */
    sample->flags = 0x202 | (random_next(&maker->random) & 0x8d5);
}

/* As sample_make; false if an instruction that is left out has come about. */
static bool make(struct sample *sample, uint64_t *seed)
{
    struct maker maker = {.sample = sample};
    unsigned shape;

    memset(sample, 0, sizeof *sample);
    maker.random = random_next(seed);
    shape = below(&maker, 64);
    sample->valid = (shape & 3) != 0;
    sample->writable = sample->valid && (shape & 12) == 0;
    sample->fresh = (shape & 16) != 0;
    sample->jumped_to = (shape & 32) != 0;
    sample->restart = percent(&maker, 70);
    sample->fill = random_next(&maker.random);
    sample->length = percent(&maker, 80) ? SAMPLE_PAGE : 2 * SAMPLE_PAGE;
    if (sample->valid)
        make_valid(&maker);
    else
        make_bytes(&maker);
    move(&maker);
    fill(&maker);
    set_registers(&maker);
    return is_harmless(sample);
}

void sample_make(struct sample *sample, uint64_t seed)
{
    while (!make(sample, &seed))
        continue;
}

void sample_print(const struct sample *sample)
{
    const uint8_t *bytes = sample->bytes;
    ZydisFormatter formatter;

    printf("%s in %zu bytes, %s; data and stack are mapped %s; entered by a "
           "%s; after a fault the registers %s\n",
           sample->valid ? "instructions" : "random bytes", sample->length,
           sample->writable ? "rwx" : "r-x", sample->fresh ? "anew" : "already",
           sample->jumped_to ? "jump" : "call",
           sample->restart ? "are set anew" : "stay");
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    for (size_t at = sample->entry; at < sample->end;) {
        size_t length = sample_insn_length(bytes, sample->length, at);
        struct decoded decoded;
        char text[128] = "(none)", hex[2 * MOST + 1] = "";

        if (decode(bytes + at, sample->length - at, &decoded))
            ZydisFormatterFormatInstruction(
                &formatter, &decoded.insn, decoded.operands,
                decoded.insn.operand_count_visible, text, sizeof text,
                SAMPLE_CODE + at, NULL);
        for (size_t i = 0; i < length; i++)
            sprintf(hex + 2 * i, "%02x", bytes[at + i]);
        printf("%" PRIx64 "  %-30s  %s\n", SAMPLE_CODE + at, hex, text);
        at += length;
    }
}

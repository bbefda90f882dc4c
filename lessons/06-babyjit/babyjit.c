/* SPDX-License-Identifier: MIT */
/*
 * babyjit.c - a whole just-in-time compiler, as small as one can be.
 *
 * `babyjit TERM` makes this function while it runs, then calls it three times:
 *
 *     48 c7 c0 imm32    mov rax, TERM    rax = TERM, widened to 64 bits
 *     48 01 f8          add rax, rdi     rax = rax + the argument
 *     c3                ret              back to the caller with rax
 *
 * Build it with: gcc -g -O0 -o babyjit babyjit.c
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

/* Reads decimal digits, with or without a minus sign in front. */
static int read_term(const char *text, int32_t *term)
{
    char *end;
    long value;

    /* strtol would let blanks and a plus sign pass. */
    if (!isdigit((unsigned char)text[text[0] == '-']))
        return -1;
    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || *end || value < INT32_MIN || value > INT32_MAX)
        return -1;
    *term = (int32_t)value;
    return 0;
}

int main(int argc, char **argv)
{
    int32_t term;

    if (argc != 2) {
        fprintf(stderr,
                "babyjit: %d arguments given, but it takes one: "
                "babyjit TERM, for example babyjit -4\n",
                argc - 1);
        return EX_USAGE;
    }
    if (read_term(argv[1], &term) < 0) {
        fprintf(stderr,
                "babyjit: '%s' is not a term: give a whole number "
                "from %d to %d\n",
                argv[1], INT32_MIN, INT32_MAX);
        return EX_USAGE;
    }

    /* 1. The kernel gives out memory in pages. How large is one? */
    size_t size = (size_t)getpagesize();

    /* 2. A fresh page of zeros, to read and to write, not to execute. */
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        perror("babyjit: mmap");
        return EX_OSERR;
    }

    /* 3. The machine code, one byte after the other. TERM goes in with its
     * lowest byte first; unsigned, because what >> does to a negative number
     * is up to the compiler. */
    uint32_t imm = (uint32_t)term;

    code[0] = 0x48; /* REX.W: 64 bits */
    code[1] = 0xc7; /* mov r/m64, imm32 */
    code[2] = 0xc0; /* ModRM: rax */
    code[3] = (uint8_t)imm;
    code[4] = (uint8_t)(imm >> 8);
    code[5] = (uint8_t)(imm >> 16);
    code[6] = (uint8_t)(imm >> 24);

    code[7] = 0x48; /* REX.W: 64 bits */
    code[8] = 0x01; /* add r/m64, r64 */
    code[9] = 0xf8; /* ModRM: rax, rdi */

    code[10] = 0xc3; /* ret */

    /* 4. From writable to executable: never both at the same time. */
    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("babyjit: mprotect");
        return EX_OSERR;
    }

    /* 5. The bytes are a function now. C leaves open which of the three calls
     * comes first; gcc begins with the last one. */
    int32_t (*fn)(int32_t) = (int32_t(*)(int32_t))code;

    if (printf("%d %d %d\n", fn(1), fn(2), fn(3)) < 0 || fflush(stdout) != 0) {
        perror("babyjit: standard output");
        return EX_IOERR;
    }
    munmap(code, size);
    return 0;
}

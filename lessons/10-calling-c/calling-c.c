/* SPDX-License-Identifier: MIT */
/*
 * calling-c.c - machine code that calls a C function, by the rules.
 *
 *     calling-c             keeps the rules
 *     calling-c caller      keeps a value where the C function may put another
 *     calling-c callee      changes a register that it had to leave alone
 *     calling-c alignment   calls with the stack 8 bytes off
 *
 * It makes the function fn(n) = twice(n) + n, where twice() is the C function
 * below, and calls it with 11, 21 and 31.
 *
 * Build it with: gcc -g -O0 -o calling-c calling-c.c
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>

enum { SIZE = 4096 };

static uint8_t *code;
static size_t here; /* the next byte goes to code[here] */

static void emit(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        code[here++] = (uint8_t)bytes[i];
}

/* [twice] */
/* Two numbers in one 16-byte register. */
typedef int64_t pair __attribute__((vector_size(16)));

static int64_t times(int64_t factor, int64_t n)
{
    pair both = {n, n};

    both *= factor;
    return both[0];
}

static int64_t twice(int64_t n)
{
    return times(2, n);
}
/* [/twice] */

/* mov rax, ADDRESS; call rax */
static void emit_call(int64_t (*function)(int64_t))
{
    uint64_t address = (uint64_t)(uintptr_t)function;

    emit("\x48\xb8", 2); /* mov rax, imm64 */
    for (int i = 0; i < 8; i++)
        code[here++] = (uint8_t)(address >> 8 * i);
    emit("\xff\xd0", 2); /* call rax */
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";

    code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (code == MAP_FAILED) {
        perror("calling-c: mmap");
        return EX_OSERR;
    }

    if (strcmp(mode, "caller") == 0) {
        /* [caller] */
        emit("\x48\x83\xec\x08", 4); /* sub rsp, 8 */
        emit_call(twice);
        emit("\x48\x01\xf8", 3);     /* add rax, rdi */
        emit("\x48\x83\xc4\x08", 4); /* add rsp, 8 */
        emit("\xc3", 1);             /* ret */
        /* [/caller] */
    } else if (strcmp(mode, "callee") == 0) {
        emit("\x48\x83\xec\x08", 4); /* sub rsp, 8 */
        emit("\x48\x89\xfb", 3);     /* mov rbx, rdi */
        emit_call(twice);
        emit("\x48\x01\xd8", 3);     /* add rax, rbx */
        emit("\x48\x83\xc4\x08", 4); /* add rsp, 8 */
        emit("\xc3", 1);             /* ret */
    } else if (strcmp(mode, "alignment") == 0) {
        emit("\x53", 1);         /* push rbx */
        emit("\x55", 1);         /* push rbp */
        emit("\x48\x89\xfb", 3); /* mov rbx, rdi */
        emit_call(twice);
        emit("\x48\x01\xd8", 3); /* add rax, rbx */
        emit("\x5d", 1);         /* pop rbp */
        emit("\x5b", 1);         /* pop rbx */
        emit("\xc3", 1);         /* ret */
    } else {
        /* [right] */
        emit("\x53", 1);         /* push rbx */
        emit("\x48\x89\xfb", 3); /* mov rbx, rdi */
        emit_call(twice);
        emit("\x48\x01\xd8", 3); /* add rax, rbx */
        emit("\x5b", 1);         /* pop rbx */
        emit("\xc3", 1);         /* ret */
        /* [/right] */
    }

    if (mprotect(code, SIZE, PROT_READ | PROT_EXEC) < 0) {
        perror("calling-c: mprotect");
        return EX_OSERR;
    }
    int64_t (*fn)(int64_t) = (int64_t(*)(int64_t))code;

    /* [loop] */
    /* gcc -O0 keeps a `register` variable in rbx. */
    for (register int64_t n = 10; n <= 30; n += 10) {
        int64_t result = fn(n + 1);
        printf("n = %" PRId64 ": %" PRId64 "\n", n, result);
    }
    /* [/loop] */
    munmap(code, SIZE);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Exercise 10: a well-behaved caller and callee.
 *
 * compile() makes a function of n that returns f(n) + f(n + 1), where f is a C
 * function. It keeps n in rbx and f(n) in r12, as both must outlive a call.
 *
 * push r12 has two bytes, 0x41 0x54: the first is the prefix REX.B, without
 * which there are rax to rdi only. `make hint N=10` says how to get at the bytes
 * of any instruction.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Your turn: r12 must be saved, too. And rsp must be a multiple of 16 at the
 * calls. What comes first, and what comes last? */
static const uint8_t first[] = {
    0x53, /* push rbx */
};
static const uint8_t last[] = {
    0x5b, /* pop rbx */
    0xc3, /* ret */
};

static uint8_t *append(uint8_t *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

/* mov rax, f; call rax */
static uint8_t *append_call(uint8_t *to, int64_t (*f)(int64_t))
{
    to = append(to, "\x48\xb8", 2);
    to = append(to, &f, sizeof f);
    return append(to, "\xff\xd0", 2);
}

/* Returns the code of the function, or NULL. */
uint8_t *compile(int64_t (*f)(int64_t))
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *to = code;

    if (code == MAP_FAILED) {
        perror("mmap");
        return NULL;
    }
    to = append(to, first, sizeof first);
    to = append(to, "\x48\x89\xfb", 3); /* mov rbx, rdi */
    to = append_call(to, f);
    to = append(to, "\x49\x89\xc4", 3);     /* mov r12, rax */
    to = append(to, "\x48\x8d\x7b\x01", 4); /* lea rdi, [rbx+1] */
    to = append_call(to, f);
    to = append(to, "\x4c\x01\xe0", 3); /* add rax, r12 */
    append(to, last, sizeof last);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return NULL;
    }
    return code;
}

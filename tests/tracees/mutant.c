/* SPDX-License-Identifier: MIT */
/*
 * Makes a function with a branch and a store, and calls it three times. What is
 * asked for is done otherwise: "byte N VALUE" stores another byte N, "backwards"
 * stores them from the last one on, "argument N" calls it with N first, "twice"
 * stores a wrong byte before the right one, "mprotect" asks for more than is
 * needed, "print" prints another thing, "status N" ends so.
 *
 * prints:  13 7 14
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x *
 * reports: enter +0 call
 * reports: leave return 13
 * reports: leave return 7
 * reports: leave return 14
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const uint8_t insns[] = {
    0x48, 0x89, 0xf8,     /*  0 mov rax, rdi */
    0x48, 0x83, 0xf8, 5,  /*  3 cmp rax, 5 */
    0x7f, 4,              /*  7 jg 13 */
    0x48, 0x83, 0xc0, 10, /*  9 add rax, 10 */
    0x48, 0x89, 0x06,     /* 13 mov [rsi], rax */
    0xc3,                 /* 16 ret */
};
#define LENGTH (sizeof insns)

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    long number = argc > 2 ? strtol(argv[2], NULL, 0) : 0;
    uint8_t bytes[LENGTH];
    volatile uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long (*fn)(long, long *) = (long (*)(long, long *))(uintptr_t)code;
    long out[3];

    if (code == MAP_FAILED)
        return 1;
    memcpy(bytes, insns, LENGTH);
    if (strcmp(what, "byte") == 0)
        bytes[number] = (uint8_t)strtol(argv[3], NULL, 0);
    if (strcmp(what, "twice") == 0)
        code[0] = 0x90;
    for (size_t i = 0; i < LENGTH; i++) {
        size_t at = strcmp(what, "backwards") == 0 ? LENGTH - 1 - i : i;

        code[at] = bytes[at];
    }
    if (strcmp(what, "twice") != 0)
        code[0] = bytes[0];
    mprotect((void *)(uintptr_t)code, 4096,
             PROT_READ | PROT_EXEC |
                 (strcmp(what, "mprotect") == 0 ? PROT_WRITE : 0));
    fn(strcmp(what, "argument") == 0 ? number : 3, &out[0]);
    fn(7, &out[1]);
    fn(4, &out[2]);
    printf("%ld %ld %ld\n", out[0], out[1], out[2]);
    if (strcmp(what, "print") == 0)
        puts("more");
    return strcmp(what, "status") == 0 ? (int)number : 0;
}

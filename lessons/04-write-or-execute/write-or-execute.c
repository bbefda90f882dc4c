/* SPDX-License-Identifier: MIT */
/*
 * write-or-execute.c - what a page's permissions allow, and what they prevent.
 *
 *     write-or-execute            writes, flips the page, executes
 *     write-or-execute early      executes it before the flip
 *     write-or-execute late       writes once more, after the flip
 *     write-or-execute both       the same, where both are allowed
 *
 * Build it with: gcc -g -O0 -o write-or-execute write-or-execute.c
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    size_t size = (size_t)getpagesize();

    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        perror("write-or-execute: mmap");
        return EX_OSERR;
    }

    code[0] = 0xb8; /* mov eax, imm32 */
    code[1] = 42;   /* 42, 0, 0, 0: a fresh page is full of zeros */
    code[5] = 0xc3; /* ret */

    /* [flip] */
    int prot = PROT_READ | PROT_EXEC;
    if (strcmp(mode, "both") == 0)
        prot = PROT_READ | PROT_WRITE | PROT_EXEC;
    if (strcmp(mode, "early") != 0 && mprotect(code, size, prot) < 0) {
        perror("write-or-execute: mprotect");
        return EX_OSERR;
    }
    /* [/flip] */

    int (*fn)(void) = (int (*)(void))code;
    printf("%d\n", fn());
    fflush(stdout);

    /* [late] */
    if (strcmp(mode, "late") == 0 || strcmp(mode, "both") == 0) {
        code[1] = 13;
        printf("%d\n", fn());
    }
    /* [/late] */
    munmap(code, size);
    return 0;
}

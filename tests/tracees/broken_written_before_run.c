/* SPDX-License-Identifier: MIT */
/*
 * Generated code lacks two bytes that nobody emitted. They are zero, which is
 * add [rax], al; where rax points to is memory, so nothing comes of it but
 * another number.
 *
 * prints:  65
 * ends:    status 0
 * reports: step +0 mov rax, rdi
 * reports: step +3 add \[rax\], al
 * reports: exit status 0
 * reports: verdict written-before-run broken +3
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static uint8_t cell[2] __attribute__((aligned(256))) = {65, 0};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *(*f)(uint8_t *);

    if (code == MAP_FAILED)
        return 99;
    memcpy(code, "\x48\x89\xf8", 3); /* mov rax, rdi */
    code[5] = 0xc3;                  /* ret */
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 99;
    memcpy(&f, &code, sizeof f);
    printf("%d\n", *f(cell));
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Code that three kinds of writers store: a function of the program, the C
 * library's memcpy, and generated code, which stores the last byte of another.
 *
 * prints:  42
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 40
 * reports: write +1 88
 * reports: write +2 37
 * reports: write +3 c3
 * reports: protect rw- r-x 408837c3
 * reports: map rw- anonymous
 * reports: write +0 *
 * reports: enter +0 call
 * reports: write +5 c3
 * reports: leave return *
 * reports: protect rw- r-x b82a000000c3
 * reports: enter +0 call
 * reports: leave return 42
 * never:   limit *
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static void emit_byte(unsigned char *at, unsigned char byte)
{
    *at = byte;
}

static unsigned char *fresh_page(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
}

int main(void)
{
    /* mov [rdi], sil; ret */
    static const unsigned char store[] = {0x40, 0x88, 0x37, 0xc3};
    /* mov eax, 42 */
    static const unsigned char load[] = {0xb8, 0x2a, 0, 0, 0};
    volatile size_t length = sizeof load;
    unsigned char *storer = fresh_page(), *stored;

    for (size_t i = 0; i < sizeof store; i++)
        emit_byte(storer + i, store[i]);
    mprotect(storer, 4096, PROT_READ | PROT_EXEC);
    stored = fresh_page();
    memcpy(stored, load, length);
    ((void (*)(unsigned char *, int))storer)(stored + 5, 0xc3);
    mprotect(stored, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))stored)());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Generated code makes more system calls than may be stopped at to watch
 * stores. It is stepped, so each of them would be seen anyway, and none counts:
 * stores are watched still, until the program has made as many itself.
 *
 * prints:  20
 * ends:    status 0
 * options: --max-system-calls=15
 * reports: map rw- anonymous
 * reports: map rw- anonymous
 * reports: enter +0 call
 * reports: step +7 syscall
 * reports: leave return 20
 * reports: write +0 01
 * reports: limit system-calls
 * reports: exit status 0
 * never:   write +0 02
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xf6,           /* xor esi, esi */
        0xb8, 39,   0,  0, 0, /* 2: mov eax, 39 (getpid) */
        0x0f, 0x05,           /* syscall */
        0xff, 0xc6,           /* inc esi */
        0x83, 0xfe, 20,       /* cmp esi, 20 */
        0x75, 0xf2,           /* jnz -14 */
        0x89, 0xf0,           /* mov eax, esi */
        0xc3,                 /* ret */
    };
    int (*fn)(void) = (int (*)(void))(uintptr_t)code_new(insns, sizeof insns);
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return 1;
    printf("%d\n", fn());
    *page = 1;
    for (int i = 0; i < 20; i++)
        syscall(SYS_getppid);
    *page = 2;
    return 0;
}

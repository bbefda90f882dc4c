/* SPDX-License-Identifier: MIT */
/*
 * A function whose parts are a page apart: `mov eax, 5; jmp` at offset 0 goes
 * to `ret` at offset 4098 and further code there.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x b805000000e9f80f0000*c3
 * reports: enter +0 call
 * reports: step +5 jmp *
 * reports: step +4098 ret
 * reports: leave return 5
 * reports: exit status 0
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t begin[] = {0xb8, 5, 0, 0, 0, 0xe9, 0xf8, 0x0f, 0, 0};
    static const uint8_t end = 0xc3;
    uint8_t *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, begin, sizeof begin);
    memcpy(code + 4098, &end, 1);
    mprotect(code, 8192, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(void *)code)());
    return 0;
}

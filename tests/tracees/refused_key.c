/* SPDX-License-Identifier: MIT */
/*
 * The kernel refuses to protect a page with a key that nobody has allocated
 * (pkey_mprotect(2)). Nothing has changed, and nothing is told of the page but
 * the stores before and behind.
 *
 * prints:  refused
 * prints:  6
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8050000
 * reports: output 1 refused
 * reports: write +1 06
 * reports: protect rw- r-x b806000000c3
 * reports: leave return 6
 * never:   protect rw- rw-*
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    setvbuf(stdout, NULL, _IONBF, 0);
    memcpy(code, insns, sizeof insns);
    if (syscall(SYS_pkey_mprotect, code, 4096, PROT_READ, 15) == 0)
        return 1;
    puts("refused");
    ((volatile uint8_t *)code)[1] = 6;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}

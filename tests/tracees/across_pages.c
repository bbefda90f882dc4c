/* SPDX-License-Identifier: MIT */
/*
 * An instruction that lies in two pages is changed in the second one, by a way
 * that nobody sees, /proc/self/mem. When it is executed, that is found.
 *
 * prints:  5 393221
 * ends:    status 0
 * reports: protect rw- r-x b805000000c3
 * reports: enter +4093 call
 * reports: step +4093 mov eax, 5
 * reports: leave return 5
 * reports: write +4096 06 by elsewhere
 * reports: enter +4093 call
 * reports: step +4093 mov eax, 393221
 * reports: leave return 393221
 * never:   limit *
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3}, six = 6;
    uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *code = pages + PAGE - 3;
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int memory = open("/proc/self/mem", O_RDWR), first;

    if (pages == MAP_FAILED || memory < 0)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(pages, 2 * PAGE, PROT_READ | PROT_EXEC);
    first = fn();
    if (pwrite(memory, &six, 1, (off_t)(uintptr_t)pages + PAGE) != 1) {
        perror("pwrite");
        return 1;
    }
    printf("%d %d\n", first, fn());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Code that comes through /proc/self/mem: into a page that may be written, and
 * into one that may not. That file is allowed both.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b805 by write
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +1 06 by elsewhere
 * reports: enter +0 call
 * reports: step +0 mov eax, 6
 * reports: leave return 6
 * never:   limit *
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3}, six = 6;
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int memory = open("/proc/self/mem", O_RDWR), first;

    if (code == MAP_FAILED || memory < 0)
        return 1;
    lseek(memory, (off_t)(uintptr_t)code, SEEK_SET);
    if (write(memory, insns, sizeof insns) != sizeof insns) {
        perror("write");
        return 1;
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    first = fn();
    if (pwrite(memory, &six, 1, (off_t)(uintptr_t)code + 1) != 1) {
        perror("pwrite");
        return 1;
    }
    printf("%d %d\n", first, fn());
    return 0;
}

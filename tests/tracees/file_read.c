/* SPDX-License-Identifier: MIT */
/*
 * Code that is read from a file into the page: by read(2) and pread(2).
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b805000000 by read
 * reports: write +5 c3 by pread64
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * never:   limit *
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file = memfd_create("file", 0);

    if (code == MAP_FAILED || write(file, insns, sizeof insns) < 0 ||
        lseek(file, 0, SEEK_SET) != 0)
        return 1;
    if (read(file, code, 5) != 5 || pread(file, code + 5, 1, 5) != 1) {
        perror("read");
        return 1;
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A program that uses io_uring(7): from then on stores are not watched, for the
 * kernel could fail at a guard. The code is seen all the same.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: limit io_uring
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * never:   write *
 */
#include <linux/io_uring.h>
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
    struct io_uring_params params = {0};

    if (code == MAP_FAILED)
        return 1;
    if (syscall(SYS_io_uring_setup, 4, &params) < 0) {
        perror("io_uring_setup");
        return 1;
    }
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The kernel stores a function over itself: no byte changes, and yet all that
 * a call has read was written. Of random bytes some are what was there before;
 * they are written all the same, and not in pieces.
 *
 * prints:  7 7 7 7
 * prints:  4000
 * ends:    status 0
 * reports: map rwx anonymous
 * reports: write +0 b807000000c3 by read
 * reports: leave return 7
 * reports: write +0 b807000000c3 by read
 * reports: leave return 7
 * reports: write +0 b807000000c3 by pread64
 * reports: leave return 7
 * reports: write +0 b807000000c3 by recvfrom
 * reports: leave return 7
 * reports: write +0 * by getrandom
 * reports: write +0 * by getrandom
 * never:   write +[1-9]*
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint8_t insns[] = {0xb8, 7, 0, 0, 0, 0xc3};
#define SIZE ((ssize_t)sizeof insns)

static int file, ends[2];

static ssize_t by_read(uint8_t *code)
{
    return lseek(file, 0, SEEK_SET) < 0 ? -1 : read(file, code, sizeof insns);
}

static ssize_t by_pread(uint8_t *code)
{
    return pread(file, code, sizeof insns, 0);
}

static ssize_t by_recv(uint8_t *code)
{
    return recv(ends[0], code, sizeof insns, 0);
}

/* A newer glibc has getrandom(3) do without the kernel (vgetrandom in the
 * vdso). */
static long by_getrandom(uint8_t *code)
{
    return syscall(SYS_getrandom, code, 4000UL, 0U);
}

int main(void)
{
    ssize_t (*const calls[])(uint8_t *) = {by_read, by_read, by_pread, by_recv};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    file = memfd_create("function", 0);
    if (code == MAP_FAILED || write(file, insns, sizeof insns) != SIZE ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ||
        write(ends[1], insns, sizeof insns) != SIZE)
        return 1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i](code) != SIZE)
            return 1;
        printf("%d%c", ((int (*)(void))(uintptr_t)code)(), i < 3 ? ' ' : '\n');
    }
    if (by_getrandom(code) != 4000)
        return 1;
    printf("%ld\n", by_getrandom(code));
    return 0;
}

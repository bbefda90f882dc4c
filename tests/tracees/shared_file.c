/* SPDX-License-Identifier: MIT */
/*
 * A file with code in it is mapped after the start, shared and executable, and
 * changed through its descriptor.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map r-x ?tmp?shared_file-*
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +1 06 by elsewhere
 * reports: enter +0 call
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
    int (*fn)(void);
    char name[64];
    void *code;
    int file, first;

    snprintf(name, sizeof name, "/tmp/shared_file-%d", (int)getpid());
    file = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || write(file, insns, sizeof insns) != sizeof insns)
        return 1;
    code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (code == MAP_FAILED)
        return 1;
    fn = (int (*)(void))(uintptr_t)code;
    first = fn();
    if (pwrite(file, &six, 1, 1) != 1)
        return 1;
    printf("%d %d\n", first, fn());
    unlink(name);
    return 0;
}

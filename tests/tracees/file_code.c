/* SPDX-License-Identifier: MIT */
/*
 * Code in a file that is no ELF file, mapped privately for execution. Then the
 * file is written to: a private mapping without a page of its own shows that.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map r-x ?tmp?file_code-*
 * reports: enter +0 call
 * reports: step +0 mov eax, 5
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
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3}, six = 6;
    int (*fn)(void);
    char name[64];
    void *code;
    int file, first;

    snprintf(name, sizeof name, "/tmp/file_code-%d", (int)getpid());
    file = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || write(file, insns, sizeof insns) != sizeof insns)
        return 1;
    code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    unlink(name);
    if (code == MAP_FAILED)
        return 1;
    fn = (int (*)(void))(uintptr_t)code;
    first = fn();
    if (pwrite(file, &six, 1, 1) != 1)
        return 1;
    printf("%d %d\n", first, fn());
    return 0;
}

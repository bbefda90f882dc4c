/* SPDX-License-Identifier: MIT */
/*
 * A load from a mapping that is longer than its file.
 *
 * ends:    signal SIGBUS
 * reports: enter +0 call
 * reports: signal SIGBUS*
 */
#include <unistd.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x8b, 0x47, 0x10, /* mov rax, [rdi+16] */
        0xc3,                   /* ret */
    };
    int fd = memfd_create("data", 0);
    char *data = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (data == MAP_FAILED || ftruncate(fd, 4096) < 0)
        return 99;
    ((long (*)(char *))(uintptr_t)code_new(insns, sizeof insns))(data + 4096);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A store through the mapping that its code is executed by, where there is
 * another one to store through.
 *
 * ends:    signal SIGSEGV
 * reports: signal SIGSEGV*
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    int fd = memfd_create("code", 0);
    uint8_t *writable, *code;

    if (ftruncate(fd, 4096) < 0)
        return 99;
    writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (writable == MAP_FAILED || code == MAP_FAILED)
        return 99;
    writable[0] = 0xc3; /* ret */
    ((void (*)(void))(uintptr_t)code)();
    *(volatile uint8_t *)code = 0x90; /* nop */
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Code that the program stores into itself by process_vm_writev(2).
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b805 by process_vm_writev
 * reports: write +5 c3 by process_vm_writev
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
    static uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec from = {insns, sizeof insns}, to = {code, sizeof insns};

    if (code == MAP_FAILED)
        return 1;
    if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != sizeof insns) {
        perror("process_vm_writev");
        return 1;
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A page that two processes share: the child stores code in it, the parent
 * executes it. Who stored it is known of what the parent executes.
 *
 * prints:  42
 * ends:    status 0
 * options: -f
 * reports: map rw- *
 * reports: fork copied
 * reports: write +0 b8*
 * reports: write +0 b8* by process
 * reports: exit status 0
 * reports: protect rw- r-x b82a000000c3
 * reports: enter +0 call
 * reports: step +0 mov eax, 42
 * reports: leave return 42
 * reports: exit status 0
 * never:   write * by elsewhere
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 0x2a, 0x00, 0x00, 0x00, /* mov eax, 42 */
        0xc3,                         /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t child = fork();

    if (child == 0) {
        memcpy(code, insns, sizeof insns);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child ||
        mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}

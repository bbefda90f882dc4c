/* SPDX-License-Identifier: MIT */
/*
 * A loop without an end: it waits for a register that nothing changes. A child
 * sees it count in shared memory, and ends it when it has gone round for long
 * enough that no tracer can still be stepping it.
 *
 * ends:    signal SIGTERM
 * options: --max-steps=3000
 * reports: enter +0 call
 * reports: step +0 inc qword ptr [[]rdi]
 * reports: step +3 cmp rsi, 0
 * reports: step +7 jnz *
 * reports: step +0 inc qword ptr [[]rdi]
 * reports: limit *steps
 * reports: signal SIGTERM*
 */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0xff, 0x07,    /* inc qword [rdi] */
        0x48, 0x83, 0xfe, 0, /* cmp rsi, 0 */
        0x75, 0xf7,          /* jnz code */
        0xc3,                /* ret */
    };
    volatile uint64_t *rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (rounds == MAP_FAILED || code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    if (fork() == 0) {
        while (*rounds < 1000000)
            usleep(1000);
        kill(getppid(), SIGTERM);
        _exit(0);
    }
    ((void (*)(volatile uint64_t *, long))(uintptr_t)code)(rounds, 1);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The first fault is meant, the program handles it; the second one is not. */
#include <signal.h>

#include "bug.h"

static uint8_t *lazy;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if ((uint8_t *)info->si_addr == lazy)
        mprotect(lazy, 4096, RW);
    else
        signal(number, SIG_DFL);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};

    lazy = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &action, NULL);
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x88, 0x07);          /* mov [rdi], al */
    EMIT(0xbe, 0x18, 0, 0, 0); /* mov esi, 24 */
    EMIT(0x88, 0x06);          /* mov [rsi], al */
    EMIT(0xc3);                /* ret */
    finish(4096);
    FUNCTION(void (*)(uint8_t *), code)(lazy);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * alarm.c - timer signals arrive while generated code runs.
 *
 * The code adds 3 to eax as often as edi says. It is called with 500 until
 * three ticks of a timer have been handled; each time the result must be 1500.
 * Prints "1500, every time".
 *
 * A tracer must report: signals SIGALRM; control that leaves by a signal comes
 * back by a return to the same instruction, with the same registers.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;

static void on_tick(int signal)
{
    (void)signal;
    ticks++;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0,       /* xor eax, eax */
        0x83, 0xc0, 0x03, /* again: add eax, 3 */
        0xff, 0xcf,       /* dec edi */
        0x75, 0xf9,       /* jnz again */
        0xc3,             /* ret */
    };
    const struct itimerval often = {{0, 10000}, {0, 10000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = on_tick};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(int) = (int (*)(int))(uintptr_t)code;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (ticks < 3) {
        int result = fn(500);

        if (result != 1500) {
            printf("wrong: %d\n", result);
            return 1;
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
    puts("1500, every time");
    return 0;
}

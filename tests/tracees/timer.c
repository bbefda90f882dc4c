/* SPDX-License-Identifier: MIT */
/*
 * timer.c - a timer interrupts every store and every call, sooner or later.
 *
 * Every 300 us a signal is handled, while C stores 1000 bytes one by one: byte
 * i is i, but for the first six, which are `mov eax, 7; ret`. Then that is
 * called 500 times. Where a store or a call takes longer than that (under a
 * tracer, on a busy machine), hardly anything but signals would come: so a
 * signal that finds less than four done since the last one doubles the time. Prints the sum of the results and how many signals were
 * handled: "3500, 20 signals".
 *
 * A tracer must report: the 1000 stores in order, none missing and none twice;
 * 500 calls of two steps each; as many signals as were handled.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks, done;
static struct itimerval often = {{0, 300}, {0, 300}};

static void on_tick(int signal)
{
    static sig_atomic_t before = -4;

    (void)signal;
    ticks++;
    if (done - before < 4 && often.it_interval.tv_usec < 300000) {
        often.it_interval.tv_usec *= 2;
        often.it_value = often.it_interval;
        setitimer(ITIMER_REAL, &often, NULL);
    }
    before = done;
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 7, 0, 0, 0, 0xc3};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = on_tick};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int sum = 0;

    if (code == MAP_FAILED)
        return 1;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        code[i] = i < sizeof insns ? insns[i] : (uint8_t)i;
        done++;
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    for (int i = 0; i < 500; i++) {
        sum += fn();
        done++;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%d, %d signals\n", sum, (int)ticks);
    return 0;
}

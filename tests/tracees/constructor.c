/* SPDX-License-Identifier: MIT */
/*
 * What runs before the entry point: a constructor handles one fault itself,
 * ignores another, blocks them all, and forks a child that goes on to main()
 * as well. Code is made and called in both.
 *
 * prints:  constructed: SEGV handled, blocked, BUS ignored, blocked, TRAP default, blocked
 * prints:  child: SEGV handled, blocked, BUS ignored, blocked, TRAP default, blocked
 * prints:  7
 * prints:  parent: SEGV handled, blocked, BUS ignored, blocked, TRAP default, blocked
 * prints:  7
 * ends:    status 0
 * reports: start
 * reports: enter +0 call
 * reports: leave return 7
 * reports: exit status 0
 */
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"
#include "signals.h"

static bool is_child;

static void ignore(int number)
{
    (void)number;
}

static void construct(void)
{
    sigset_t all;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGSEGV, ignore);
    signal(SIGBUS, SIG_IGN);
    signals_print("constructed");
    is_child = fork() == 0;
    if (!is_child)
        wait(NULL);
}

/* A constructor of the program itself would come behind the entry point, since
 * glibc 2.34; these are called by the loader. */
__attribute__((section(".preinit_array"),
               used)) static void (*const first)(void) = construct;

int main(void)
{
    static const uint8_t insns[] = {0xb8, 7, 0, 0, 0, 0xc3}; /* mov eax, 7 */

    signals_print(is_child ? "child" : "parent");
    printf("%d\n", ((int (*)(void))(uintptr_t)code_new(insns, sizeof insns))());
    return 0;
}

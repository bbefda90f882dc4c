/* SPDX-License-Identifier: MIT */
/*
 * The pure parts of the observe room: whose fault is it, and what protection
 * do guarded pages have.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "observe/fault.h"
#include "observe/state.h"

TestSuite(observe, .timeout = 20);

#define PAGE 4096u
#define CODE 0x7f0000001000u /* writable and executable, both held back */
#define DATA 0x7f0000003000u /* writable, held back */
#define OPEN 0x7f0000005000u /* executable, nothing held back */
#define FREE 0x7f0000007000u /* writable, nothing held back */
#define UFFD 0x7f0000009000u /* writable, held back by a userfaultfd */
#define HOST 0x401000u       /* the program's own code */

static struct regions regions;

static void map(uint64_t addr, unsigned prot, unsigned taken)
{
    struct region *region = regions_map(&regions, addr, PAGE, prot);

    region->guard.wanted = region->guard.taken = taken;
}

static void fill(void)
{
    map(CODE, 7, PROT_WRITE | PROT_EXEC);
    map(DATA, PROT_READ | PROT_WRITE, PROT_WRITE);
    map(OPEN, PROT_READ | PROT_EXEC, 0);
    map(FREE, PROT_READ | PROT_WRITE, 0);
    map(UFFD, PROT_READ | PROT_WRITE, PROT_WRITE);
    regions_at(&regions, UFFD)->guard.writes = WRITE_GUARD_UFFD;
}

static void empty(void)
{
    regions_release(&regions);
}

Test(observe, faults_are_classified, .init = fill, .fini = empty)
{
    static const struct {
        struct fault fault;
        enum fault_class class;
        const char *what;
    } cases[] = {
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE, 1}, FAULT_FETCH, "the first fetch"},
        {{SIGSEGV, SEGV_ACCERR, CODE + 9, CODE + 9, 7},
         FAULT_FETCH,
         "in the middle"},
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE - 3, 4},
         FAULT_FETCH,
         "across two pages"},
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE - 3, 3},
         FAULT_STORE,
         "behind the insn"},
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE - 14, 15},
         FAULT_FETCH,
         "the longest"},
        {{SIGSEGV, SEGV_ACCERR, CODE + 20, HOST, 3},
         FAULT_STORE,
         "from outside"},
        {{SIGSEGV, SEGV_ACCERR, DATA, HOST, 3},
         FAULT_STORE,
         "a store into data"},
        {{SIGSEGV, SEGV_ACCERR, DATA, DATA, 3},
         FAULT_PROGRAM,
         "executing data"},
        {{SIGSEGV, SEGV_ACCERR, OPEN, HOST, 3},
         FAULT_PROGRAM,
         "writing to code"},
        {{SIGSEGV, SEGV_ACCERR, OPEN, OPEN, 3},
         FAULT_STALE,
         "it may be executed now"},
        {{SIGSEGV, SEGV_ACCERR, FREE, HOST, 3},
         FAULT_STALE,
         "it may be written now"},
        {{SIGSEGV, SEGV_ACCERR, FREE, FREE, 3},
         FAULT_PROGRAM,
         "executing data"},
        {{SIGSEGV, SEGV_MAPERR, CODE, CODE, 3},
         FAULT_PROGRAM,
         "nothing is mapped"},
        {{SIGSEGV, SEGV_MAPERR, 0, HOST, 3}, FAULT_PROGRAM, "a null pointer"},
        {{SIGSEGV, SEGV_ACCERR, HOST, HOST, 3},
         FAULT_PROGRAM,
         "no region of ours"},
        {{SIGSEGV, SI_USER, CODE, CODE, 3}, FAULT_PROGRAM, "sent by kill"},
        {{SIGSEGV, SI_TKILL, DATA, HOST, 3}, FAULT_PROGRAM, "sent by raise"},
        {{SIGSEGV, SI_KERNEL, 0, CODE, 3},
         FAULT_PROGRAM,
         "a non-canonical address"},
        {{SIGSEGV, 4, DATA, HOST, 3}, FAULT_PROGRAM, "a protection key"},
        {{SIGBUS, BUS_ADRERR, UFFD, HOST, 3}, FAULT_STORE, "write-protected"},
        {{SIGBUS, BUS_ADRALN, UFFD, HOST, 3}, FAULT_PROGRAM, "alignment"},
        {{SIGBUS, BUS_ADRERR, DATA, HOST, 3}, FAULT_PROGRAM, "a cut file"},
        {{SIGBUS, SI_USER, UFFD, HOST, 3}, FAULT_PROGRAM, "sent by kill"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert(eq(int, (int)fault_classify(&regions, &cases[i].fault),
                     (int)cases[i].class),
                  "%s", cases[i].what);
}

/* What a program has, less what is held back, never less than reading. */
Test(observe, guarded_pages_stay_readable)
{
    static const struct {
        unsigned prot, taken, expected;
    } cases[] = {
        {0, 0, 0},
        {PROT_READ | PROT_WRITE, PROT_WRITE, PROT_READ},
        {PROT_READ | PROT_EXEC, PROT_EXEC, PROT_READ},
        {7, PROT_EXEC, PROT_READ | PROT_WRITE},
        {7, PROT_WRITE | PROT_EXEC, PROT_READ},
        {PROT_WRITE, PROT_WRITE, PROT_READ},
        {PROT_EXEC, PROT_EXEC, PROT_READ},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct region region = {.prot = cases[i].prot};

        cr_assert(
            eq(uint, guard_prot(&region, cases[i].taken), cases[i].expected),
            "case %zu", i);
    }
}

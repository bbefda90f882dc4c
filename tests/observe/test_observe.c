/* SPDX-License-Identifier: MIT */
/*
 * The pure parts of the observe room: whose fault is it, and what protection
 * do guarded pages have.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "observe/arrive.h"
#include "observe/fault.h"
#include "observe/guard.h"

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
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE, 1, false},
         FAULT_FETCH,
         "the first fetch"},
        {{SIGSEGV, SEGV_ACCERR, CODE + 9, CODE + 9, 7, false},
         FAULT_FETCH,
         "in the middle"},
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE - 3, 4, false},
         FAULT_FETCH,
         "across two pages"},
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE - 3, 3, false},
         FAULT_STORE,
         "behind the insn"},
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE - 14, 15, false},
         FAULT_FETCH,
         "the longest"},
        {{SIGSEGV, SEGV_ACCERR, CODE + 20, HOST, 3, false},
         FAULT_STORE,
         "from outside"},
        {{SIGSEGV, SEGV_ACCERR, DATA, HOST, 3, false},
         FAULT_STORE,
         "a store into data"},
        {{SIGSEGV, SEGV_ACCERR, DATA, DATA, 3, false},
         FAULT_PROGRAM,
         "executing data"},
        {{SIGSEGV, SEGV_ACCERR, OPEN, HOST, 3, false},
         FAULT_PROGRAM,
         "writing to code"},
        {{SIGSEGV, SEGV_ACCERR, OPEN, OPEN, 3, false},
         FAULT_STALE,
         "it may be executed now"},
        {{SIGSEGV, SEGV_ACCERR, FREE, HOST, 3, false},
         FAULT_STALE,
         "it may be written now"},
        {{SIGSEGV, SEGV_ACCERR, FREE, FREE, 3, false},
         FAULT_PROGRAM,
         "executing data"},
        {{SIGSEGV, SEGV_MAPERR, CODE, CODE, 3, false},
         FAULT_PROGRAM,
         "nothing is mapped"},
        {{SIGSEGV, SEGV_MAPERR, 0, HOST, 3, false},
         FAULT_PROGRAM,
         "a null pointer"},
        {{SIGSEGV, SEGV_ACCERR, HOST, HOST, 3, false},
         FAULT_PROGRAM,
         "no region of ours"},
        {{SIGSEGV, SI_USER, CODE, CODE, 3, false},
         FAULT_PROGRAM,
         "sent by kill"},
        {{SIGSEGV, SI_TKILL, DATA, HOST, 3, false},
         FAULT_PROGRAM,
         "sent by raise"},
        {{SIGSEGV, SI_KERNEL, 0, CODE, 3, false},
         FAULT_PROGRAM,
         "a non-canonical address"},
        {{SIGSEGV, 4, DATA, HOST, 3, false}, FAULT_PROGRAM, "a protection key"},
        {{SIGSEGV, SEGV_ACCERR, CODE, CODE, 3, true},
         FAULT_FETCH,
         "of what stores to itself"},
        {{SIGSEGV, SEGV_ACCERR, DATA, DATA, 3, true},
         FAULT_STORE,
         "an instruction that stores to itself"},
        {{SIGBUS, BUS_ADRERR, UFFD, HOST, 3, false},
         FAULT_STORE,
         "write-protected"},
        {{SIGBUS, BUS_ADRALN, UFFD, HOST, 3, false},
         FAULT_PROGRAM,
         "alignment"},
        {{SIGBUS, BUS_ADRERR, DATA, HOST, 3, false},
         FAULT_PROGRAM,
         "a cut file"},
        {{SIGBUS, SI_USER, UFFD, HOST, 3, false},
         FAULT_PROGRAM,
         "sent by kill"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert(eq(int, (int)fault_classify(&regions, &cases[i].fault),
                     (int)cases[i].class),
                  "%s", cases[i].what);
}

/* Execution is given back in a window, and in no other place. */
Test(observe, a_window_ends_where_it_ends, .fini = empty)
{
    static const struct {
        uint64_t page;
        unsigned prot;
        enum fault_class class;
    } cases[] = {
        {0, PROT_EXEC, FAULT_FETCH},  {1, PROT_EXEC, FAULT_STALE},
        {2, PROT_EXEC, FAULT_STALE},  {3, PROT_EXEC, FAULT_FETCH},
        {1, PROT_WRITE, FAULT_STORE}, {3, PROT_WRITE, FAULT_STORE},
    };
    struct region *region = regions_map(&regions, CODE, 4 * PAGE, 7);

    region->guard.wanted = region->guard.taken = PROT_WRITE | PROT_EXEC;
    region->guard.window = CODE + PAGE;
    region->guard.window_end = CODE + 3 * PAGE;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t first = CODE + cases[i].page * PAGE;

        for (uint64_t addr = first; addr < first + PAGE; addr += PAGE - 1) {
            struct fault fault = {SIGSEGV, SEGV_ACCERR, addr, HOST, 3, false};

            if (cases[i].prot == PROT_EXEC)
                fault.pc = addr;
            cr_assert(eq(int, (int)fault_classify(&regions, &fault),
                         (int)cases[i].class),
                      "case %zu", i);
        }
    }
}

/* --- random faults, against a slow model ---------------------------------- */

#define PAGES 12

/* What the program has of each page and what is held back; -1: no region. */
struct page_model {
    int prot, taken;
    bool uffd; /* writes are held back by a userfaultfd */
};

static uint64_t page_addr(int page)
{
    return CODE + (uint64_t)page * PAGE;
}

/* Maps, cuts or unmaps some pages, in the list and in the model. */
static void change(struct page_model *model)
{
    int first = rand() % PAGES, count = 1 + rand() % (PAGES - first);
    int prot = rand() % 8, taken = rand() % 8 & prot;
    int what = rand() % 4;
    bool uffd = rand() % 2;
    struct region *region;

    if (what == 0) {
        regions_unmap(&regions, page_addr(first), (uint64_t)count * PAGE);
        prot = taken = -1;
    } else {
        region = regions_map(&regions, page_addr(first), (uint64_t)count * PAGE,
                             (unsigned)prot);
        region->guard.taken = (unsigned)taken;
        region->guard.writes = uffd ? WRITE_GUARD_UFFD : WRITE_GUARD_MPROTECT;
    }
    if (what == 1) /* a cut changes nothing */
        regions_cut(&regions, page_addr(first + count / 2), PAGE);
    for (int page = first; page < first + count; page++)
        model[page] = (struct page_model){prot, taken, uffd};
}

/* By looking at each byte of the instruction and at each page. */
static enum fault_class classify_slowly(const struct page_model *model,
                                        const struct fault *fault)
{
    int needed = PROT_WRITE;

    bool bus = fault->signal == SIGBUS;

    if (fault->code != (bus ? BUS_ADRERR : SEGV_ACCERR))
        return FAULT_PROGRAM;
    for (unsigned i = 0; i < fault->length; i++)
        if (!bus && fault->pc + i == fault->addr)
            needed = PROT_EXEC;
    for (int page = 0; page < PAGES; page++) {
        if (fault->addr < page_addr(page) || fault->addr >= page_addr(page + 1))
            continue;
        if (model[page].prot < 0 || (bus && !model[page].uffd))
            return FAULT_PROGRAM;
        if (model[page].taken & needed)
            return needed == PROT_EXEC ? FAULT_FETCH : FAULT_STORE;
        return model[page].prot & needed ? FAULT_STALE : FAULT_PROGRAM;
    }
    return FAULT_PROGRAM;
}

static struct fault random_fault(void)
{
    static const int codes[] = {SEGV_ACCERR, SEGV_ACCERR, SEGV_ACCERR,
                                SEGV_MAPERR, SI_USER,     SI_KERNEL,
                                BUS_ADRERR};
    uint64_t edge = page_addr(rand() % (PAGES + 1));
    struct fault fault = {.signal = rand() % 3 ? SIGSEGV : SIGBUS,
                          .code = codes[rand() % 7],
                          .addr = edge + (uint64_t)(rand() % 40) - 20,
                          .length = 1 + (unsigned)rand() % 15};

    fault.pc = rand() % 3 ? fault.addr - (uint64_t)(rand() % 20)
                          : page_addr(rand() % PAGES);
    return fault;
}

Test(observe, faults_agree_with_a_byte_by_byte_model, .fini = empty)
{
    struct page_model model[PAGES];
    size_t seen[FAULT_STALE + 1] = {0};

    memset(model, -1, sizeof model);
    srand(4);
    for (int round = 0; round < 20000; round++) {
        struct fault fault = random_fault();
        enum fault_class expected;

        if (round % 4 == 0)
            change(model);
        expected = classify_slowly(model, &fault);
        cr_assert(eq(int, (int)fault_classify(&regions, &fault), (int)expected),
                  "round %d", round);
        seen[expected]++;
    }
    for (size_t i = 0; i <= FAULT_STALE; i++)
        cr_assert(ge(sz, seen[i], 100), "class %zu is hardly tried", i);
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

/* --- returns that are awaited --------------------------------------------- */

/* That of the call number i, each one deeper in the stack. */
static struct place return_of(uint64_t i)
{
    return (struct place){HOST + i, DATA - 8 * i};
}

/* There is room for so many; of more, the oldest are forgotten. */
Test(observe, the_latest_returns_are_awaited)
{
    static struct thread thread;
    struct place back = {0, 0};

    for (uint64_t i = 0; i < MAX_AWAITED + 3; i++) {
        thread.back = return_of(1000 + i);
        arrive_await(&thread, return_of(i));
    }
    for (uint64_t i = MAX_AWAITED + 3; i-- > 3;) {
        cr_assert(eq(int, arrive_awaited(&thread, return_of(i), &back), 1),
                  "return %d", (int)i);
        cr_assert(eq(u64, back.pc, return_of(1000 + i).pc));
        cr_assert(eq(u64, back.sp, return_of(1000 + i).sp));
    }
    cr_assert(eq(int, arrive_awaited(&thread, return_of(2), &back), 0));
}

/* What was to come before a return does not come any more. */
Test(observe, a_return_takes_the_later_ones_with_it)
{
    static struct thread thread;
    struct place here = return_of(1), back;

    for (uint64_t i = 0; i < 4; i++)
        arrive_await(&thread, return_of(i));
    here.sp++;
    cr_assert(eq(int, arrive_awaited(&thread, here, &back), 0));
    here.sp--;
    cr_assert(eq(int, arrive_awaited(&thread, here, &back), 1));
    for (uint64_t i = 1; i < 4; i++)
        cr_assert(eq(int, arrive_awaited(&thread, return_of(i), &back), 0));
    cr_assert(eq(int, arrive_awaited(&thread, return_of(0), &back), 1));
}

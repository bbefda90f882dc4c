/* SPDX-License-Identifier: MIT */
/*
 * Calls that change mappings, with arguments that the kernel refuses, and with
 * such that it half obeys: not aligned, of no length, wrapping, over a hole,
 * beyond the end, bits that there are none of. Each is made in a small area of
 * its own; behind it every page there is read, written and executed.
 *
 * alike:   results, and what each page allows
 * ends:    status 0
 * reports: enter +0 call
 * reports: exit status 0
 * reports: verdict executable broken +0
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "code.h"

#define PAGE  ((size_t)4096)
#define PAGES 6

/* What the pages of an area are: see make_area. */
enum { CODE, DATA, HOLE, CONSTANT, MORE_CODE, NOTHING };

static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3};

/* --- what a page allows ---------------------------------------------------- */

static sigjmp_buf back;
static bool probing;
static uintptr_t fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (!probing)
        _exit(98);
    fault = (uintptr_t)info->si_addr;
    siglongjmp(back, signal * 1000 + info->si_code);
}

static void probe(uint8_t *page)
{
    volatile uint8_t *byte = page + 100;
    int (*function)(void);
    int found;

    memcpy(&function, &page, sizeof function);
    probing = true;
    found = sigsetjmp(back, 1);
    if (found == 0)
        printf(" r%d", *byte);
    else
        printf(" r!%d", found);
    found = sigsetjmp(back, 1);
    if (found == 0) {
        *byte = 7;
        printf(" w%d", *byte);
    } else {
        printf(" w!%d", found);
    }
    found = sigsetjmp(back, 1);
    if (found == 0)
        printf(" x%d;", function());
    else
        printf(" x!%d+%td;", found, (ptrdiff_t)(fault - (uintptr_t)page));
    probing = false;
}

/* --- the area --------------------------------------------------------------- */

static void put_code(uint8_t *page)
{
    memcpy(page, answer, sizeof answer);
    mprotect(page, PAGE, PROT_READ | PROT_EXEC);
}

/* A file of code that cannot be written to. */
static int constant_file(void)
{
    int file = memfd_create("constant", 0), constant;
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (ftruncate(file, (off_t)PAGE) < 0 ||
        pwrite(file, answer, sizeof answer, 0) < 0)
        exit(99);
    constant = open(path, O_RDONLY);
    close(file);
    return constant;
}

static uint8_t *make_area(void)
{
    uint8_t *area = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file = constant_file();

    area += PAGE; /* one before and one behind that nobody touches */
    for (int i = CODE; i <= MORE_CODE; i++)
        mmap(area + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    put_code(area + CODE * PAGE);
    memcpy(area + DATA * PAGE, answer, sizeof answer);
    munmap(area + HOLE * PAGE, PAGE);
    mmap(area + CONSTANT * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file,
         0);
    put_code(area + MORE_CODE * PAGE);
    close(file);
    return area;
}

/* --- the calls --------------------------------------------------------------- */

struct attempt {
    const char *name;
    long number;
    long third;
    long fourth;
    long fifth;
    long sixth;
};

#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

static const struct attempt attempts[] = {
    {"rx", SYS_mprotect, PROT_READ | PROT_EXEC, 0, 0, 0},
    {"rw", SYS_mprotect, PROT_READ | PROT_WRITE, 0, 0, 0},
    {"rwx", SYS_mprotect, PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0, 0},
    {"none", SYS_mprotect, PROT_NONE, 0, 0, 0},
    {"unknown", SYS_mprotect, PROT_READ | 0x100, 0, 0, 0},
    {"high", SYS_mprotect, PROT_READ | 0x100000000, 0, 0, 0},
    {"both ways", SYS_mprotect, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP, 0, 0,
     0},
    {"down", SYS_mprotect, PROT_READ | PROT_GROWSDOWN, 0, 0, 0},
    {"no key", SYS_pkey_mprotect, PROT_READ, 99, 0, 0},
    {"unmap", SYS_munmap, 0, 0, 0, 0},
    {"dontneed", SYS_madvise, MADV_DONTNEED, 0, 0, 0},
    {"dontneed, high", SYS_madvise, MADV_DONTNEED | 0x100000000, 0, 0, 0},
    {"remove", SYS_madvise, MADV_REMOVE, 0, 0, 0},
    {"no advice", SYS_madvise, 12345, 0, 0, 0},
    {"shrink", SYS_mremap, 4096, 0, 0, 0},
    {"grow", SYS_mremap, 16 * 4096, 0, 0, 0},
    {"to nothing", SYS_mremap, 0, MREMAP_MAYMOVE, 0, 0},
    {"no flag", SYS_mremap, 4096, 0x100, 0, 0},
    {"fixed alone", SYS_mremap, 4096, MREMAP_FIXED, 4096, 0},
    {"to an odd place", SYS_mremap, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, 123,
     0},
    {"map", SYS_mmap, PROT_READ | PROT_WRITE, FIXED, -1, 0},
    {"map no file", SYS_mmap, PROT_READ, MAP_PRIVATE | MAP_FIXED, 999, 0},
    {"map no type", SYS_mmap, PROT_READ, MAP_FIXED | MAP_ANONYMOUS, -1, 0},
    {"map odd", SYS_mmap, PROT_READ, FIXED, -1, 7},
    {"map a directory", SYS_mmap, PROT_READ | PROT_EXEC,
     MAP_PRIVATE | MAP_FIXED, 3, 0},
    {"map kept", SYS_mmap, PROT_READ, FIXED | MAP_FIXED_NOREPLACE, -1, 0},
};

/* From the beginning of the area, in bytes. */
static const struct {
    const char *name;
    intptr_t from;
    size_t length;
} ranges[] = {
    {"odd", 6, 4096},
    {"odd, long", 6, 3 * 4096},
    {"one byte back", -1, 4096},
    {"empty", 0, 0},
    {"odd and empty", 6, 0},
    {"wraps", 0, SIZE_MAX - 4096},
    {"wraps to nothing", 0, SIZE_MAX},
    {"over the hole", 0, 4 * 4096},
    {"data, hole", 4096, 2 * 4096},
    {"only the hole", 2 * 4096, 4096},
    {"hole, constant", 2 * 4096, 2 * 4096},
    {"constant, code", 3 * 4096, 2 * 4096},
    {"constant, code, odd end", 3 * 4096, 4097},
};

static void attempt(const struct attempt *what, size_t range)
{
    uint8_t *area = make_area();
    long result, error;

    errno = 0;
    result =
        syscall(what->number, area + ranges[range].from, ranges[range].length,
                what->third, what->fourth, what->fifth, what->sixth);
    error = errno;
    if (result > 4096)
        result -= (intptr_t)area; /* relative, if it is not another place */
    printf("%s, %s: %s %ld:", what->name, ranges[range].name,
           result > (long)(PAGES * PAGE) ? "elsewhere" : "is",
           result > (long)(PAGES * PAGE) ? 0 : error);
    for (int i = 0; i < PAGES; i++)
        probe(area + i * PAGE);
    puts("");
    munmap(area - PAGE, (PAGES + 2) * PAGE);
}

/* Calls that name no range, and one that ends at the hole. */
static void attempt_others(void)
{
    uint8_t *area = make_area();
    int id = shmget(IPC_PRIVATE, PAGE, 0600);

    printf("mprotect: %d\n",
           mprotect(area, (size_t)1 << 63, PROT_READ | PROT_EXEC));
    printf("shmat: %d", shmat(id, area + 6, 0) == (void *)-1);
    printf(" %d", shmat(id, area, 0) == (void *)-1);
    printf(" %d", shmat(12345678, area, SHM_REMAP) == (void *)-1);
    printf(" %d %d\n", shmdt(area), shmdt(area + 6));
    printf("brk: %d\n", brk(area) == -1);
    for (int i = 0; i < PAGES; i++)
        probe(area + i * PAGE);
    puts("");
    shmctl(id, IPC_RMID, NULL);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    if (open("/", O_RDONLY | O_DIRECTORY) != 3)
        return 1;
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
            attempt(&attempts[i], k);
    attempt_others();
    return 0;
}

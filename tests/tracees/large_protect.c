/* SPDX-License-Identifier: MIT */
/*
 * Code in a large mapping, of which one page is opened, written to and closed
 * again by a call that is about all of the mapping, as ruby --yjit does it. The
 * call says what it returned, and leaves its arguments in their registers.
 *
 * prints:  first: 0, kept
 * prints:  100
 * prints:  page 1: 0, kept
 * prints:  101 100
 * prints:  page 2: 0, kept
 * prints:  102 100
 * prints:  page 3: 0, kept
 * prints:  103 100
 * prints:  again: 0, kept
 * prints:  101 100
 * prints:  up to a hole: -12, kept
 * prints:  101 100
 * ends:    status 0
 * reports: protect rw- r-x
 * reports: leave return 100
 * reports: protect r-x rw-
 * reports: protect rw- r-x b865000000c3
 * reports: leave return 101
 * reports: leave return 100
 * reports: protect r-x rw-
 * reports: protect rw- r-x b866000000c3
 * reports: leave return 102
 * reports: protect r-x rw-
 * reports: protect rw- r-x b867000000c3
 * reports: leave return 103
 * reports: leave return 101
 * reports: protect r-x rw-
 * reports: refused mprotect ENOMEM *
 * reports: protect rw- r-x
 * reports: leave return 101
 * reports: leave return 100
 * never:   limit mprotect*
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SIZE (8 << 20)
#define PAGE 4096

/* mprotect(2) as it is, to see what it leaves in the registers. */
static void protect(const char *what, uint8_t *addr, size_t size, int prot)
{
    uint8_t *first = addr;
    size_t second = size;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result), "+D"(first), "+S"(second)
                     : "a"(SYS_mprotect), "d"((long)prot)
                     : "rcx", "r11", "memory");
    printf("%s: %ld, %s\n", what, result,
           first == addr && second == size ? "kept" : "changed");
}

static void put(uint8_t *at, uint8_t value)
{
    const uint8_t code[] = {0xb8, value, 0, 0, 0, 0xc3}; /* mov eax; ret */

    memcpy(at, code, sizeof code);
}

static int call(uint8_t *at)
{
    return ((int (*)(void))(uintptr_t)at)();
}

int main(void)
{
    uint8_t *code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char what[16];

    put(code, 100);
    protect("first", code, SIZE, PROT_READ | PROT_EXEC);
    printf("%d\n", call(code));
    for (int i = 1; i <= 3; i++) {
        uint8_t *page = code + i * 10 * PAGE;

        mprotect(page, PAGE, PROT_READ | PROT_WRITE);
        put(page, (uint8_t)(100 + i));
        snprintf(what, sizeof what, "page %d", i);
        protect(what, code, SIZE, PROT_READ | PROT_EXEC);
        printf("%d ", call(page));
        printf("%d\n", call(code));
    }
    protect("again", code, SIZE, PROT_READ | PROT_EXEC);
    printf("%d ", call(code + 10 * PAGE));
    printf("%d\n", call(code));
    mprotect(code + 50 * PAGE, PAGE, PROT_READ | PROT_WRITE);
    munmap(code + 70 * PAGE, PAGE);
    protect("up to a hole", code, SIZE, PROT_READ | PROT_EXEC);
    printf("%d ", call(code + 10 * PAGE));
    printf("%d\n", call(code));
    return 0;
}

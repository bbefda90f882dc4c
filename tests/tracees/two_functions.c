/* SPDX-License-Identifier: MIT */
/*
 * two_functions.c - two functions in one page, one of which calls back.
 *
 * At offset 0 stands outer(fn), which is fn(20) + 1; at offset 32 stands
 * inner(x), which is x + x. Calls outer(helper), where helper is C, inner(5)
 * and outer(inner); the last one is one single stay in the page.
 *
 * prints:  41 10 41
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 48*
 * reports: write +32 8d*
 * reports: protect rw- r-x 4883ec08*c3
 * reports: enter +0 call
 * reports: step +12 call rax
 * reports: leave call
 * reports: enter +14 return
 * reports: leave return 41
 * reports: enter +32 call
 * reports: leave return 10
 * reports: enter +0 call
 * reports: step +12 call rax
 * reports: step +32 lea *
 * reports: step +35 ret
 * reports: step +14 add eax, 1
 * reports: leave return 41
 * reports: exit status 0
 * never:   limit *
 * never:   enter +* jump
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const uint8_t outer_code[] = {
    0x48, 0x83, 0xec, 0x08,    /* sub rsp, 8 */
    0x48, 0x89, 0xf8,          /* mov rax, rdi */
    0xbf, 20,   0,    0,    0, /* mov edi, 20 */
    0xff, 0xd0,                /* call rax */
    0x83, 0xc0, 0x01,          /* add eax, 1 */
    0x48, 0x83, 0xc4, 0x08,    /* add rsp, 8 */
    0xc3,                      /* ret */
};

static const uint8_t inner_code[] = {
    0x8d, 0x04, 0x3f, /* lea eax, [rdi+rdi] */
    0xc3,             /* ret */
};

static int helper(int x)
{
    return 2 * x;
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*outer)(int (*)(int)) = (int (*)(int (*)(int)))(uintptr_t)code;
    int (*inner)(int) = (int (*)(int))(uintptr_t)(code + 32);
    int first, second, third;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, outer_code, sizeof outer_code);
    memcpy(code + 32, inner_code, sizeof inner_code);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    first = outer(helper);
    second = inner(5);
    third = outer(inner);
    printf("%d %d %d\n", first, second, third);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * check.c - checks exercise 04.
 *
 * Its own mmap and mprotect stand before those of the C library. They note
 * what they are asked for and pass it on to the kernel.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *make_function(const uint8_t *bytes, size_t length);

static const char *was_both; /* the call that asked for w and x at once */
static int now;              /* the protection asked for last */

static void note(const char *call, int prot)
{
    if ((prot & PROT_WRITE) && (prot & PROT_EXEC) && was_both == NULL)
        was_both = call;
    now = prot;
}

void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
    note("mmap", prot);
    return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, offset);
}

int mprotect(void *addr, size_t length, int prot)
{
    note("mprotect", prot);
    return (int)syscall(SYS_mprotect, addr, length, prot);
}

int main(void)
{
    static const uint8_t adder[] = {0x48, 0xc7, 0xc0, 0x01, 0x00, 0x00,
                                    0x00, 0x48, 0x01, 0xf8, 0xc3};
    uint8_t *code = make_function(adder, sizeof adder);
    int64_t (*fn)(int64_t) = (int64_t(*)(int64_t))code;

    if (code == NULL) {
        printf("make_function() returns NULL\n");
        return 1;
    }
    printf("the page is %c%c%c\n", now & PROT_READ ? 'r' : '-',
           now & PROT_WRITE ? 'w' : '-', now & PROT_EXEC ? 'x' : '-');
    if (was_both != NULL) {
        printf("%s was asked for PROT_WRITE and PROT_EXEC together: from then "
               "on\na stray store can change code that the CPU runs\n",
               was_both);
        return 1;
    }
    if (!(now & PROT_EXEC)) {
        printf("it may not be executed: a call of this function would be "
               "killed\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof adder; i++) {
        if (code[i] != adder[i]) {
            printf("byte %zu of the function is 0x%02x, but 0x%02x was to be "
                   "copied there\n",
                   i, code[i], adder[i]);
            return 1;
        }
    }
    printf("f(3) = %lld\n", (long long)fn(3));
    return fn(3) != 4;
}

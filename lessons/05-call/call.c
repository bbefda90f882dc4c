/* SPDX-License-Identifier: MIT */
/*
 * call.c - one function made at run time, called in four ways.
 *
 *     48 89 f8    mov rax, rdi    rax = the first argument
 *     48 29 f0    sub rax, rsi    rax = rax - the second argument
 *     c3          ret             back to the caller with rax
 *
 * Build it with: gcc -g -O0 -o call call.c
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t bytes[] = {0x48, 0x89, 0xf8, 0x48, 0x29, 0xf0, 0xc3};
    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("call: mmap");
        return EX_OSERR;
    }
    memcpy(code, bytes, sizeof bytes);
    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("call: mprotect");
        return EX_OSERR;
    }

    /* [pointer] */
    int64_t (*minus)(int64_t, int64_t) = (int64_t(*)(int64_t, int64_t))code;

    int64_t seven = minus(10, 3);
    /* [/pointer] */

    printf("%d\n", (int)seven);

    /* [order] */
    int (*fn)(int, int) = (int (*)(int, int))code;

    printf("%d %d %d\n", fn(1, 0), fn(2, 0), fn(3, 0));
    /* [/order] */

    /* [width] */
    int32_t (*narrow)(int32_t, int32_t) = (int32_t(*)(int32_t, int32_t))code;
    int64_t (*wide)(int32_t, int32_t) = (int64_t(*)(int32_t, int32_t))code;

    printf("narrow %lld\n", (long long)narrow(-1, 0));
    printf("wide   %lld\n", (long long)wide(-1, 0));
    /* [/width] */

    munmap(code, size);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * cut.c - generated code cuts the mapping in two that it runs in.
 *
 * A mapping of two pages is executable. Code in the second page makes the
 * system call that its caller has put into registers: mprotect, which gives the
 * first page back as writable. Then other code in the second page is called
 * twice. Prints "0 6 6".
 *
 * A tracer must report: all three calls; those after the cut, too.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE 4096

int main(void)
{
    static const uint8_t call[] = {0x0f, 0x05, 0xc3}; /* syscall; ret */
    static const uint8_t six[] = {0xb8, 6, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)(code + PAGE + 64);
    int first, second;
    long result;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code + PAGE, call, sizeof call);
    memcpy(code + PAGE + 64, six, sizeof six);
    mprotect(code, 2 * PAGE, PROT_READ | PROT_EXEC);
    __asm__ volatile("call *%1"
                     : "=a"(result)
                     : "r"(code + PAGE), "a"((long)SYS_mprotect), "D"(code),
                       "S"((long)PAGE), "d"((long)(PROT_READ | PROT_WRITE))
                     : "rcx", "r11", "memory");
    first = fn();
    second = fn();
    printf("%ld %d %d\n", result, first, second);
    return 0;
}

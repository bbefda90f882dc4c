/* SPDX-License-Identifier: MIT */
/*
 * Whoever needs one more register, and no stack for a while, may keep in rsp
 * what is no address: the program stores its code so, and the code calculates
 * with it. Nothing may interrupt it meanwhile, for on some CPUs there is no way
 * back from the kernel to such a stack pointer; it takes some nanoseconds.
 *
 * prints:  stored c3, 4000000000000042
 * ends:    status 0
 * reports: write +0 *
 * reports: write +1 *
 * reports: enter +0 call
 * reports: step +0 mov rax, rsp
 * reports: step +3 mov rsp, rdi
 * reports: step +6 add rdi, 66
 * reports: step +10 mov rsp, rdi
 * reports: step +13 mov rsp, rax
 * reports: step +16 mov rax, rdi
 * reports: step +19 ret
 * reports: leave return *
 * reports: exit status 0
 * never:   signal *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const uint8_t insns[] = {
    0x48, 0x89, 0xe0,       /* mov rax, rsp */
    0x48, 0x89, 0xfc,       /* mov rsp, rdi */
    0x48, 0x83, 0xc7, 0x42, /* add rdi, 0x42 */
    0x48, 0x89, 0xfc,       /* mov rsp, rdi */
    0x48, 0x89, 0xc4,       /* mov rsp, rax */
    0x48, 0x89, 0xf8,       /* mov rax, rdi */
    0xc3,                   /* ret */
};

/* Copies with rsp for a number that is no address. */
static void copy(uint8_t *to, const uint8_t *from, uint64_t count)
{
    __asm__ volatile("mov %%rsp, %%r12\n"
                     "movabs $0x4000000000000000, %%rsp\n"
                     "1: movb (%1), %%al\n"
                     "movb %%al, (%0)\n"
                     "inc %0\n"
                     "inc %1\n"
                     "dec %2\n"
                     "jnz 1b\n"
                     "mov %%r12, %%rsp\n"
                     : "+r"(to), "+r"(from), "+r"(count)
                     :
                     : "rax", "r12", "memory", "cc");
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t (*function)(uint64_t), result;

    if (code == MAP_FAILED)
        return 1;
    /* Both are in memory from here on. */
    code[sizeof insns] = *(const volatile uint8_t *)insns;
    copy(code, insns, sizeof insns);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    memcpy(&function, &code, sizeof function);
    result = function(UINT64_C(0x4000000000000000));
    printf("stored %x, %llx\n", code[sizeof insns - 1],
           (unsigned long long)result);
    return 0;
}

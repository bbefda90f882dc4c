/* SPDX-License-Identifier: MIT */
/*
 * Stores bytes of code while the stack pointer, the frame pointer and what is
 * on the stack are anything: nothing there tells who has called.
 *
 * prints:  600 stored
 * ends:    status 0
 * reports: write +0 *
 * reports: write +599 *
 * reports: protect rw- r-x *
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Store sil at rdi with rdx as the stack pointer and rcx as the frame pointer.
 * Their unwind tables go by the one, and by the other. */
__asm__(".text\n"
        "by_stack: .cfi_startproc\n"
        "  xchg %rdx, %rsp\n"
        "  xchg %rcx, %rbp\n"
        "  mov %sil, (%rdi)\n"
        "  xchg %rcx, %rbp\n"
        "  xchg %rdx, %rsp\n"
        "  ret\n"
        "  .cfi_endproc\n"
        "by_frame: .cfi_startproc\n"
        "  .cfi_def_cfa %rbp, 16\n"
        "  .cfi_offset %rbp, -16\n"
        "  xchg %rdx, %rsp\n"
        "  xchg %rcx, %rbp\n"
        "  mov %sil, (%rdi)\n"
        "  xchg %rcx, %rbp\n"
        "  xchg %rdx, %rsp\n"
        "  ret\n"
        "  .cfi_endproc\n");
void by_stack(uint8_t *where, int byte, const void *stack, const void *frame);
void by_frame(uint8_t *where, int byte, const void *stack, const void *frame);

static uint64_t stack[256];

static __attribute__((noinline)) uint64_t behind_a_call(void)
{
    return (uintptr_t)__builtin_return_address(0);
}

static uint64_t any_word(void)
{
    uint64_t word = (uint64_t)rand() << 32 ^ (uint64_t)rand() << 11;

    switch (rand() % 8) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX - word % 32;
    case 2:
        return (uintptr_t)&stack[word % 256];
    case 3:
        return (uintptr_t)by_stack + word % 64;
    case 4:
        return behind_a_call();
    case 5:
        return (uintptr_t)memcpy + word % 4096;
    case 6:
        return word;
    default:
        return (uintptr_t)stack + word % (2 * sizeof stack);
    }
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    srand(1);
    for (int i = 0; i < 600; i++) {
        uint64_t sp = (uintptr_t)&stack[rand() % 256], bp = any_word();

        for (int k = 0; k < 256; k++)
            stack[k] = any_word();
        if (i % 8 == 7)
            sp = any_word() >> 17; /* an address that there can be */
        (i % 2 ? by_stack : by_frame)(code + i, 0x90, (void *)sp, (void *)bp);
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("600 stored\n");
    return 0;
}

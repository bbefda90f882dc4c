/* SPDX-License-Identifier: MIT */
/*
 * Code that is stored through helpers: a function, one through another, one
 * that is inlined, the C library's memcpy, a function without unwind tables,
 * one with a stack that holds no return addresses, and one in a recursion.
 *
 * prints:  42
 * ends:    status 0
 * reports: write +0 b8
 * reports: write +1 2a
 * reports: write +2 00
 * reports: write +3 00
 * reports: write +4 00
 * reports: write +5 90
 * reports: write +6 90
 * reports: write +7 c3
 * reports: write +8 90
 * reports: write +9 90
 * reports: write +10 90
 * reports: write +11 90
 * reports: write +12 90
 * reports: write +13 90
 * reports: enter +0 call
 * reports: leave return 42
 * never:   limit *
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static unsigned char *at;

static void emit(unsigned byte)
{
    *at++ = (unsigned char)byte;
}

static void emit32(unsigned value)
{
    for (int i = 0; i < 4; i++)
        emit(value >> (8 * i));
}

static void mov_eax(unsigned value)
{
    emit(0xb8);
    emit32(value);
}

static inline __attribute__((always_inline)) void emit_inlined(unsigned byte)
{
    *at++ = (unsigned char)byte;
}

static void nops(void)
{
    emit_inlined(0x90);
    emit_inlined(0x90);
}

static void recurse(int depth)
{
    if (depth > 0)
        recurse(depth - 1);
    else
        emit(0x90);
}

/* store_framed and store_frameless store sil at rdi; only the first one says,
 * by its frame pointer, who has called it. store_astray has another stack. */
__asm__(".text\n"
        ".type store_framed, @function\n"
        "store_framed: push %rbp\n"
        "  mov %rsp, %rbp\n"
        "  mov %sil, (%rdi)\n"
        "  pop %rbp\n"
        "  ret\n"
        ".size store_framed, .-store_framed\n"
        ".type store_frameless, @function\n"
        "store_frameless: mov %sil, (%rdi)\n"
        "  ret\n"
        ".size store_frameless, .-store_frameless\n"
        ".type store_astray, @function\n"
        "store_astray: .cfi_startproc\n"
        "  xchg %rdx, %rsp\n"
        "  mov %sil, (%rdi)\n"
        "  xchg %rdx, %rsp\n"
        "  ret\n"
        "  .cfi_endproc\n"
        ".size store_astray, .-store_astray\n");
void store_framed(unsigned char *where, int byte);
void store_frameless(unsigned char *where, int byte);
void store_astray(unsigned char *where, int byte, void *stack);

int main(void)
{
    static unsigned long zeros[64], circle[64];
    static const unsigned char nop = 0x90;
    volatile size_t size = 1;
    unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    at = code;
    mov_eax(42);
    nops();
    emit(0xc3);
    store_framed(at++, 0x90);
    store_frameless(at++, 0x90);
    store_astray(at++, 0x90, zeros + 32);
    for (int i = 0; i < 64; i++)
        circle[i] = (unsigned long)&circle[i];
    store_astray(at++, 0x90, circle + 32);
    recurse(9);
    memcpy(at, &nop, size);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))code)());
    return 0;
}

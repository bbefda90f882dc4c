/* SPDX-License-Identifier: MIT */
/*
 * Generated code uses its stack as few compilers do: enter with a level, pushes
 * of 16 bits and of flags, a call whose return address is popped, steps of a
 * page, another stack, and none at all.
 *
 * prints:  7
 * ends:    status 0
 * reports: step * enter 16, 2
 * reports: step * leave
 * reports: step * push* 4660
 * reports: step * call *
 * reports: step * pop rdx
 * reports: step * mov rsp, rdi
 * reports: step * mov rsp, -1
 * reports: step * sub rsp, 4096
 * reports: step * ret
 * reports: leave return 7
 * reports: exit status 0
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"

/* int code(void *stack) */
__asm__(".pushsection .rodata\n"
        "insns:\n"
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "    enter $16, $2\n" /* copies what it has just pushed */
        "    leave\n"
        "    pop %rbp\n"
        "    pushfq\n"
        "    pop %rcx\n"
        "    pushw $0x1234\n"
        "    pushfw\n"
        "    popfw\n"
        "    pop %cx\n"
        "    call 1f\n"
        "1:  pop %rdx\n"
        "    mov %rsp, %r9\n"
        "    mov %rdi, %rsp\n"
        "    push $1\n"
        "    mov $16, %esp\n"
        "    mov $-1, %rsp\n"
        "    mov %r9, %rsp\n"
        "    sub $4096, %rsp\n"
        "    movq $3, 4088(%rsp)\n"
        "    add $4096, %rsp\n"
        "    mov $7, %eax\n"
        "    ret\n"
        "insns_end:\n"
        ".popsection\n");
extern const uint8_t insns[], insns_end[];

static char stack[8192];

int main(void)
{
    uint8_t *code = code_new(insns, (size_t)(insns_end - insns));

    printf("%d\n", ((int (*)(void *))(uintptr_t)code)(stack + sizeof stack));
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * stub.c - generated code that calls C through a stub, as a JIT compiler does
 * whose code is too far away for a direct call.
 *
 * At offset 0 stands outer(x, fn), which calls the stub at offset 32 and adds
 * 1; the stub jumps to fn. Prints outer(20, twice): "41".
 *
 * A tracer must report: a call; a leave by a jump; an enter by a return, to
 * offset 9, which is no call and has no return address of its own; a leave by
 * a return.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const uint8_t outer_code[] = {
    0x48, 0x83, 0xec, 0x08,       /* sub rsp, 8 */
    0xe8, 0x17, 0x00, 0x00, 0x00, /* call stub */
    0x83, 0xc0, 0x01,             /* add eax, 1 */
    0x48, 0x83, 0xc4, 0x08,       /* add rsp, 8 */
    0xc3,                         /* ret */
};

static const uint8_t stub_code[] = {
    0xff, 0xe6, /* jmp rsi */
};

static int twice(int x)
{
    return 2 * x;
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*outer)(int, int (*)(int)) =
        (int (*)(int, int (*)(int)))(uintptr_t)code;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, outer_code, sizeof outer_code);
    memcpy(code + 32, stub_code, sizeof stub_code);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", outer(20, twice));
    return 0;
}

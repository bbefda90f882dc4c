/* SPDX-License-Identifier: MIT */
/*
 * An exception passes through generated code: C that the code calls unwinds
 * the stack up to main, as throw and catch of C++ do. The code is known to the
 * unwinder by the frame description that was registered for it.
 *
 * prints:  unwound 1 frame of generated code
 * prints:  42
 * ends:    status 0
 * build:   -fexceptions
 * reports: enter +0 call
 * reports: leave call
 * reports: output 1 unwound 1 frame of generated code\\n
 * reports: enter +0 call
 * reports: leave call
 * reports: enter +6 return
 * reports: leave return 42
 * reports: exit status 0
 * never:   limit *
 */
#include <setjmp.h>
#include <stdio.h>
#include <unwind.h>

#include "code.h"

void __register_frame(void *begin); /* libgcc; no header declares it */

static uint8_t *code;
static int passed; /* frames of generated code */
static jmp_buf caught;

/* Called for each frame on the way up; main's is the end of it. */
static _Unwind_Reason_Code step(int version, _Unwind_Action actions,
                                _Unwind_Exception_Class class,
                                struct _Unwind_Exception *thrown,
                                struct _Unwind_Context *context, void *of_main)
{
    uintptr_t pc = _Unwind_GetIP(context);

    (void)version, (void)class, (void)thrown;
    passed += pc >= (uintptr_t)code && pc < (uintptr_t)code + 4096;
    if (_Unwind_GetCFA(context) > (uintptr_t)of_main ||
        (actions & _UA_END_OF_STACK))
        longjmp(caught, 1);
    return _URC_NO_REASON;
}

static void throw(void *of_main)
{
    static struct _Unwind_Exception thrown;

    _Unwind_ForcedUnwind(&thrown, step, of_main);
}

static int answer(void *of_main)
{
    (void)of_main;
    return 42;
}

/* The frame description of a function of 11 bytes that lowers rsp by 8 with
 * its first instruction (4 bytes) and raises it with the one that ends at
 * offset 10 (the DWARF standard, 6.4; .eh_frame as in the LSB). */
static struct __attribute__((packed)) {
    uint32_t cie_length, cie_id;
    uint8_t cie[12];
    uint32_t fde_length, fde_to_cie;
    uint64_t start, size;
    uint8_t fde[8];
    uint32_t end;
} frame = {
    .cie_length = 16,
    .cie = {1, 0, 1, 0x78, 16, 0x0c, 7, 8, 0x90, 1, 0, 0},
    .fde_length = 28,
    .fde_to_cie = 24,
    .size = 11,
    .fde = {0x44, 0x0e, 16, 0x46, 0x0e, 8, 0, 0},
};

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08, /* sub rsp, 8 */
        0xff, 0xd6,             /* call rsi */
        0x48, 0x83, 0xc4, 0x08, /* add rsp, 8 */
        0xc3,                   /* ret */
    };
    char here;
    int (*call)(void *, void *);

    code = code_new(insns, sizeof insns);
    call = (int (*)(void *, void *))(uintptr_t)code;
    frame.start = (uintptr_t)code;
    __register_frame(&frame);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (setjmp(caught) == 0)
        return call(&here, throw);
    printf("unwound %d frame of generated code\n", passed);
    printf("%d\n", call(&here, answer));
    return 0;
}

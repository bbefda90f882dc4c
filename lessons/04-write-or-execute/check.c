/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <sys/mman.h>

void *make_function(const uint8_t *bytes, size_t length);

/* Bit n is set once a protection of n was asked for. */
uint32_t asked_mmap, asked_mprotect;
/* The one that was asked for last. */
uint32_t last_prot;

#define BOTH                                      \
    (1u << (PROT_READ | PROT_WRITE | PROT_EXEC) | \
     1u << (PROT_WRITE | PROT_EXEC))

/*
 * mmap and mprotect, as make_function() finds them. They note the protection,
 * which is in edx, and jump to the same functions of the C library. They are no
 * callers of these, so jittrace names the line that called them.
 */
asm(".text\n"
    ".globl mmap, mprotect\n"
    ".type mmap, @function\n"
    ".type mprotect, @function\n"
    "mmap:\n"
    "    mov %edx, last_prot(%rip)\n"
    "    bts %edx, asked_mmap(%rip)\n"
    "    jmp mmap64@PLT\n"
    "mprotect:\n"
    "    mov %edx, last_prot(%rip)\n"
    "    bts %edx, asked_mprotect(%rip)\n"
    "    mov $-1, %ecx\n" /* no key: this is mprotect then */
    "    jmp pkey_mprotect@PLT\n");

int main(void)
{
    static const uint8_t adder[] = {0x48, 0xc7, 0xc0, 0x01, 0x00, 0x00,
                                    0x00, 0x48, 0x01, 0xf8, 0xc3};
    uint8_t *code = make_function(adder, sizeof adder);

    if (!code) {
        say("make_function() returns NULL");
        return 1;
    }
    say("in the end the page is %c%c%c", last_prot & PROT_READ ? 'r' : '-',
        last_prot & PROT_WRITE ? 'w' : '-', last_prot & PROT_EXEC ? 'x' : '-');
    if ((asked_mmap | asked_mprotect) & BOTH) {
        say("%s was asked for PROT_WRITE and PROT_EXEC together; from then on "
            "a stray\nstore can change code that the CPU runs",
            asked_mmap & BOTH ? "mmap" : "mprotect");
        return 1;
    }
    if (!(last_prot & PROT_EXEC)) {
        say("the CPU may not fetch from it; a call of the function would "
            "crash");
        return 1;
    }
    if (!check_bytes(code, adder, sizeof adder, NULL) ||
        !check_int("fn(3)", ((int64_t(*)(int64_t))code)(3), 4))
        return 1;
    say("the page was never writable and executable at once, and fn(3) is 4");
    return 0;
}

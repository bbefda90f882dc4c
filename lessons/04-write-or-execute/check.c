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

/* What the kernel allows on the page at address, as PROT_ bits; -1 if nothing
 * is mapped there. */
static int allowed(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    uintptr_t at = (uintptr_t)address, from, to;
    char line[512], r, w, x;
    int prot = -1;

    if (!maps)
        return (int)last_prot;
    while (prot < 0 && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %c%c%c", &from, &to, &r, &w, &x) == 5 &&
            at >= from && at < to)
            prot = (r == 'r' ? PROT_READ : 0) | (w == 'w' ? PROT_WRITE : 0) |
                   (x == 'x' ? PROT_EXEC : 0);
    fclose(maps);
    return prot;
}

int main(void)
{
    static const uint8_t adder[] = {0x48, 0xc7, 0xc0, 0x01, 0x00, 0x00,
                                    0x00, 0x48, 0x01, 0xf8, 0xc3};
    uint8_t *code = make_function(adder, sizeof adder);
    int prot;

    if (!code) {
        say("make_function() returns NULL: was something refused, or does it "
            "return too early?");
        return failed();
    }
    prot = allowed(code);
    if (prot < 0) {
        say("make_function() returns %p, where nothing is mapped", code);
        return failed();
    }
    say("in the end the page is %c%c%c", prot & PROT_READ ? 'r' : '-',
        prot & PROT_WRITE ? 'w' : '-', prot & PROT_EXEC ? 'x' : '-');
    if ((asked_mmap | asked_mprotect) & BOTH) {
        say("%s was asked for PROT_WRITE and PROT_EXEC together; from then on "
            "a stray\nstore can change code that the CPU runs",
            asked_mmap & BOTH ? "mmap" : "mprotect");
        return failed();
    }
    if (!(prot & PROT_EXEC) && last_prot & PROT_EXEC) {
        say("mprotect was asked for PROT_EXEC, but not for this page, or it "
            "failed: its first\nargument must be the address of the page, and "
            "a result below 0 tells of failure");
        return failed();
    }
    if (!(prot & PROT_EXEC)) {
        say("the CPU may not fetch from it; a call of the function would "
            "crash");
        return failed();
    }
    if (!check_bytes(code, adder, sizeof adder, NULL)) {
        say("what stands at `bytes` is to be copied into the page");
        return failed();
    }
    if (!check_int("fn(3)", ((int64_t(*)(int64_t))code)(3), 4))
        return failed();
    say("the page was never writable and executable at once, and fn(3) is 4");
    return passed();
}

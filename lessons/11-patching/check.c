/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool patch(uint8_t *at, int32_t value);

/* Two pages of code and one of data, and what is allowed there. */
enum { PAGES = 3 };
static uint8_t *pages;
static int allowed[PAGES];

/* What mprotect was asked for. */
static bool asked_for_both;
static uintptr_t last_address;

/* A call of mprotect that asks for this is refused; 0 for none. */
static int refused;

bool note(uintptr_t address, size_t length, int prot);

/*
 * mprotect, as patch() finds it. It asks note(), and fails or jumps to the same
 * function of the C library. It is no caller of that, so jittrace names the
 * line that called it.
 */
asm(".text\n"
    ".globl mprotect\n"
    ".type mprotect, @function\n"
    "mprotect:\n"
    "    push %rdi\n"
    "    push %rsi\n"
    "    push %rdx\n"
    "    call note\n"
    "    pop %rdx\n"
    "    pop %rsi\n"
    "    pop %rdi\n"
    "    test %al, %al\n"
    "    jz 1f\n"
    "    mov $-1, %ecx\n" /* no key: this is mprotect then */
    "    jmp pkey_mprotect@PLT\n"
    "1:  mov $-1, %eax\n"
    "    ret\n");

/* Returns false if the call is to fail. */
bool note(uintptr_t address, size_t length, int prot)
{
    uintptr_t size = (uintptr_t)getpagesize();

    last_address = address;
    if (prot & refused) {
        errno = EACCES;
        return false;
    }
    if ((prot & PROT_WRITE) && (prot & PROT_EXEC))
        asked_for_both = true;
    for (int i = 0; i < PAGES && address % size == 0; i++) {
        uintptr_t page = (uintptr_t)pages + i * size;

        if (page >= address && page < address + length)
            allowed[i] = prot;
    }
    return true;
}

static bool check_page(const char *which, const uint8_t *address, int expected)
{
    int prot = allowed[(address - pages) / getpagesize()];

    if (prot == expected)
        return true;
    say("%s is %c%c%c afterwards, and was %s", which,
        prot & PROT_READ ? 'r' : '-', prot & PROT_WRITE ? 'w' : '-',
        prot & PROT_EXEC ? 'x' : '-', expected & PROT_EXEC ? "r-x" : "rw-");
    return false;
}

/* Patches the imm32 of code, whose address is `at`, and calls the function. */
static bool check_patch(const char *where, uint8_t *code, int32_t value)
{
    size_t size = (size_t)getpagesize();
    int64_t (*fn)(int64_t) = (int64_t(*)(int64_t))code;
    uint8_t *at = code + 3;
    char what[160];

    say("%s: patch(code + %d, %d)", where, (int)(at - pages), value);
    errno = 0;
    if (!patch(at, value)) {
        say("it returns false%s%s", errno ? ", and errno says: " : "",
            errno ? strerror(errno) : "");
        if (last_address % size)
            say("mprotect was called with code + %d; that is not where a page "
                "begins",
                (int)(last_address - (uintptr_t)pages));
        return false;
    }
    if (asked_for_both) {
        say("mprotect was asked for PROT_WRITE and PROT_EXEC together");
        return false;
    }
    if (!check_page("the page of the first byte", at, PROT_READ | PROT_EXEC) ||
        !check_page("the page of the last byte", at + 3, PROT_READ | PROT_EXEC))
        return false;
    snprintf(what, sizeof what, "the function of 10, whose term is now %d,",
             value);
    return check_int(what, fn(10), 10 + (int64_t)value);
}

/* patch() when mprotect refuses what `name` says. */
static bool check_refusal(const char *name, uint8_t *at)
{
    bool returned;

    say("if mprotect refuses %s: patch()", name);
    returned = patch(at, 4);
    if (returned)
        say("it returns true, though mprotect returned -1");
    return !returned;
}

/*
 * The kernel itself refuses to make pages writable that are those of a file
 * which was opened for reading only (mprotect(2), EACCES), so that jittrace
 * sees it, too.
 */
static bool check_write_refusal(size_t size)
{
    int file = open("/proc/self/exe", O_RDONLY);
    uint8_t *code =
        mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    bool good;

    close(file);
    if (code == MAP_FAILED) {
        perror("mmap");
        return false;
    }
    say("a page of a file that may only be read:");
    good = check_refusal("PROT_WRITE", code + 3);
    munmap(code, size);
    return good;
}

/* Nothing forbids to make one's own memory executable, so note() does. */
static bool check_exec_refusal(void)
{
    bool good;

    refused = PROT_EXEC;
    good = check_refusal("PROT_EXEC", pages + 3);
    refused = 0;
    return good;
}

int main(void)
{
    static const uint8_t adder[] = {0x48, 0xc7, 0xc0, 0x01, 0x00, 0x00,
                                    0x00, 0x48, 0x01, 0xf8, 0xc3};
    size_t size = (size_t)getpagesize();
    uint8_t *across, *behind;

    pages = mmap(NULL, PAGES * size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        perror("mmap");
        return failed();
    }
    allowed[2] = PROT_READ | PROT_WRITE;
    across = pages + size - 5;
    behind = pages + 2 * size - 100;
    memcpy(pages, adder, sizeof adder);
    memcpy(across, adder, sizeof adder); /* its imm32 is in both pages */
    memcpy(behind, adder, sizeof adder);
    if (mprotect(pages, 2 * size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return failed();
    }
    if (!check_patch("at the start of a page", pages, 2) ||
        !check_patch("the same once more", pages, -70000) ||
        !check_patch("two bytes in one page, two in the next", across,
                     16909060))
        return failed();
    if (!check_patch("near the end of a page", behind, 3) ||
        !check_page("the page behind, which is data,", pages + 2 * size,
                    PROT_READ | PROT_WRITE))
        return failed();
    if (!check_write_refusal(size) || !check_exec_refusal())
        return failed();
    say("patched four times, and no page was ever writable and executable at "
        "once");
    return passed();
}

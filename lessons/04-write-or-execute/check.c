/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *make_function(const uint8_t *bytes, size_t length);

static const char *both; /* the call that asked for w and x at once */
static int last;         /* the protection that was asked for last */

static void note(const char *call, int prot)
{
    if (!both && (prot & PROT_WRITE) && (prot & PROT_EXEC))
        both = call;
    last = prot;
}

/* These stand before those of the C library. They note what they are asked for
 * and ask the kernel for it. */
void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
    note("mmap", prot);
    return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, offset);
}

int mprotect(void *addr, size_t length, int prot)
{
    note("mprotect", prot);
    return (int)syscall(SYS_mprotect, addr, length, prot);
}

int main(void)
{
    static const uint8_t adder[] = {0x48, 0xc7, 0xc0, 0x01, 0x00, 0x00,
                                    0x00, 0x48, 0x01, 0xf8, 0xc3};
    uint8_t *code = make_function(adder, sizeof adder);

    if (!code) {
        say("make_function() returns NULL");
        return 1;
    }
    say("in the end the page is %c%c%c", last & PROT_READ ? 'r' : '-',
        last & PROT_WRITE ? 'w' : '-', last & PROT_EXEC ? 'x' : '-');
    if (both) {
        say("%s was asked for PROT_WRITE and PROT_EXEC together; from then on "
            "a stray\nstore can change code that the CPU runs",
            both);
        return 1;
    }
    if (!(last & PROT_EXEC)) {
        say("that page must not be executed; a call of the function would "
            "crash");
        return 1;
    }
    if (!check_bytes(code, adder, sizeof adder, NULL) ||
        !check_int("fn(3)", ((int64_t(*)(int64_t))code)(3), 4))
        return 1;
    say("the page was never writable and executable at once, and fn(3) is 4");
    return 0;
}

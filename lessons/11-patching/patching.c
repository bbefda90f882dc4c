/* SPDX-License-Identifier: MIT */
/*
 * patching.c - changing code that has been executed, in two ways.
 *
 *     patching                     by the flip there and back: RX, RW, RX
 *     patching between             the same, with a call at the wrong moment
 *     patching views               by a second, writable view of the page
 *     patching mdwe                the flip, where the system forbids it
 *     patching views mdwe          the second view there
 *
 * It makes the function mov rax, 1; add rax, rdi; ret, calls it, changes the 1
 * to 2, and calls it again.
 *
 * Build it with: gcc -g -O0 -o patching patching.c
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

enum { SIZE = 4096 };

static const uint8_t adder[] = {
    0x48, 0xc7, 0xc0, 1, 0, 0, 0, /* mov rax, 1 */
    0x48, 0x01, 0xf8,             /* add rax, rdi */
    0xc3,                         /* ret */
};

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

/* Says what went wrong, and where. */
static int failed(const char *what)
{
    fflush(stdout);
    perror(what);
    return EX_OSERR;
}

int main(int argc, char **argv)
{
    bool views = has_word(argc, argv, "views");
    uint8_t *code; /* where the code is executed */
    uint8_t *data; /* where it is written */

    /* [mdwe] */
    if (has_word(argc, argv, "mdwe") &&
        prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L) < 0)
        return failed("patching: PR_SET_MDWE"); /* before Linux 6.3 */
    /* [/mdwe] */

    if (views) {
        /* [views] */
        int fd = memfd_create("code", MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, SIZE) < 0)
            return failed("patching: memfd_create");
        data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        code = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED || code == MAP_FAILED)
            return failed("patching: mmap");
        memcpy(data, adder, sizeof adder);
        /* [/views] */
    } else {
        code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (code == MAP_FAILED)
            return failed("patching: mmap");
        data = code;
        memcpy(data, adder, sizeof adder);
        if (mprotect(code, SIZE, PROT_READ | PROT_EXEC) < 0)
            return failed("patching: mprotect");
    }

    int (*add)(int) = (int (*)(int))code;
    int32_t term = 2;
    printf("%d\n", add(10));
    fflush(stdout);

    if (views) {
        /* [patch-views] */
        memcpy(data + 3, &term, sizeof term);
        /* [/patch-views] */
    } else {
        /* [patch-flip] */
        if (mprotect(code, SIZE, PROT_READ | PROT_WRITE) < 0)
            return failed("patching: mprotect");
        memcpy(code + 3, &term, sizeof term);
        if (has_word(argc, argv, "between"))
            add(10);
        if (mprotect(code, SIZE, PROT_READ | PROT_EXEC) < 0)
            return failed("patching: mprotect");
        /* [/patch-flip] */
    }
    printf("%d\n", add(10));
    return 0;
}

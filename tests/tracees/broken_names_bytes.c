/* SPDX-License-Identifier: MIT */
/*
 * A jitdump whose bytes are not those of the code: it has 6 where 5 was stored.
 *
 * prints:  5
 * ends:    status 0
 * reports: name five
 * reports: enter +0 call
 * reports: exit status 0
 * reports: verdict names broken +0
 * never:   limit *
 */
#include "code.h"
#include "jitdump.h"

int main(void)
{
    static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};
    static const uint8_t six[] = {0xb8, 6, 0, 0, 0, 0xc3};
    uint8_t *code = code_new(five, sizeof five);
    char name[64];
    FILE *dump = dump_begin(name, sizeof name, 1);

    dump_load(dump, code, six, sizeof six, "five");
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return unlink(name);
}

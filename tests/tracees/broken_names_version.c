/* SPDX-License-Identifier: MIT */
/*
 * A jitdump of a version that there is not.
 *
 * prints:  5
 * ends:    status 0
 * reports: limit name-format
 * reports: enter +0 call
 * reports: exit status 0
 * reports: verdict names broken
 * never:   name *
 */
#include "code.h"
#include "jitdump.h"

int main(void)
{
    static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = code_new(five, sizeof five);
    char name[64];
    FILE *dump = dump_begin(name, sizeof name, 2);

    dump_load(dump, code, five, sizeof five, "five");
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return unlink(name);
}

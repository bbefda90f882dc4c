/* SPDX-License-Identifier: MIT */
/*
 * All is asked for but one function, and what that calls.
 *
 * prints:  16
 * ends:    status 0
 * options: --except=outer
 * reports: enter +48 call
 * reports: leave return 0
 * reports: enter +48 call
 * reports: leave return 1
 * never:   step +16*
 * never:   step +0 *
 */
#include "asked.h"

int main(void)
{
    uint8_t *code = asked_new();
    long sum = 0;

    for (long i = 0; i < 4; i++) {
        sum += asked_at(code, 48)(i);
        sum += asked_at(code, 16)(i);
    }
    printf("%ld\n", sum);
    asked_end();
    return 0;
}

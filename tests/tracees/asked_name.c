/* SPDX-License-Identifier: MIT */
/*
 * Of four calls of two functions, those of one are asked for, by its name: the
 * function that it calls within generated code is shown, the other one is not.
 *
 * prints:  16
 * ends:    status 0
 * options: --only=out*
 * reports: limit only
 * reports: enter +16 call
 * reports: step +20 call*
 * reports: step +0 lea*
 * reports: step +4 ret
 * reports: step +29 ret
 * reports: leave return 1
 * reports: enter +16 call
 * reports: step +20 call*
 * reports: step +0 lea*
 * reports: step +4 ret
 * reports: step +29 ret
 * reports: leave return 2
 * never:   enter +48*
 * never:   step +48*
 * never:   limit unmatched
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

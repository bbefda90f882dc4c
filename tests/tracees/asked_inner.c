/* SPDX-License-Identifier: MIT */
/*
 * A function is asked for that is called within generated code alone: the steps
 * that lead there are not told, and its third call is counted.
 *
 * prints:  16
 * ends:    status 0
 * options: --only=leaf --calls=3
 * reports: limit only
 * reports: enter +0 call
 * reports: step +0 lea*
 * reports: step +4 ret
 * reports: leave return 3
 * reports: exit status 0
 * never:   step +16*
 * never:   step +29*
 * never:   enter +16*
 * never:   leave return 2
 * never:   leave return 4
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

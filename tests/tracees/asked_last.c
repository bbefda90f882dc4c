/* SPDX-License-Identifier: MIT */
/*
 * The end alone is asked for.
 *
 * prints:  16
 * ends:    status 0
 * options: --last=6
 * reports: limit last
 * reports: enter +0*
 * reports: step +0 lea*
 * reports: step +4 ret
 * reports: step +29 ret
 * reports: leave return 4
 * reports: output*
 * never:   leave return 3
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

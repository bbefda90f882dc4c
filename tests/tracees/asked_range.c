/* SPDX-License-Identifier: MIT */
/*
 * Offsets are asked for, the last one included.
 *
 * prints:  16
 * ends:    status 0
 * options: --only=+20..28
 * reports: enter +20 jump
 * reports: step +20 call*
 * reports: step +0 lea*
 * reports: step +25 add*
 * reports: leave jump*
 * reports: enter +20 jump
 * never:   step +16*
 * never:   step +29*
 * never:   step +48*
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

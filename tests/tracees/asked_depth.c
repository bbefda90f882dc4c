/* SPDX-License-Identifier: MIT */
/*
 * Of a call only itself is asked for, not what it calls.
 *
 * prints:  16
 * ends:    status 0
 * options: --only=outer --depth=1 --calls=2
 * reports: enter +16 call
 * reports: step +20 call*
 * reports: leave call*
 * reports: enter +25 return
 * reports: step +29 ret
 * reports: leave return 2
 * never:   step +0 *
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

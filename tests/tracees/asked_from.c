/* SPDX-License-Identifier: MIT */
/*
 * The last calls are asked for, by their number; before, the program runs at
 * full speed and is counted.
 *
 * prints:  16
 * ends:    status 0
 * options: --from-call=7
 * reports: enter +48 call
 * reports: leave return 3
 * reports: enter +16 call
 * reports: leave return 4
 * reports: exit status 0
 * never:   leave return 2
 * never:   leave return 1
 * never:   leave return 0
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

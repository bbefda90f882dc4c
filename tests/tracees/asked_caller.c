/* SPDX-License-Identifier: MIT */
/*
 * What a function of the program calls is asked for, by the name of that.
 *
 * prints:  16
 * ends:    status 0
 * options: --only=main --calls=2
 * reports: enter +16 call
 * reports: step +0 lea*
 * reports: leave return 1
 * reports: exit status 0
 * never:   enter +48*
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

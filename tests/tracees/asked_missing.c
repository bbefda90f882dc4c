/* SPDX-License-Identifier: MIT */
/*
 * A name is asked for that there is none of: what there is, is said.
 *
 * prints:  16
 * ends:    status 0
 * options: --only=nothing
 * reports: limit only
 * reports: limit unmatched
 * reports: exit status 0
 * never:   enter *
 * never:   step *
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

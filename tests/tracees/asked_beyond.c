/* SPDX-License-Identifier: MIT */
/*
 * More calls are asked for than there are.
 *
 * prints:  16
 * ends:    status 0
 * options: --calls=20..30
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

/* SPDX-License-Identifier: MIT */
/*
 * Nothing is asked for before the program has printed something, in two parts.
 *
 * prints:  ready to go
 * prints:  5
 * ends:    status 0
 * options: --after-output=to --calls=2
 * reports: limit only
 * reports: output*
 * reports: enter +16 call
 * reports: leave return 3
 * reports: exit status 0
 * never:   leave return 1
 * never:   leave return 2
 * never:   limit unmatched
 */
#include "asked.h"

int main(void)
{
    uint8_t *code = asked_new();
    long sum = asked_at(code, 16)(0) + asked_at(code, 16)(1) - 2;

    if (write(1, "ready t", 7) != 7 || write(1, "o go\n", 5) != 5)
        return 1;
    sum += asked_at(code, 48)(1) + asked_at(code, 16)(2);
    printf("%ld\n", sum);
    asked_end();
    return 0;
}

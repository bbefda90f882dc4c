/* SPDX-License-Identifier: MIT */
/* Right, but it stores more often than anybody watches. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t encode_adder(uint8_t *code, int32_t term)
{
    static const uint8_t template[] = {0x48, 0xc7, 0xc0, 0,    0,   0,
                                       0,    0x48, 0x01, 0xf8, 0xc3};

    for (volatile int i = 0; i < 5000; i++)
        code[0] = (uint8_t)i;
    memcpy(code, template, sizeof template);
    memcpy(code + 3, &term, sizeof term);
    return sizeof template;
}

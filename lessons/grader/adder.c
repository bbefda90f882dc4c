/* SPDX-License-Identifier: MIT */
#include "grader/adder.h"

#include <string.h>

const int32_t adder_terms[] = {
    0x01234567,
    1,
    -1,
    0,
    -4,
    2,
    127,
    128,
    255,
    256,
    -128,
    -129,
    -256,
    32767,
    32768,
    65535,
    65536,
    -32768,
    -32769,
    -65536,
    8388608,
    -0x1234567,
    0x7f000000,
    INT32_MAX,
    INT32_MIN,
    10,
    INT32_MAX - 1,
    INT32_MIN + 1,
    0x01234567,
};
const size_t adder_term_count = sizeof adder_terms / sizeof *adder_terms;

const int64_t adder_arguments[] = {
    3, 1, 0, -5, 0x100000000, -0x100000000, INT64_MAX, INT64_MIN};
const size_t adder_argument_count =
    sizeof adder_arguments / sizeof *adder_arguments;

void adder_encode(int32_t term, uint8_t *code)
{
    static const uint8_t mov[] = {0x48, 0xc7, 0xc0};
    static const uint8_t add_ret[] = {0x48, 0x01, 0xf8, 0xc3};

    memcpy(code, mov, sizeof mov);
    for (unsigned i = 0; i < 4; i++)
        code[3 + i] = (uint8_t)((uint32_t)term >> 8 * i);
    memcpy(code + 7, add_ret, sizeof add_ret);
}

uint64_t adder_result(int32_t term, int64_t argument)
{
    return (uint64_t)(int64_t)term + (uint64_t)argument;
}

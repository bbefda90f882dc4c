/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

uint64_t hash_bytes(uint64_t before, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i++)
        before = (before ^ at[i]) * UINT64_C(0x100000001b3);
    return before;
}

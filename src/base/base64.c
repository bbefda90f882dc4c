/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

void base64_append(struct bytes bytes, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.len; i += 3) {
        const uint8_t *data = bytes.data + i;
        const size_t left = bytes.len - i;
        const unsigned bits = (unsigned)data[0] << 16 |
                              (left > 1 ? (unsigned)data[1] << 8 : 0) |
                              (left > 2 ? data[2] : 0);
        char four[] = {digits[bits >> 18], digits[bits >> 12 & 63],
                       left > 1 ? digits[bits >> 6 & 63] : '=',
                       left > 2 ? digits[bits & 63] : '='};

        buf_append(out, four, sizeof four);
    }
}

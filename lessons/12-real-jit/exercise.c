/* SPDX-License-Identifier: MIT */
/*
 * Exercise 12: what did the program say?
 *
 * LuaJIT made this loop of a line of Lua, and the line is lost. The check calls
 * the loop first, so jittrace reads it to you:
 *
 *     ./jittrace -- build/lessons/12-real-jit/my
 *
 * At its start sum is in xmm7, i in ebp and n in eax. At its end LuaJIT's code
 * jumped away; here is a ret.
 */
#include <stddef.h>
#include <stdint.h>

const uint8_t loop[] = {
    0x0f, 0x28, 0xf7, 0x0f, 0x57, 0xff, 0xf2, 0x0f, 0x2a,
    0xfd, 0xf2, 0x0f, 0x59, 0xff, 0xf2, 0x0f, 0x5c, 0xfe,
    0x83, 0xc5, 0x01, 0x3b, 0xe8, 0x7e, 0xe7, 0xc3,
};
const size_t loop_size = sizeof loop;

/* Does in C what the loop does, and returns sum. */
double lost(double sum, int i, int n)
{
    do {
        /* Your turn: what does a round do to sum? */
        i = i + 1;
    } while (i <= n);
    return sum;
}

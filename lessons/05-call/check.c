/* SPDX-License-Identifier: MIT */
#include "../check.h"

uint8_t *compile(void);

/* The second argument as 64 bits, so that the upper half can be chosen. */
typedef int64_t function(int64_t from, uint64_t to);

/* What a frequent mistake returns, and what to say of it. */
struct guess {
    int64_t result;
    const char *why;
};

static bool check_call(function *distance, int64_t from, int32_t to,
                       uint32_t upper)
{
    uint64_t rsi = (uint64_t)upper << 32 | (uint32_t)to;
    int64_t right = (int64_t)to - from;
    const struct guess guesses[] = {
        {right, NULL},
        {(int64_t)(rsi - (uint64_t)from),
         "the upper half of rsi was taken for a part of to, but only the lower "
         "half is"},
        {(int64_t)((uint64_t)(uint32_t)to - (uint64_t)from),
         "the upper half of to became 0; it must be filled with bit 31"},
        {(int64_t)(uint32_t)right,
         "that is right in the lower 32 bits, and the result has 64"},
        {from - to, "that is from - to, and to - from was asked for"},
        {(int64_t)((uint64_t)from - rsi),
         "that is from - rsi: the other way round, and the upper half of rsi "
         "is no part of to"},
        {to, "that is to; nothing was subtracted from rax"},
        {(int64_t)rsi, "that is rsi as it was passed"},
        {from, "that is from, or rax was never set: the result goes into rax"},
        {from + to, "that is the sum"},
    };
    int64_t result = distance(from, rsi);

    if (result == right)
        return true;
    say("distance(%lld, %d) with rsi = 0x%016llx returned %lld, not %lld",
        (long long)from, to, (unsigned long long)rsi, (long long)result,
        (long long)right);
    ask_where("rax");
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        if (result == guesses[i].result) {
            say("%s", guesses[i].why);
            return false;
        }
    }
    say("is the result in rax? is from read from rdi, and to from esi? In the "
        "ModRM byte\nof movsxd, reg is the register that is set; in that of "
        "sub (29) it is rm");
    return false;
}

int main(void)
{
    uint8_t *code = compile();
    function *distance;
    bool empty = true;

    if (!code)
        return failed();
    for (size_t i = 0; i < 16; i++)
        empty = empty && code[i] == 0;
    if (empty) {
        say("code[0] to code[15] are still zeros: there is no function yet");
        return failed();
    }
    distance = (function *)code;
    if (!check_call(distance, 3, 10, 0) || !check_call(distance, 10, 3, 0) ||
        !check_call(distance, 3, 10, 0x12345678) ||
        !check_call(distance, 4, -1, 0x12345678) ||
        !check_call(distance, 4, -1, 0) ||
        !check_call(distance, -5000000000, -7, 0xdeadbeef) ||
        !check_call(distance, -1, INT32_MAX, UINT32_MAX) ||
        !check_call(distance, 1, INT32_MIN, 0))
        return failed();
    say("to - from is right, whatever stands in the upper half of rsi");
    return passed();
}

/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <string.h>

bool patch_rel8(uint8_t *code, size_t jump, size_t target);
uint8_t *compile(void);

/* One jump, at code[jump], alone in a buffer. */
static bool check_jump(size_t jump, size_t target)
{
    int distance = (int)target - (int)(jump + 2);
    bool fits = distance >= INT8_MIN && distance <= INT8_MAX;
    uint8_t code[512], expected[512];
    bool returned;

    memset(code, UNTOUCHED, sizeof code);
    code[jump] = target > jump ? 0x74 : 0xeb; /* jz, jmp */
    memcpy(expected, code, sizeof code);
    returned = patch_rel8(code, jump, target);
    if (returned != fits) {
        say("a jump at code[%zu] to code[%zu] goes %d bytes from its end;\n%s,"
            " but patch_rel8() returned %s",
            jump, target, distance,
            fits ? "that fits into rel8" : "rel8 goes from -128 to 127",
            returned ? "true" : "false");
        return false;
    }
    if (fits)
        expected[jump + 1] = (uint8_t)distance;
    if (code[jump + 1] == (uint8_t)(distance + 2) && fits) {
        say("a jump at code[%zu] to code[%zu]: rel8 is 0x%02x = %d; that is "
            "counted from\nthe jump's first byte, but the CPU counts from the "
            "first byte behind it",
            jump, target, code[jump + 1], (int8_t)code[jump + 1]);
        return false;
    }
    if (!fits && code[jump + 1] != UNTOUCHED) {
        say("a jump at code[%zu] to code[%zu]: rel8 does not reach, so nothing "
            "was to be\nstored; code[%zu] is 0x%02x now",
            jump, target, jump + 1, code[jump + 1]);
        return false;
    }
    if (code[jump + 1] == UNTOUCHED && fits) {
        say("a jump at code[%zu] to code[%zu]: rel8 was not stored; it belongs "
            "in code[%zu]",
            jump, target, jump + 1);
        return false;
    }
    if (code[jump + 1] != expected[jump + 1]) {
        say("a jump at code[%zu] to code[%zu]: rel8 is 0x%02x, not 0x%02x;\n"
            "with that the CPU goes on at code[%d]",
            jump, target, code[jump + 1], expected[jump + 1],
            (int)(jump + 2) + (int8_t)code[jump + 1]);
        return false;
    }
    if (memcmp(code, expected, sizeof code) != 0) {
        say("a jump at code[%zu]: bytes other than code[%zu] were changed%s",
            jump, jump + 1,
            code[jump] != expected[jump] ? "; its opcode is\nthere already"
                                         : "");
        return false;
    }
    return true;
}

int main(void)
{
    static const struct {
        size_t jump, target;
    } jumps[] = {
        {5, 16},              /* forward, over the loop */
        {14, 2},              /* backward */
        {20, 22},             /* to the instruction behind it */
        {300, 300},           /* to itself: a loop without end */
        {200, 329},           /* as far as it goes, forward */
        {200, 74},            /* and backward */
        {200, 330}, {200, 73} /* one byte more */
    };
    static const struct {
        int64_t n, times;
    } halvings[] = {{0, 0}, {1, 1}, {5, 3}, {1024, 11}, {INT64_MAX, 63}};
    int64_t (*fn)(int64_t);

    /* First, for the event of the store of the byte that is found wrong. */
    fn = (int64_t(*)(int64_t))compile();
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        if (!check_jump(jumps[i].jump, jumps[i].target)) {
            if (fn && i < 2) /* those that compile() has */
                ask_store(jumps[i].jump + 1);
            return failed();
        }
    }
    if (!fn)
        return failed();
    for (size_t i = 0; i < sizeof halvings / sizeof *halvings; i++) {
        char what[80];

        snprintf(what, sizeof what, "the function of %lld",
                 (long long)halvings[i].n);
        if (!check_int(what, fn(halvings[i].n), halvings[i].times))
            return failed();
    }
    say("both jumps arrive, and rel8 is refused where it does not reach");
    return passed();
}

/* SPDX-License-Identifier: MIT */
#include "../check.h"
#include "../names.h"

#include <string.h>

uint8_t *compile(int32_t term);

static const char *const meaning[] = {
    "mov rax, TERM begins with a REX prefix, as it did",
    "the opcode of mov was right as it was",
    "the ModRM byte of mov was right as it was",
    "the lowest byte of the term comes first",
    "the second lowest byte of the term comes here",
    "the second highest byte of the term comes here",
    "the highest byte of the term comes last",
    "sub rax, rdi begins with a REX prefix: without REX.W it subtracts 32 bits",
    "the opcode of sub r/m64, r64 comes here",
    "the ModRM byte comes here: rdi from rax, as babyjit.c adds rdi to rax",
    "the function needs a ret, or the CPU runs on into the zeros behind it",
};

/* What turns the instruction at code, which has that name, into the right one.
 */
static const char *what_differs(const uint8_t *code, const char *name)
{
    if (strncmp(name, "sub", 3) != 0)
        return "what babyjit.c has for add is nearer to it; only the opcode "
               "differs";
    if ((code[0] & 0xf8) != 0x48)
        return "that is 32 bits wide; the prefix REX with W, 48, makes it 64";
    if (!strcmp(name, "sub rdi, rax"))
        return "the registers are the other way round, and the result is to "
               "be in rax;\nreg and rm of the ModRM byte, as babyjit.c has "
               "them for add, are right";
    return "the prefix and the ModRM byte name the registers; those of "
           "babyjit.c's add\nare right";
}

static bool check_code(const uint8_t *code)
{
    static const uint8_t expected[] = {0x48, 0xc7, 0xc0, 0xfc, 0xff, 0xff,
                                       0xff, 0x48, 0x29, 0xf8, 0xc3};
    /* The other encoding of sub rax, rdi, which assemblers do not choose. */
    static const uint8_t other[] = {0x48, 0x2b, 0xc7, 0xc3};
    char name[NAME_SIZE];
    size_t len;

    if (!memcmp(code + 7, other, sizeof other))
        return true;
    if (!memcmp(code + 7, "\0\0\0", 4)) {
        say("bytes 7 to 10 are still zeros; sub rax, rdi and ret go there");
        return false;
    }
    if (code[8] == 0x01) {
        say("byte 8 is 0x01; that is the opcode of add, and sub has another");
        return false;
    }
    /* A ModRM byte of zero is one that was not stored yet. */
    len = memcmp(code + 9, "\0\0", 2) ? name_instruction(code + 7, name) : 0;
    if (len && strcmp(name, "sub rax, rdi") != 0) {
        say("bytes 7 to %zu are %s, and sub rax, rdi is wanted:", 6 + len,
            name);
        say("%s", what_differs(code + 7, name));
        return false;
    }
    if (!memcmp(code + 7, other, 3)) {
        say("byte 10 is 0x%02x; %s", code[10], meaning[10]);
        return false;
    }
    return check_bytes(code, expected, sizeof expected, meaning);
}

int main(void)
{
    static const int32_t terms[] = {0, 1, 10, -4, INT32_MAX, INT32_MIN + 100};
    uint8_t *code = compile(-4);

    if (!code || !check_code(code))
        return failed();
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        char what[80];
        int64_t (*fn)(int64_t);

        code = compile(terms[i]);
        if (!code)
            return failed();
        fn = (int64_t(*)(int64_t))code;
        snprintf(what, sizeof what, "%d - %d", terms[i], 3);
        if (!check_int(what, fn(3), (int64_t)terms[i] - 3))
            return failed();
    }
    say("TERM - x is right, also for negative terms");
    return passed();
}

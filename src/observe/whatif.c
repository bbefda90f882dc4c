/* SPDX-License-Identifier: MIT */
#include "observe/whatif.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "target/calls.h"
#include "target/refusal.h"

/* Takes `word` off the text at *at. */
static bool take(const char **at, const char *word)
{
    const size_t length = strlen(word);

    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

/* Takes a number of at most `most` off it, or a negative one of as many bits,
 * if it may be that. */
static bool take_number(const char **at, bool may_be_negative, uint64_t most,
                        uint64_t *out)
{
    const bool negative = may_be_negative && **at == '-';
    const char *from = *at + negative;
    char *end;

    if (*from < '0' || *from > '9')
        return false;
    *out = strtoull(from, &end, 0);
    if (*out > (negative ? most / 2 + 1 : most))
        return false;
    if (negative)
        *out = -*out & most;
    *at = end;
    return true;
}

/* Takes the word up to the next ':' or the end off it, if it fits. */
static bool take_word(const char **at, char *out, size_t size)
{
    const size_t length = strcspn(*at, ":");

    if (length == 0 || length >= size)
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length;
    return true;
}

static bool take_when(const char **at, struct whatif *what)
{
    const bool at_call =
        what->kind == WHATIF_BYTE || what->kind == WHATIF_REGISTER;

    if (at_call && take(at, "enter"))
        return true; /* the first time, which it is anyway */
    if (at_call)
        take(at, "call");
    if (!take_number(at, false, INT64_MAX, &what->when.first) ||
        what->when.first == 0)
        return false;
    what->when.last = what->when.first;
    if (take(at, "..") &&
        (!take_number(at, false, INT64_MAX, &what->when.last) ||
         what->when.last < what->when.first))
        return false;
    if (!take(at, "+"))
        return true;
    if (what->when.last == what->when.first)
        what->when.last = UINT64_MAX;
    return !**at || (take_number(at, false, INT64_MAX, &what->when.step) &&
                     what->when.step > 0);
}

static bool take_byte(const char **at, struct whatif *what)
{
    what->kind = WHATIF_BYTE;
    if (!take(at, "[") && (!take_number(at, false, INT32_MAX, &what->code) ||
                           what->code == 0 || !take(at, "[")))
        return false;
    if (!take_number(at, false, INT64_MAX, &what->offset))
        return false;
    what->is_xor = take(at, "]:xor=");
    return (what->is_xor || take(at, "]:set=")) &&
           take_number(at, true, UINT8_MAX, &what->value);
}

static bool take_register(const char **at, struct whatif *what)
{
    char name[8];

    what->kind = WHATIF_REGISTER;
    if (!take_word(at, name, sizeof name))
        return false;
    what->bits = reg_part_find(name, &what->reg);
    what->is_xor = take(at, ":xor=");
    return what->bits && what->reg < REG_GENERAL &&
           (what->is_xor || take(at, ":set=")) &&
           take_number(at, true, UINT64_MAX >> (64 - what->bits), &what->value);
}

static bool take_call(const char **at, struct whatif *what)
{
    char name[24];

    what->kind = WHATIF_CALL;
    if (!take_word(at, name, sizeof name) || !call_find(name, &what->number))
        return false;
    if (take(at, ":retval="))
        return take_number(at, true, UINT64_MAX, &what->value);
    if (!take(at, ":error=") || !take_word(at, name, sizeof name))
        return false;
    what->error = refusal_find(name);
    return what->error > 0;
}

static bool take_stage(const char **at, struct whatif *what)
{
    what->kind = WHATIF_CALL;
    what->of_code = true;
    if (take(at, "writes:skip"))
        what->kind = WHATIF_STORE;
    else if (take(at, "mprotect:skip"))
        call_find("mprotect", &what->number);
    else if (take(at, "munmap:skip"))
        call_find("munmap", &what->number);
    else
        return false;
    return true;
}

static bool parse(const char *at, struct whatif *what)
{
    bool every = true, good;

    what->when.first = what->when.step = 1;
    if (take(&at, "skip-store=")) {
        what->kind = WHATIF_STORE;
        return take_when(&at, what) && !*at;
    }
    if (take(&at, "code")) {
        good = take_byte(&at, what);
        every = false;
    } else if (take(&at, "reg=")) {
        good = take_register(&at, what);
        every = false;
    } else if (take(&at, "call=")) {
        good = take_call(&at, what);
    } else {
        good = take(&at, "stage=") && take_stage(&at, what);
    }
    what->when.last = every ? UINT64_MAX : 1;
    return good && (!*at || (take(&at, ":when=") && take_when(&at, what))) &&
           !*at;
}

int whatif_add(struct whatifs *all, const char *text, struct err *err)
{
    struct whatif *what = &all->list[all->count];

    if (all->count == sizeof all->list / sizeof *all->list)
        return err_set(err, ERR_USAGE, "--inject can be there %zu times",
                       all->count);
    *what = (struct whatif){.text = text};
    if (!parse(text, what))
        return err_set(
            err, ERR_USAGE,
            "--inject takes code[2]:xor=0x01, code[2]:set=0xc3, reg=rdi:set=5, "
            "skip-store=4, stage=mprotect:skip (or munmap, writes), "
            "call=mprotect:error=EACCES (or another call about memory), "
            "call=mprotect:retval=0 and, behind these, :when=enter, "
            ":when=call2, :when=2+ or :when=2..4, not '%s'",
            text);
    all->count++;
    return 0;
}

bool whatif_is_due(struct whatif *what)
{
    const uint64_t n = ++what->seen;

    return n >= what->when.first && n <= what->when.last &&
           (n - what->when.first) % what->when.step == 0;
}

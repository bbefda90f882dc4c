/* SPDX-License-Identifier: MIT */
#include "observe/whatif.h"

#include <stdlib.h>

#include "observe/bytes.h"

/* A number behind `word`, at *text, which is then behind it. */
static bool take(const char **text, const char *word, uint64_t most,
                 uint64_t *out)
{
    const size_t length = strlen(word);
    char *end;

    if (strncmp(*text, word, length) != 0)
        return false;
    *out = strtoull(*text + length, &end, 0);
    if (end == *text + length || *out > most || (*text)[length] == '-')
        return false;
    *text = end;
    return true;
}

int whatif_parse(const char *text, struct whatif *out, struct err *err)
{
    const char *at = text;
    uint64_t value = 0;
    bool good;

    *out = (struct whatif){.text = text, .call = 1};
    good = take(&at, "code[", INT64_MAX, &out->offset);
    out->is_xor = good && strncmp(at, "]:x", 3) == 0;
    good = good && take(&at, out->is_xor ? "]:xor=" : "]:set=", 255, &value);
    out->value = (uint8_t)value;
    if (good && *at && strcmp(at, ":when=enter") != 0)
        good = take(&at, ":when=call", INT64_MAX, &out->call) && !*at &&
               out->call > 0;
    if (good)
        return 0;
    return err_set(err, ERR_USAGE,
                   "--inject takes code[2]:xor=0x01, code[2]:set=0xc3 and, "
                   "behind these, :when=enter or :when=call2, not '%s'",
                   text);
}

void whatif_enter(struct thread *thread, struct region *region, const char *how)
{
    struct run *run = thread->run;
    const struct whatif *what = &run->choice.whatif;
    const uint64_t addr = region->start + what->offset;
    struct storer storer = {0};
    struct buf by = {0};
    uint8_t old, now;

    if (!what->text || run->whatif_done || strcmp(how, "call") != 0 ||
        ++run->whatif_calls < what->call)
        return;
    if (addr < region->addr || addr >= region->addr + region->length ||
        proc_read(thread->tracee.tid, addr, &old, 1) != 1)
        return;
    now = what->is_xor ? old ^ what->value : what->value;
    if (tracee_write(&thread->tracee, addr, &now, 1) < 0)
        return;
    run->whatif_done = true;
    buf_printf(&by, WRITTEN_INJECTED "(%s)", what->text);
    storer.by = buf_text(&by);
    bytes_store(thread, region, addr, (struct bytes){&old, 1},
                (struct bytes){&now, 1}, &storer);
    buf_release(&by);
}

void whatif_tell_missing(struct thread *thread)
{
    const struct run *run = thread->run;

    if (run->choice.whatif.text && !run->whatif_done)
        thread_limit(thread, "unmatched", 0,
                     "--inject=%s was not done: no such call was seen, or it "
                     "has no such byte",
                     run->choice.whatif.text);
}

/* SPDX-License-Identifier: MIT */
/*
 * The stack in the text, of a program that uses it in each way that there is.
 */
#include <string.h>

#include "support/support.h"

TestSuite(stack, .timeout = 60);

/* The rows of the stack of which something is known, without their values. */
static void rows(const char *text, struct buf *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        const char *word = text + strspn(text, " "), *what;

        if (strncmp(word, "[rsp", 4) == 0 && (what = strstr(word, "0x")) &&
            what < text + len) {
            buf_append(out, word, strcspn(word, " "));
            what += strcspn(what, " \n");
            what += strspn(what, " ");
            buf_append_text(out, "  ");
            buf_append(out, what, len - (size_t)(what - text));
            buf_append_text(out, "\n");
        }
        text += len + (text[len] == '\n');
    }
}

static void show(const char *const *argv, struct buf *text)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    buf_clear(text);
    buf_append(text, result.out.data, result.out.len);
    result_release(&result);
}

static const char *const known[] = {
    "[rsp]  return address, to stack_words.c:",
    "[rsp+8]  return address, to stack_words.c:",
    "[rsp]  the caller's rbx, pushed at code[0]\n",
    "[rsp+24]  return address, to stack_words.c:",
    "[rsp+16]  the caller's rbx, pushed at code[0]\n",
    "[rsp+8]  stored by mov [rsp+8], rdi at code[5]\n",
    "[rsp+24]  the caller's rbx, pushed at code[0]\n",
    "[rsp]  return address, into code[28]\n",
    "[rsp-8]  below; stored by mov [rsp-8], rax at code[35]\n",
    "[rsp-8]  popped; return address, into code[28]\n",
    "[rsp-8]  below; stored by mov [rsp+8], rdi at code[5]\n",
    "[rsp-8]  popped; the caller's rbx, pushed at code[0]\n",
    "[rsp-8]  popped; return address, to stack_words.c:",
};

Test(stack, words_are_told_where_they_matter)
{
    const char *at;
    struct buf text = {0}, got = {0};

    show(ARGS(JITTRACE, "--", TRACEE("stack_words")), &text);
    rows(buf_text(&text), &got);
    at = buf_text(&got);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *found = strstr(at, known[i]);

        cr_assert(ne(ptr, (void *)found, NULL), "no '%s' in\n%s", known[i], at);
        at = found;
    }
    buf_release(&text);
    buf_release(&got);
}

static const char *const odd[] = {
    "[rsp+24]  stored by enter 16, 2 at code[4]\n",
    "[rsp]  stored by pushfq at code[10]\n",
    "[rsp]  return address, into code[27]\n",
    "[rsp-8]  popped; return address, into code[27]\n",
    "[rsp]  pushed by push 1 at code[34]\n",
    "[rsp]  return address, to stack_odd.c:",
    "[rsp-8]  popped; return address, to stack_odd.c:",
};

/* What was popped by a pop is no call that is still to return; what enter has
 * pushed itself it does not find there; of no stack nothing is told. */
Test(stack, nothing_false_is_told_of_odd_ways)
{
    struct buf text = {0}, got = {0};
    const char *at;

    show(ARGS(JITTRACE, "--", TRACEE("stack_odd")), &text);
    rows(buf_text(&text), &got);
    at = buf_text(&got);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const char *found = strstr(at, odd[i]);

        cr_assert(ne(ptr, (void *)found, NULL), "no '%s' in\n%s", odd[i], at);
        at = found;
    }
    cr_expect(lacks(buf_text(&text), "not for its caller"));
    cr_expect(lacks(buf_text(&text), "; reads 0x"));
    cr_expect(contains(buf_text(&text), "rax = 0x7 = 7 (the result, if any)"));
    cr_expect(contains(buf_text(&text), "-> 0xffffffffffffffff\n+"));
    buf_release(&text);
    buf_release(&got);
}

Test(stack, a_replay_tells_the_same)
{
    struct buf text = {0}, live = {0}, again = {0};
    const char *file = scratch(".jsonl");

    show(ARGS(JITTRACE, "--format=json", "-o", file, "--",
              TRACEE("stack_words")),
         &text);
    show(ARGS(JITTRACE, "--replay", file), &text);
    rows(buf_text(&text), &again);
    show(ARGS(JITTRACE, "--", TRACEE("stack_words")), &text);
    rows(buf_text(&text), &live);
    cr_assert(eq(str, (char *)buf_text(&again), (char *)buf_text(&live)));
    buf_release(&text);
    buf_release(&live);
    buf_release(&again);
}

Test(stack, none_is_told_if_none_is_read)
{
    struct buf text = {0}, got = {0};

    show(ARGS(JITTRACE, "--max-stack=0", "--", TRACEE("stack_words")), &text);
    rows(buf_text(&text), &got);
    cr_assert(eq(str, (char *)buf_text(&got), ""));
    cr_assert(ne(ptr, (void *)strstr(buf_text(&text), "return to 0x"), NULL));
    buf_release(&text);
    buf_release(&got);
}

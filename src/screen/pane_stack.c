/* SPDX-License-Identifier: MIT */
/*
 * The stack around its pointer, the highest address at first, as it grows: what
 * has been popped is still there, below.
 *
 *       0x7ffe0010  0x00007f4384645011  return address, to the call at jit.c:9
 *     > 0x7ffe0008  0x0000000000000005  pushed by push 5 at code[4]
 *       0x7ffe0000  0x0000000000000000  popped; the caller's rbx, pushed at ...
 */
#include "screen/pane.h"
#include "tell/stack.h"

#define WANTED 10u /* rows: with the usual budget the rule and one more */
#define WORD   8u

unsigned pane_stack_rows(void)
{
    return WANTED;
}

void pane_stack(const struct moment *moment, struct pane *pane)
{
    struct pen *pen = &pane->pen;
    struct phrases phrases = {0};
    struct stack_words stack;

    pen_text(&pane->title, ROLE_HEADING, "stack");
    if (!stack_find(moment->history, moment->seq, &stack)) {
        pen_words(pen, ROLE_NOTE, 2,
                  "  not known: it is read when control enters generated code, "
                  "unless --max-stack is 0");
        return;
    }
    if (stack.seq != moment->seq)
        buf_printf(&pane->right, "as of event %" PRIu64, stack.seq);
    for (size_t n = stack.count; n-- > 0;) {
        const uint64_t addr = stack.addr + n * WORD;
        const bool is_top = addr <= stack.top && stack.top < addr + WORD;
        const bool is_popped = addr < stack.top && !is_top;
        const char *meaning = stack_meaning(&stack, n, NULL, &phrases);

        pen_text(pen, is_top ? ROLE_CURRENT : ROLE_PLAIN, is_top ? "> " : "  ");
        pen_print(pen, is_popped ? ROLE_NOTE : ROLE_ADDRESS, "0x%" PRIx64,
                  addr);
        pen_print(pen, is_popped ? ROLE_NOTE : ROLE_REGISTER,
                  "  0x%016" PRIx64 "  ", stack_word(&stack, n));
        if (is_popped && !*meaning)
            meaning = "below the top";
        pen_cut(pen, is_popped ? ROLE_NOTE : ROLE_PLAIN, meaning);
        pen_end(pen);
    }
    phrases_release(&phrases);
    stack_release(&stack);
    pane->has_ellipsis = pane_lines(pen) > pane->body.rows;
}

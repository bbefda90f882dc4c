/* SPDX-License-Identifier: MIT */
/*
 * What of a run is asked for: WHERE and numbers of calls, read and matched.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "observe/choice.h"
#include "support/support.h"

TestSuite(choice, .timeout = 60);

static int add(struct choice_places *places, const char *text, char *why)
{
    struct err err = {0};
    int result = choice_add_place(places, text, &err);

    if (why)
        snprintf(why, sizeof err.text, "%s", result < 0 ? err.text : "");
    return result;
}

Test(choice, places)
{
    struct choice_places names = {0}, offsets = {0}, second = {0}, at = {0};

    cr_assert(eq(int, add(&names, "JS:*hot*", NULL), 0));
    cr_assert(eq(int, add(&names, "qsort", NULL), 0));
    cr_assert(eq(int, choice_names(&names, "JS:~hot eval:1"), 1));
    cr_assert(eq(int, choice_names(&names, "libc.so.6:qsort+0x3f"), 1));
    cr_assert(eq(int, choice_names(&names, "qsort_r+0x3f"), 0));
    cr_assert(eq(int, choice_names(&names, NULL), 0));
    cr_assert(eq(int, choice_covers(&names, 0, 100, 0, 1), 0));

    cr_assert(eq(int, add(&offsets, "+0x10..0x1f", NULL), 0));
    cr_assert(eq(int, choice_covers(&offsets, 0x100f, 1, 0x1000, 7), 0));
    cr_assert(eq(int, choice_covers(&offsets, 0x1010, 1, 0x1000, 7), 1));
    cr_assert(eq(int, choice_covers(&offsets, 0x101f, 1, 0x1000, 7), 1));
    cr_assert(eq(int, choice_covers(&offsets, 0x1020, 1, 0x1000, 7), 0));
    cr_assert(eq(int, choice_has_names(&offsets), 0));

    cr_assert(eq(int, add(&second, "code2+3", NULL), 0));
    cr_assert(eq(int, choice_covers(&second, 0x1003, 1, 0x1000, 1), 0));
    cr_assert(eq(int, choice_covers(&second, 0x1003, 1, 0x1000, 2), 1));
    cr_assert(eq(int, choice_covers(&second, 0x1000, 4096, 0x1000, 2), 1));

    cr_assert(eq(int, add(&at, "0x2000..0x2003", NULL), 0));
    cr_assert(eq(int, choice_covers(&at, 0x1003, 1, 0x1000, 1), 0));
    cr_assert(eq(int, choice_covers(&at, 0x2003, 1, 0x1000, 1), 1));
}

Test(choice, what_is_no_place)
{
    static const char *const wrong[][2] = {
        {"", "a place is"},
        {"+", "no range"},
        {"+x", "no range"},
        {"+1..", "no range"},
        {"+1..2..3", "no range"},
        {"+8..4", "ends before it begins"},
        {"code0+1", "no range"},
        {"0x", "no range"},
        {"0x2000..0x1000", "ends before it begins"},
        {"+99999999999999999999", "no range"},
    };
    struct choice_places places = {0};
    char why[256];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (i == 6) { /* a name, however odd */
            cr_assert(eq(int, add(&places, wrong[i][0], why), 0));
            continue;
        }
        cr_assert(eq(int, add(&places, wrong[i][0], why), -1), "%s",
                  wrong[i][0]);
        cr_assert(contains(why, wrong[i][1]), "%s: %s", wrong[i][0], why);
    }
}

Test(choice, numbers_of_calls)
{
    struct choice choice = {0};
    struct buf text = {0};
    struct err err;

    cr_assert(eq(int, choice_is_some(&choice), 0));
    cr_assert(eq(int, choice_set_calls(&choice, "3..5", &err), 0));
    choice_describe(&choice, &text);
    cr_assert(eq(str, (char *)buf_text(&text), "--calls=3..5"));
    cr_assert(eq(int, choice_set_calls(&choice, "7", &err), 0));
    cr_assert(eq(u64, choice.first, 7));
    cr_assert(eq(u64, choice.last, 7));
    cr_assert(eq(int, choice_set_calls(&choice, "0..5", &err), -1));
    cr_assert(eq(int, choice_set_calls(&choice, "5..3", &err), -1));
    cr_assert(contains(err.text, "end before they begin"));
    cr_assert(eq(int, choice_set_calls(&choice, "x", &err), -1));
    buf_release(&text);
}

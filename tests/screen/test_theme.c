/* SPDX-License-Identifier: MIT */
/*
 * Themes: legible, in exact colours and in the nearest of 256.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "screen/theme.h"

TestSuite(theme, .timeout = 20);

static void check(const char *name, double least)
{
    const struct theme *theme = theme_find(name);
    rgb background = theme_background(theme);
    rgb near_background = theme_of_xterm(theme_nearest(background));

    for (int i = 0; i < ROLES; i++) {
        rgb color = theme_color(theme, (enum role)i);
        rgb near_color = theme_of_xterm(theme_nearest(color));

        cr_expect(ge(dbl, theme_contrast(color, background), least),
                  "%s, role %d", name, i);
        cr_expect(ge(dbl, theme_contrast(near_color, near_background), least),
                  "%s, role %d of 256 colours", name, i);
    }
}

Test(theme, every_role_is_legible)
{
    check("dark", 4.5);
    check("light", 4.5);
    check("contrast", 7);
}

/* From the examples of WCAG's own calculators. */
Test(theme, contrast)
{
    cr_assert(eq(dbl, theme_contrast(0, 0xffffff), 21.0));
    cr_assert(eq(dbl, theme_contrast(0x777777, 0x777777), 1.0));
    cr_assert(ge(dbl, theme_contrast(0x767676, 0xffffff), 4.54));
    cr_assert(lt(dbl, theme_contrast(0x767676, 0xffffff), 4.55));
    cr_assert(lt(dbl, theme_contrast(0xffffff, 0xff0000), 4.0));
}

Test(theme, colours_of_xterm)
{
    cr_assert(eq(uint, theme_of_xterm(16), 0));
    cr_assert(eq(uint, theme_of_xterm(231), 0xffffff));
    cr_assert(eq(uint, theme_of_xterm(196), 0xff0000));
    cr_assert(eq(uint, theme_of_xterm(234), 0x1c1c1c));
    cr_assert(eq(uint, theme_nearest(0x1c1c1c), 234));
    cr_assert(eq(uint, theme_nearest(0xfe0101), 196));
}

Test(theme, of_a_name)
{
    setenv("COLORFGBG", "0;15", 1);
    cr_assert(eq(ptr, (void *)theme_find("auto"), (void *)theme_find("light")));
    setenv("COLORFGBG", "15;default;0", 1);
    cr_assert(eq(ptr, (void *)theme_find(NULL), (void *)theme_find("dark")));
    unsetenv("COLORFGBG");
    cr_assert(eq(ptr, (void *)theme_find("auto"), (void *)theme_find("dark")));
    cr_assert(eq(ptr, (void *)theme_find("no such one"), NULL));
    cr_assert(true && theme_is_plain(theme_find("plain")));
}

/* SPDX-License-Identifier: MIT */
/*
 * screen/theme.h - what colours the roles have on a full screen that can show
 * many. Bold, underline and reverse are those of tell/pen.h in each theme.
 *
 * A theme brings its own background, so that it is legible whatever the
 * terminal's is: the contrast of each role is at least 4.5 to 1, that of the
 * theme "contrast" 7 to 1 (WCAG 2.2, 1.4.3 and 1.4.6).
 */
#ifndef JITTRACE_SCREEN_THEME_H
#define JITTRACE_SCREEN_THEME_H

#include "tell/pen.h"

/* A colour as 0xRRGGBB. */
typedef uint32_t rgb;

struct theme;

/*
 * The theme of that name: "dark", "light", "contrast", or "plain", the three
 * colours of the terminal that are legible on any background. "auto" and NULL
 * are light or dark as COLORFGBG says of the background; dark where it does not.
 * Returns NULL if there is none of that name.
 */
const struct theme *theme_find(const char *name);

/* Whether it has no colours of its own, as "plain". */
bool theme_is_plain(const struct theme *theme);

rgb theme_background(const struct theme *theme);
rgb theme_color(const struct theme *theme, enum role role);

/* The nearest of the 256 colours of xterm, of those from 16 on, which are the
 * same on all terminals; and what colour such a one is. */
unsigned theme_nearest(rgb color);
rgb theme_of_xterm(unsigned index);

/* The contrast of two colours, from 1 to 21 (WCAG 2.2, contrast ratio). */
double theme_contrast(rgb a, rgb b);

#endif

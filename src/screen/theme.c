/* SPDX-License-Identifier: MIT */
#include "screen/theme.h"

#include <stdlib.h>

/* What a role wants to be; a theme says which colour that is. */
enum hue {
    HUE_TEXT,
    HUE_BRIGHT,
    HUE_DIM,
    HUE_RED,
    HUE_GREEN,
    HUE_BLUE,
    HUE_CYAN,
    HUE_MAGENTA,
    HUE_YELLOW,
    HUE_ORANGE,
    HUES,
};

/* The registers that an instruction names, and REX, whose bits belong to them,
 * have three hues; what is new or now is yellow, what happened is green. */
static const enum hue hues[ROLES] = {
    [ROLE_HEADING] = HUE_BRIGHT,    [ROLE_NOTE] = HUE_DIM,
    [ROLE_WARNING] = HUE_RED,       [ROLE_ADDRESS] = HUE_BLUE,
    [ROLE_SOURCE] = HUE_BRIGHT,     [ROLE_CALL] = HUE_YELLOW,
    [ROLE_PROTECTION] = HUE_ORANGE, [ROLE_BYTE_NEW] = HUE_YELLOW,
    [ROLE_UNWRITTEN] = HUE_DIM,     [ROLE_PREFIX] = HUE_RED,
    [ROLE_REX] = HUE_MAGENTA,       [ROLE_OPCODE] = HUE_BRIGHT,
    [ROLE_MODRM] = HUE_BLUE,        [ROLE_SIB] = HUE_BLUE,
    [ROLE_DISPLACEMENT] = HUE_RED,  [ROLE_IMMEDIATE] = HUE_GREEN,
    [ROLE_REG] = HUE_MAGENTA,       [ROLE_INDEX] = HUE_ORANGE,
    [ROLE_BASE] = HUE_CYAN,         [ROLE_VVVV] = HUE_YELLOW,
    [ROLE_MNEMONIC] = HUE_BRIGHT,   [ROLE_CHANGED] = HUE_GREEN,
    [ROLE_RESULT] = HUE_GREEN,      [ROLE_FRAME] = HUE_DIM,
    [ROLE_JUMP] = HUE_ORANGE,       [ROLE_CURRENT] = HUE_YELLOW,
    [ROLE_EXECUTED] = HUE_GREEN,    [ROLE_NEXT] = HUE_BLUE,
    [ROLE_KEY] = HUE_YELLOW,
};

static const struct theme {
    const char *name;
    bool is_plain;
    rgb background;
    rgb colors[HUES];
} themes[] = {
    {"dark",
     false,
     0x1c1c1c,
     {[HUE_TEXT] = 0xd0d0d0,
      [HUE_BRIGHT] = 0xffffff,
      [HUE_DIM] = 0x9e9e9e,
      [HUE_RED] = 0xff8787,
      [HUE_GREEN] = 0x87d787,
      [HUE_BLUE] = 0x87afff,
      [HUE_CYAN] = 0x5fd7d7,
      [HUE_MAGENTA] = 0xff87ff,
      [HUE_YELLOW] = 0xffd75f,
      [HUE_ORANGE] = 0xffaf5f}},
    {"light",
     false,
     0xffffff,
     {[HUE_TEXT] = 0x303030,
      [HUE_BRIGHT] = 0x000000,
      [HUE_DIM] = 0x626262,
      [HUE_RED] = 0xaf0000,
      [HUE_GREEN] = 0x005f00,
      [HUE_BLUE] = 0x0000d7,
      [HUE_CYAN] = 0x005f87,
      [HUE_MAGENTA] = 0x870087,
      [HUE_YELLOW] = 0x5f5f00,
      [HUE_ORANGE] = 0x875f00}},
    {"contrast",
     false,
     0x000000,
     {[HUE_TEXT] = 0xffffff,
      [HUE_BRIGHT] = 0xffffff,
      [HUE_DIM] = 0xd0d0d0,
      [HUE_RED] = 0xffafaf,
      [HUE_GREEN] = 0x87ff87,
      [HUE_BLUE] = 0xafd7ff,
      [HUE_CYAN] = 0x5fffff,
      [HUE_MAGENTA] = 0xffafff,
      [HUE_YELLOW] = 0xffff00,
      [HUE_ORANGE] = 0xffd787}},
    {"plain", true, 0, {0}},
};

/* "15;0": the colours of the terminal by number, the background last; 7 and 15
 * are white. */
static bool is_light_terminal(void)
{
    const char *said = getenv("COLORFGBG");
    const char *last = said ? strrchr(said, ';') : NULL;

    return last && (!strcmp(last, ";7") || !strcmp(last, ";15"));
}

const struct theme *theme_find(const char *name)
{
    if (!name || !strcmp(name, "auto"))
        name = is_light_terminal() ? "light" : "dark";
    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++)
        if (!strcmp(themes[i].name, name))
            return &themes[i];
    return NULL;
}

bool theme_is_plain(const struct theme *theme)
{
    return theme->is_plain;
}

rgb theme_background(const struct theme *theme)
{
    return theme->background;
}

rgb theme_color(const struct theme *theme, enum role role)
{
    return theme->colors[hues[role]];
}

/* A cube of six levels for each of red, green and blue, then greys. */
rgb theme_of_xterm(unsigned index)
{
    static const unsigned levels[] = {0, 95, 135, 175, 215, 255};
    unsigned grey = 8 + 10 * (index - 232), cube = index - 16;

    if (index >= 232)
        return grey << 16 | grey << 8 | grey;
    return levels[cube / 36] << 16 | levels[cube / 6 % 6] << 8 |
           levels[cube % 6];
}

static unsigned part(rgb color, unsigned which)
{
    return color >> (8 * which) & 0xff;
}

unsigned theme_nearest(rgb color)
{
    unsigned best = 16, least = (unsigned)-1;

    for (unsigned i = 16; i < 256; i++) {
        unsigned distance = 0;

        for (unsigned which = 0; which < 3; which++) {
            int by =
                (int)part(color, which) - (int)part(theme_of_xterm(i), which);

            distance += (unsigned)(by * by);
        }
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

/* x to the power of 2.4, for x from 0 to 1: x squared, times the fifth root of
 * x squared. */
static double power(double x)
{
    double root = 1, square = x * x;

    for (int i = 0; i < 40; i++) /* Newton */
        root -= (root * root * root * root * root - square) /
                (5 * root * root * root * root);
    return square * root;
}

/* How bright a colour is, from 0 to 1 (WCAG 2.2, relative luminance). */
static double luminance(rgb color)
{
    static const double weights[] = {0.0722, 0.7152, 0.2126};
    double sum = 0;

    for (unsigned which = 0; which < 3; which++) {
        double share = part(color, which) / 255.0;

        sum +=
            weights[which] *
            (share <= 0.04045 ? share / 12.92 : power((share + 0.055) / 1.055));
    }
    return sum;
}

double theme_contrast(rgb a, rgb b)
{
    double one = luminance(a), other = luminance(b);

    return one > other ? (one + 0.05) / (other + 0.05)
                       : (other + 0.05) / (one + 0.05);
}

/* SPDX-License-Identifier: MIT */
/*
 * screen/pane.h - the parts of a screen, each one a function that draws it into
 * an area. For screen.c and pane_*.c only.
 *
 * The first row of a pane is a rule with its title; the rest is its body. An
 * area without rows is not drawn.
 */
#ifndef JITTRACE_SCREEN_PANE_H
#define JITTRACE_SCREEN_PANE_H

#include "tell/focus.h"
#include "screen/grid.h"
#include "screen/screen.h"

/* What all panes draw: a moment of a trace. */
struct moment {
    const struct screen *screen;
    struct history *history;
    uint64_t seq;
    const struct event *event; /* a copy: it stays valid */
    struct focus focus;
    struct grid *grid;
};

/* The state at that moment; valid until history_view is asked again. */
const struct view *moment_view(const struct moment *moment);

void pane_source(const struct moment *moment, struct area area);
void pane_page(const struct moment *moment, struct area area);
void pane_insn(const struct moment *moment, struct area area);
void pane_regs(const struct moment *moment, struct area area);
/* Whether the page pane shows another mapping than the one with the focus. */
bool pane_page_is_elsewhere(const struct moment *moment);

void pane_story(const struct moment *moment, struct area area);
void pane_output(const struct moment *moment, struct area area);

/* The table of keys, and what the marks mean, over all but the last row. */
void pane_help(struct grid *grid);

/* What pane_regs needs to show all registers at that width, in rows; where one
 * does not fit beside the other that depends on the values. */
unsigned pane_regs_rows(unsigned columns);

/* How many rows pane_story needs for the explanation of a crash, with its rule
 * and a line on what comes next; 0 if there is none. */
unsigned pane_story_rows(const struct moment *moment, unsigned columns);

/* pane.c: a pen for lines that are as wide as the area. */
struct pen pane_pen(struct area area);

/* Draws the rule: a title, and at its right end another if there is room; that
 * may be NULL. Releases the title. */
void pane_rule(struct grid *grid, struct area area, struct pen *title,
               const char *right);

/* The area below the rule. */
struct area pane_body(struct area area);

/* Puts a pen's lines into the body, from its first one on; releases it. */
void pane_fill(struct grid *grid, struct area area, struct pen *pen);

/* Marks the end of an area's last row: there was more to say. */
void pane_ellipsis(struct grid *grid, struct area area);

/* The terminal's cursor belongs there. */
void pane_cursor(struct grid *grid, unsigned row, unsigned column);

#endif

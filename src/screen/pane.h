/* SPDX-License-Identifier: MIT */
/*
 * screen/pane.h - the parts of a screen, each one function that says what is in
 * it. For screen.c and pane_*.c only.
 *
 *      ── title ──────────────────────────────────── right ──    the rule
 *      lines of the pen                                          the body
 *
 * A new pane is a function here, a line in the table of screen.c, and its rows
 * in the tables of the layout there.
 */
#ifndef JITTRACE_SCREEN_PANE_H
#define JITTRACE_SCREEN_PANE_H

#include "tell/explain.h"
#include "tell/focus.h"
#include "screen/grid.h"
#include "screen/screen.h"

/* What all panes are about: a moment of a trace. */
struct moment {
    const struct screen *screen;
    struct history *history;
    uint64_t seq;
    const struct event *event; /* a copy: it stays valid */
    struct focus focus;
    struct explanation *explanation; /* or NULL: there is none of it */
    struct grid *grid;
    bool two_columns; /* the listing has a pane of its own, as the stack */
};

/* The state at that moment; valid until history_view is asked again. */
const struct view *moment_view(const struct moment *moment);

/* What the event has changed of the registers: of a step what it says; where
 * control comes back, what the function outside has. list has room for
 * REG_COUNT, or wide for VREG_COUNT, whose values borrow *before and *after. */
struct reg_changes moment_changes(const struct moment *moment,
                                  struct reg_change *list);
struct vreg_changes moment_vregs(const struct moment *moment,
                                 struct vregs *before, struct vregs *after,
                                 struct vreg_change *wide);

/* A pane that is being drawn: pane_begin, what it holds, pane_end. */
struct pane {
    struct area area; /* its first row is the rule */
    struct area body; /* the others */
    bool bare;        /* there is no rule */
    struct pen title;
    struct buf right;  /* left out where there is no room */
    struct pen pen;    /* is put into the body ... */
    unsigned from;     /* ... from this line on */
    bool has_ellipsis; /* its last row says that there was more */
};

/* area has a row at least. */
struct pane pane_begin(struct area area);
/* Draws rule and lines, and releases what the pane holds. */
void pane_end(struct pane *pane, struct grid *grid);

/* How many lines a pen has. */
unsigned pane_lines(const struct pen *pen);

/* Marks the end of an area's last row: there was more to say. */
void pane_ellipsis(struct grid *grid, struct area area);

/* The terminal's cursor belongs there. */
void pane_cursor(struct grid *grid, unsigned row, unsigned column);

/* What each of them holds; a part may be drawn to moment->grid at once. */
void pane_source(const struct moment *moment, struct pane *pane);
/* The listing of code around addr; current: the event is about that. */
void pane_listing(const struct moment *moment, uint64_t addr, bool current,
                  struct pane *pane);
/* The same of the instruction that the event is about, if there is one. */
void pane_code(const struct moment *moment, struct pane *pane);
void pane_page(const struct moment *moment, struct pane *pane);
/* Where pane_page looks; returns false if there is no memory for code yet. Its
 * title, of the region there. */
bool pane_page_addr(const struct moment *moment, uint64_t *addr);
void pane_page_title(const struct moment *moment, const struct region *region,
                     struct pen *title);
/* The whole mapping instead, a sign for each byte or for several. */
void pane_zoom(const struct moment *moment, const struct region *region,
               struct pane *pane);
void pane_insn(const struct moment *moment, struct pane *pane);
/* How many fields of the instruction that shows, and the one at a place of a
 * grid that it was drawn to, from 1 on; 0: none. */
unsigned pane_fields(const struct moment *moment);
unsigned pane_field_at(const struct moment *moment, const struct grid *grid,
                       unsigned row, unsigned column);
/* What the field or the term that the screen explains means. */
void pane_explain(const struct moment *moment, struct pen *title,
                  struct pen *pen);
/* Where there is no instruction: what the kernel was asked for. */
void pane_call(const struct moment *moment, struct pane *pane);
/* Where no registers are known: the storing instruction, or the memory. */
void pane_instead_of_registers(const struct moment *moment, struct pane *pane);
void pane_regs(const struct moment *moment, struct pane *pane);
void pane_stack(const struct moment *moment, struct pane *pane);
void pane_vectors(const struct moment *moment, struct pane *pane);
void pane_story(const struct moment *moment, struct pane *pane);
void pane_output(const struct moment *moment, struct pane *pane);

/* The table of keys, and what the marks mean, over all but the last row. */
void pane_help(const struct screen *screen, struct grid *grid);

/* The address that an event about a mapping names; NULL: it is about none. */
const uint64_t *pane_mapping(const struct event *event);

/* What pane_regs needs to show all registers at that width, in rows; where one
 * does not fit beside the other that depends on the values. */
unsigned pane_regs_rows(unsigned columns);

/* The rows that each of these is to have. */
unsigned pane_vectors_rows(void);
unsigned pane_stack_rows(void);
unsigned pane_zoom_rows(const struct moment *moment, unsigned columns);

/* How many rows pane_story needs for an explanation, with its rule: of a crash,
 * with a line on what comes next, or of a word; 0 if there is none. */
unsigned pane_story_rows(const struct moment *moment, unsigned columns);

#endif

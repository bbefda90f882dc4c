/* SPDX-License-Identifier: MIT */
/*
 * diff/flow.h - two threads that execute the same code, step by step: what each
 * instruction was given, and what it made of that.
 *
 * A CPU makes the same of the same. So what an instruction has made differs for
 * one of three reasons, and only the first two are told:
 *
 *     it is another instruction, or was given something else
 *     what it was given differs since the code was entered: an argument
 *     it was given an address, or what was made of one
 *
 * A register is therefore in one of four states: the same on both sides; other
 * since the entry, and not used yet; loose, made of an address or of what
 * nobody knows; or other, as was told. Of what is stored the words that are
 * loose are remembered.
 */
#ifndef JITTRACE_DIFF_FLOW_H
#define JITTRACE_DIFF_FLOW_H

#include "cpu/insn.h"
#include "diff/same.h"
#include "trace/ranges.h"

struct flow {
    bool inside;          /* both are in generated code, side by side */
    uint64_t entered[2];  /* the events of these entries */
    struct regs entry[2]; /* the registers then */
    struct regs left[2];  /* those when control last left, if it did */
    bool has_left;
    uint32_t came;         /* registers that are other since then, unused */
    uint32_t loose;        /* whose value nothing is said of */
    uint32_t vectors_came; /* the same of vector registers */
    uint32_t vectors_loose;
    bool flags_loose;
    struct ranges words; /* of memory of the first side that are loose */
};

void flow_release(struct flow *flow);

/* What can be said of a pair of steps; called for each difference. class is an
 * enum diff_class; what and the two texts are borrowed. at_entry: it is about
 * the entries, not about these steps. */
struct flow_report {
    void (*say)(struct flow_report *report, int class, bool at_entry,
                const char *what, const char *left, const char *right);
};

/* Both threads enter generated code by these events, with the registers in the
 * views after them. again: a function that this code called comes back. */
void flow_enter(struct flow *flow, struct same *same, const struct event *a,
                const struct event *b, bool again);

/* Both left. */
void flow_leave(struct flow *flow, struct same *same, const struct event *a,
                const struct event *b, struct flow_report *report);

/* Two steps, and the states before and after them: the views of `same` are
 * those before, and are advanced by the caller only after flow_given(). */
struct flow_step {
    const struct event *event[2];
    struct insn insn[2];
    struct regs before[2], after[2];
    struct vregs vectors_before[2], vectors_after[2];
    bool returns[2]; /* to where the call that it is in was made */
    bool same_code;  /* but for addresses */
    unsigned inputs; /* GIVEN_ bits */
};
#define GIVEN_ADDRESS 1u /* the same, but not in number */
#define GIVEN_LOOSE   2u
#define GIVEN_OTHER   4u

/* What the instruction was given; fills inputs. */
void flow_given(struct flow *flow, struct same *same, struct flow_step *step,
                struct flow_report *report);

/* What it has made of that: registers, flags, memory, and where it led. Returns
 * whether both go on side by side. */
bool flow_made(struct flow *flow, struct same *same, struct flow_step *step,
               struct flow_report *report);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * observe/budget.h - what may be spent on watching, and what was.
 *
 * Only counting and deciding: nothing here knows a process. Who watches pays
 * for each thing when it has been seen; the answer says which budget that has
 * spent, at the very payment that spends it, so each is told once. A budget of
 * N lets N be seen, and 0 none at all.
 */
#ifndef JITTRACE_OBSERVE_BUDGET_H
#define JITTRACE_OBSERVE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct observe_budget {
#define BUDGET(name, word, value, help) uint64_t name;
#include "observe/budget.def"
};

enum budget {
#define BUDGET(name, word, value, help) BUDGET_##name,
#include "observe/budget.def"
    BUDGETS, /* none of them */
};

extern const struct observe_budget observe_default_budget;

/* "stores", "all-stores" ...: the word of limit events and options; what the
 * budget is about, for --help; its value, to be read or set. */
const char *budget_word(enum budget which);
const char *budget_help(enum budget which);
uint64_t *budget_value(struct observe_budget *budget, enum budget which);

/* What may be spent, and what was in all; what was spent in a region or a call
 * its owner has. */
struct spending {
    struct observe_budget max;
    uint64_t all_stores, data_stores, system_calls, steps, calls, refusals;
    uint64_t callers, output;
    uint64_t counted; /* calls, seen or not: see asked.h */
    uint64_t sought;  /* steps that were made in search of one */
    bool uncounted;   /* some calls were not */
    bool enough;      /* all that was asked for was seen */
};

/* Memory that a program never executed is watched in the hope that it will.
 * Once the budget for that is spent, so many stores into such a region are. */
#define BUDGET_DATA_STORES 256u

/* Pays for a store into a region, for a system call that is stopped at because
 * stores are watched, for a step of a call, for an entry, for a call about
 * memory that failed, for the callers of a store. Returns the budget that this
 * has spent, or BUDGETS. Where it has spent two, the one for all is told, which
 * says more; data_stores are spent for one region at a time, and are given back
 * (subtracted) when it turns out to be code. */
enum budget budget_pay_store(struct spending *spent, uint64_t *of_region,
                             bool is_code);
enum budget budget_pay_system_call(struct spending *spent);
enum budget budget_pay_step(struct spending *spent, uint64_t *of_call);
enum budget budget_pay_call(struct spending *spent);
enum budget budget_pay_refusal(struct spending *spent);
enum budget budget_pay_callers(struct spending *spent);

/* Pays for size bytes of output. Returns how many of them may be recorded;
 * *which is BUDGET_output when for the first time more were to be than may be,
 * else BUDGETS; a budget of 0 was spent from the start. */
uint64_t budget_pay_output(struct spending *spent, uint64_t size,
                           enum budget *which);

/* Whether there is anything left for stores, steps or entries in general, or
 * for the callers of stores. */
bool budget_has_stores(const struct spending *spent);
bool budget_has_steps(const struct spending *spent);
bool budget_has_calls(const struct spending *spent);
bool budget_has_callers(const struct spending *spent);

/* Whether entries are still to be noticed: some may be seen, or the number of
 * the call that the program dies in may be wanted. Four times as many are
 * counted as may be seen, if all of them were so far. */
bool budget_counts_calls(const struct spending *spent);

#endif

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

/* "stores", "all-stores" ...: the word of limit events and options. */
const char *budget_word(enum budget which);

/* What the budget is about, for --help. */
const char *budget_help(enum budget which);

/* The value of one budget, to be read or set. */
uint64_t *budget_value(struct observe_budget *budget, enum budget which);

/* What was spent in all; what was spent in a region or a call its owner has. */
struct spending {
    uint64_t all_stores;
    uint64_t data_stores;
    uint64_t system_calls;
    uint64_t steps;
    uint64_t calls;
    uint64_t output;
};

/*
 * Memory that a program never executed is watched in the hope that it will. Once
 * the budget for that is spent, such a region is watched for this many stores.
 */
#define BUDGET_DATA_STORES 256u

/*
 * Pays for a store into a region, for a system call that is stopped at because
 * stores are watched, for a step of a call, for an entry. Returns the budget
 * that this has spent, or BUDGETS. Where it has spent two, the one for all is
 * told, which says more; data_stores are spent for one region at a time.
 */
enum budget budget_pay_store(const struct observe_budget *budget,
                             struct spending *spent, uint64_t *of_region,
                             bool is_code);
enum budget budget_pay_system_call(const struct observe_budget *budget,
                                   struct spending *spent);
enum budget budget_pay_step(const struct observe_budget *budget,
                            struct spending *spent, uint64_t *of_call);
enum budget budget_pay_call(const struct observe_budget *budget,
                            struct spending *spent);

/*
 * Pays for size bytes of output. Returns how many of them may be recorded;
 * *which is BUDGET_output when for the first time more were to be than may be,
 * else BUDGETS; a budget of 0 was spent from the start.
 */
uint64_t budget_pay_output(const struct observe_budget *budget,
                           struct spending *spent, uint64_t size,
                           enum budget *which);

/* A region turned out to be code: its stores were none into data. */
void budget_return_stores(struct spending *spent, uint64_t of_region);

/* Whether there is anything left for stores, steps or entries in general. */
bool budget_has_stores(const struct observe_budget *budget,
                       const struct spending *spent);
bool budget_has_steps(const struct observe_budget *budget,
                      const struct spending *spent);
bool budget_has_calls(const struct observe_budget *budget,
                      const struct spending *spent);

#endif

/* SPDX-License-Identifier: MIT */
#include "observe/budget.h"

#include <stddef.h>

const struct observe_budget observe_default_budget = {
#define BUDGET(name, word, value, help) .name = value,
#include "observe/budget.def"
};

static const struct {
    const char *word;
    const char *help;
    size_t offset;
} budgets[] = {
#define BUDGET(name, word, value, help) \
    {word, help, offsetof(struct observe_budget, name)},
#include "observe/budget.def"
};

const char *budget_word(enum budget which)
{
    return budgets[which].word;
}

const char *budget_help(enum budget which)
{
    return budgets[which].help;
}

uint64_t *budget_value(struct observe_budget *budget, enum budget which)
{
    return (uint64_t *)(void *)((char *)budget + budgets[which].offset);
}

enum budget budget_pay_store(struct spending *spent, uint64_t *of_region,
                             bool is_code)
{
    uint64_t of_data = spent->max.data_stores < BUDGET_DATA_STORES
                           ? spent->max.data_stores
                           : BUDGET_DATA_STORES;

    ++*of_region;
    spent->data_stores += !is_code;
    if (++spent->all_stores == spent->max.all_stores)
        return BUDGET_all_stores;
    if (*of_region == spent->max.stores)
        return BUDGET_stores;
    return !is_code && spent->data_stores >= spent->max.data_stores &&
                   *of_region >= of_data
               ? BUDGET_data_stores
               : BUDGETS;
}

enum budget budget_pay_system_call(struct spending *spent)
{
    return ++spent->system_calls == spent->max.system_calls
               ? BUDGET_system_calls
               : BUDGETS;
}

enum budget budget_pay_step(struct spending *spent, uint64_t *of_call)
{
    ++*of_call;
    if (++spent->steps == spent->max.steps)
        return BUDGET_steps;
    return *of_call == spent->max.call_steps ? BUDGET_call_steps : BUDGETS;
}

enum budget budget_pay_call(struct spending *spent)
{
    return ++spent->calls == spent->max.calls ? BUDGET_calls : BUDGETS;
}

enum budget budget_pay_refusal(struct spending *spent)
{
    return ++spent->refusals == spent->max.refusals ? BUDGET_refusals : BUDGETS;
}

enum budget budget_pay_callers(struct spending *spent)
{
    return ++spent->callers == spent->max.callers ? BUDGET_callers : BUDGETS;
}

uint64_t budget_pay_output(struct spending *spent, uint64_t size,
                           enum budget *which)
{
    uint64_t most = spent->max.output;
    uint64_t left = spent->output < most ? most - spent->output : 0;

    *which = BUDGETS;
    if (size <= left) {
        spent->output += size;
        return size;
    }
    if (most > 0 && spent->output <= most)
        *which = BUDGET_output;
    spent->output = most + 1; /* one more than there may be: it was told */
    return left;
}

bool budget_has_stores(const struct spending *spent)
{
    return spent->max.stores > 0 && spent->all_stores < spent->max.all_stores &&
           spent->system_calls < spent->max.system_calls;
}

bool budget_has_steps(const struct spending *spent)
{
    return spent->max.call_steps > 0 && spent->steps < spent->max.steps;
}

bool budget_has_calls(const struct spending *spent)
{
    return spent->calls < spent->max.calls;
}

#define COUNTED 4

bool budget_counts_calls(const struct spending *spent)
{
    return !spent->enough &&
           (budget_has_calls(spent) ||
            (!spent->uncounted && spent->counted / COUNTED < spent->max.calls));
}

bool budget_has_callers(const struct spending *spent)
{
    return spent->callers < spent->max.callers;
}

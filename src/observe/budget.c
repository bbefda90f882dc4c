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

enum budget budget_pay_store(const struct observe_budget *budget,
                             struct spending *spent, uint64_t *of_region,
                             bool is_code)
{
    uint64_t of_data = budget->data_stores;

    if (of_data > BUDGET_DATA_STORES)
        of_data = BUDGET_DATA_STORES;
    ++*of_region;
    spent->data_stores += !is_code;
    if (++spent->all_stores == budget->all_stores)
        return BUDGET_all_stores;
    if (*of_region == budget->stores)
        return BUDGET_stores;
    return !is_code && spent->data_stores >= budget->data_stores &&
                   *of_region >= of_data
               ? BUDGET_data_stores
               : BUDGETS;
}

void budget_return_stores(struct spending *spent, uint64_t of_region)
{
    spent->data_stores -= of_region;
}

enum budget budget_pay_system_call(const struct observe_budget *budget,
                                   struct spending *spent)
{
    return ++spent->system_calls == budget->system_calls ? BUDGET_system_calls
                                                         : BUDGETS;
}

enum budget budget_pay_step(const struct observe_budget *budget,
                            struct spending *spent, uint64_t *of_call)
{
    ++*of_call;
    if (++spent->steps == budget->steps)
        return BUDGET_steps;
    return *of_call == budget->call_steps ? BUDGET_call_steps : BUDGETS;
}

enum budget budget_pay_call(const struct observe_budget *budget,
                            struct spending *spent)
{
    return ++spent->calls == budget->calls ? BUDGET_calls : BUDGETS;
}

uint64_t budget_pay_output(const struct observe_budget *budget,
                           struct spending *spent, uint64_t size,
                           enum budget *which)
{
    uint64_t left = 0;

    *which = BUDGETS;
    if (spent->output < budget->output)
        left = budget->output - spent->output;
    /* One byte more than there may be marks that it was told. */
    if (size > left && spent->output <= budget->output) {
        *which = budget->output ? BUDGET_output : BUDGETS;
        spent->output = budget->output + 1;
    } else if (size <= left) {
        spent->output += size;
    }
    return size < left ? size : left;
}

bool budget_has_stores(const struct observe_budget *budget,
                       const struct spending *spent)
{
    return budget->stores > 0 && spent->all_stores < budget->all_stores &&
           spent->system_calls < budget->system_calls;
}

bool budget_has_steps(const struct observe_budget *budget,
                      const struct spending *spent)
{
    return budget->call_steps > 0 && spent->steps < budget->steps;
}

bool budget_has_calls(const struct observe_budget *budget,
                      const struct spending *spent)
{
    return spent->calls < budget->calls;
}

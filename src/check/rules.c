/* SPDX-License-Identifier: MIT */
#include "check/rules.h"

#include <string.h>

enum { BROKEN, NOTE };
enum {
    STEPS = RULE_NEEDS_STEPS,
    STORES = RULE_NEEDS_STORES,
    MAPPINGS = RULE_NEEDS_MAPPINGS,
    CONVENTION = RULE_NEEDS_CONVENTION,
};

const struct rule_text rule_texts[RULES] = {
#define RULE(id, name, weight, needs, meaning, why, mend) \
    [RULE_##id] = {name, (weight) == NOTE, needs, meaning, why, mend},
#include "check/rules.def"
};

enum rule rule_find(const char *name)
{
    unsigned rule = 0;

    while (rule < RULES && strcmp(rule_texts[rule].name, name) != 0)
        rule++;
    return (enum rule)rule;
}

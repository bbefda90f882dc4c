/* SPDX-License-Identifier: MIT */
/*
 * check/rules.h - the rules as a table, made from check/rules.def.
 */
#ifndef JITTRACE_CHECK_RULES_H
#define JITTRACE_CHECK_RULES_H

#include <stdbool.h>
#include <stdio.h>

enum rule {
#define RULE(id, name, weight, needs, meaning, why, mend) RULE_##id,
#include "check/rules.def"
    RULES,
};

/* What must have been watched for a rule to be held. */
enum {
    RULE_NEEDS_STEPS = 1,      /* each instruction that ran */
    RULE_NEEDS_STORES = 2,     /* each store into code */
    RULE_NEEDS_MAPPINGS = 4,   /* each system call about memory */
    RULE_NEEDS_CONVENTION = 8, /* nothing: it is one of the psABI */
};

struct rule_text {
    const char *name;
    bool is_note; /* unless --strict */
    unsigned needs;
    const char *meaning;
    const char *why;
    const char *mend;
};

extern const struct rule_text rule_texts[RULES];

/* The rule of that name, or RULES. */
enum rule rule_find(const char *name);

#endif

/* SPDX-License-Identifier: MIT */
#include "cli/lesson.h"

#include <string.h>

static const uint8_t babyjit_program[] = {
#include "lessons/06-babyjit/babyjit.inc"
};

static const uint8_t babyjit_source[] = {
#include "lessons/06-babyjit/babyjit.c.inc"
};

static const struct lesson lessons[] = {
    {"babyjit", babyjit_program, sizeof babyjit_program, "babyjit.c",
     babyjit_source, sizeof babyjit_source},
};

const struct lesson *lesson_find(const char *name)
{
    for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++)
        if (strcmp(lessons[i].name, name) == 0)
            return &lessons[i];
    return NULL;
}

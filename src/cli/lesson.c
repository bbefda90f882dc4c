/* SPDX-License-Identifier: MIT */
#include "cli/lesson.h"

#include <string.h>

/* The arrays of all lessons, and lessons[] (lessons.awk writes it). */
#include "lessons/table.inc"

#define COUNT (sizeof lessons / sizeof *lessons)

const struct lesson *lesson_at(size_t index)
{
    return index < COUNT ? &lessons[index] : NULL;
}

const struct lesson *lesson_find(const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (!strcmp(lessons[i].directory, name) ||
            !strcmp(lessons[i].name, name))
            return &lessons[i];
    return NULL;
}

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
    for (size_t i = 0; i < COUNT; i++) {
        const char *directory = lessons[i].directory;
        const size_t digits = strcspn(directory, "-");

        if (!strcmp(directory, name) || !strcmp(lessons[i].name, name))
            return &lessons[i];
        if (*directory == '0' && strlen(name) < digits)
            directory++;
        if (strlen(name) == strcspn(directory, "-") &&
            !strncmp(directory, name, strlen(name)))
            return &lessons[i];
    }
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * support/equal.h - whether two events say the same.
 */
#ifndef JITTRACE_TESTS_SUPPORT_EQUAL_H
#define JITTRACE_TESTS_SUPPORT_EQUAL_H

#include "trace/event.h"

/* In every field; event_equal is independent of how events are kept. */
bool event_equal(const struct event *a, const struct event *b);

#endif

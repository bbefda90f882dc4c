/* SPDX-License-Identifier: MIT */
/*
 * check/convention.h - the rules of the calling convention (System V AMD64
 * psABI, 3.2) that are about how a call ends.
 *
 * Only a call from outside is judged that ends by a return to where it came
 * from: code that is entered or left by a jump has a convention of its own, and
 * so has what is called by other code than a C compiler's.
 */
#ifndef JITTRACE_CHECK_CONVENTION_H
#define JITTRACE_CHECK_CONVENTION_H

#include "check/calls.h"
#include "check/ledger.h"

/* Looks at an event that calls have taken and the view has not. */
void convention_look(struct calls *calls, struct ledger *ledger,
                     const struct event *event);

#endif

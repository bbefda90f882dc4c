/* SPDX-License-Identifier: MIT */
/*
 * check/callout.h - the rules of the calling convention that are about calls of
 * functions outside: the stack and the registers that they are given (psABI
 * 3.2.2 and 3.2.3), and what they and the kernel (A.2.1) do not give back.
 */
#ifndef JITTRACE_CHECK_CALLOUT_H
#define JITTRACE_CHECK_CALLOUT_H

#include "check/calls.h"
#include "check/ledger.h"

/* Looks at an event that neither calls nor the view have taken: what a step
 * reads is what was there before it. */
void callout_look(struct calls *calls, struct ledger *ledger,
                  const struct event *event);

#endif

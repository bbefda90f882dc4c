/* SPDX-License-Identifier: MIT */
/*
 * step/complete.h - what the word at the cursor of a line that is typed may become: the
 * word of a command, and behind one what it takes.
 */
#ifndef JITTRACE_STEP_COMPLETE_H
#define JITTRACE_STEP_COMPLETE_H

#include "step/typing.h"
#include "step/session.h"

/* Completes as far as there is no choice. If there is one, typing->more has
 * what may stand there, or says that nothing does. asking: what it is
 * for, a command of those that ask. */
void complete(struct session *session, enum command asking,
              struct typing *typing);

#endif

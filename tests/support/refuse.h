/* SPDX-License-Identifier: MIT */
/*
 * refuse.h - makes system calls fail for real, as on a machine, in a sandbox or
 * in a container that lacks what they do: by a seccomp filter.
 *
 * To be called in a child before exec (struct job, prepare); what that starts
 * inherits it. error 0 makes a call succeed and do nothing. Each returns 0, or
 * -1 with errno set.
 */
#ifndef JITTRACE_TESTS_SUPPORT_REFUSE_H
#define JITTRACE_TESTS_SUPPORT_REFUSE_H

#include <stdbool.h>
#include <stdint.h>

/* The call of that number. */
int refuse(int number, int error);

/*
 * The same if the low 32 bits of an argument (from 0) are these, or with `all`
 * false, if any of these bits is set in it.
 */
int refuse_if(int number, unsigned argument, uint32_t bits, bool all,
              int error);

#endif

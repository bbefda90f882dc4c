/* SPDX-License-Identifier: MIT */
/*
 * cli/doctor.h - jittrace --doctor: what works on this machine, and what to do
 * about the rest. It is what a report of a bug begins with.
 */
#ifndef JITTRACE_CLI_DOCTOR_H
#define JITTRACE_CLI_DOCTOR_H

#include "cli/options.h"

/*
 * Prints it. Returns 0 if the baby JIT can be shown in full here, else EX_OSERR;
 * or another status with err filled when it cannot be printed.
 */
int doctor(const struct options *options, struct err *err);

#endif

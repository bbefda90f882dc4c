/* SPDX-License-Identifier: MIT */
/*
 * summary.h - an event as one line, without what differs from run to run.
 *
 * Addresses appear as offsets only, numbers are decimal, bytes are hex without
 * blanks. What an event does not have is left out, with its blank:
 *
 *     start
 *     map PROT BACKING             map rw- anonymous
 *     write +OFFSET NEW [by CALL] [also] [by process]
 *                                  write +0 48c7c0 by read
 *     protect OLD NEW [CODE]       protect rw- r-x b807000000c3
 *     unmap LENGTH                 unmap 4096
 *     enter +OFFSET HOW            enter +0 call
 *     step +OFFSET TEXT            step +7 add rax, rdi
 *     leave HOW [VALUE]            leave return 42
 *     name NAME                    name fib
 *     output FD TEXT               output 1 42\n
 *     signal NAME [ACCESS]         signal SIGSEGV write
 *     limit BUDGET                 limit threads
 *     exit status N, exit signal N
 */
#ifndef JITTRACE_TESTS_SUPPORT_SUMMARY_H
#define JITTRACE_TESTS_SUPPORT_SUMMARY_H

#include "base/buf.h"
#include "trace/event.h"

/* Appends the line, without a newline. */
void summary(const struct event *event, struct buf *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * trace/signal_name.h - what a signal is called.
 *
 * sigabbrev_np() would say it, but only glibc has that, from 2.32 on. The
 * numbers are part of the kernel's ABI: signal(7).
 */
#ifndef JITTRACE_TRACE_SIGNAL_NAME_H
#define JITTRACE_TRACE_SIGNAL_NAME_H

/*
 * "SIGSEGV" for 11; lives for ever. NULL for a real-time signal and for any
 * number that is no signal's.
 */
const char *signal_name(int number);

#endif

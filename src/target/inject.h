/* SPDX-License-Identifier: MIT */
/*
 * target/inject.h - system calls that a tracee is made to do, or not to do.
 */
#ifndef JITTRACE_TARGET_INJECT_H
#define JITTRACE_TARGET_INJECT_H

#include "target/tracee.h"

/* At the STOP_FILTER of a call that is denied: lets it fail with ENOSYS as it
 * does where there is no tracer (SECCOMP_RET_TRACE in seccomp(2)). Or undoes
 * the entry into a call: afterwards the tracee stands in front of the syscall
 * instruction again and can be made to do other calls. Each returns 0, or -1
 * when the tracee is gone. */
int tracee_deny(struct tracee *tracee);
int tracee_rewind(struct tracee *tracee);

/* At the entry of a call: has the kernel do it with other first two arguments.
 * At its exit: puts the program's own back into the registers, which the kernel
 * leaves alone; so does tracee_rewind. Each returns 0, or -1 when the tracee is
 * gone. */
int tracee_substitute(struct tracee *tracee, uint64_t first, uint64_t second);
int tracee_put_back(struct tracee *tracee);

/* Finds the syscall instruction for calls of ours, in the vdso that the kernel
 * maps for everybody; once for each program. Returns false without a vdso. */
bool tracee_find_syscall(struct tracee *tracee);

/* Makes the tracee do a system call of ours, outside of any call of its own,
 * and puts its registers back. Signals that come meanwhile are held. Returns
 * the call's value or -errno, or INJECT_FAILED when the tracee or its vdso is
 * gone. What the filter stops at can be made if it is told from a program's own
 * (FILTER_PASS). */
#define INJECT_FAILED INT64_MIN
int64_t tracee_inject(struct tracee *tracee, uint64_t number, uint64_t first,
                      uint64_t second, uint64_t third);

/*
 * The same for a mprotect. `exactly` is for a process to which whatever it may
 * read is executable (READ_IMPLIES_EXEC, personality(2)): that is not added to
 * prot. Returns the call's result (0 or -errno), or 1 when the tracee is gone.
 */
int tracee_mprotect(struct tracee *tracee, uint64_t addr, uint64_t length,
                    unsigned prot, bool exactly);

/* Gets a tracee from its STOP_EXEC to the end of that call: it has executed
 * nothing yet, and calls of ours have results (before, the exec puts its own
 * into the register of the result). Returns 0, or -1 when it is gone. */
int tracee_finish_exec(struct tracee *tracee);

/* What a program has set for a signal, as the kernel takes it (rt_sigaction in
 * sigaction(2)). */
struct signal_action {
    uint64_t handler; /* or SIG_DFL or SIG_IGN */
    uint64_t flags;   /* SA_* */
    uint64_t restorer;
    uint64_t mask;
};

/* Makes the tracee set that for the signal. 32 bytes far below its stack
 * pointer are used for it and put back, or a page that goes away again. Signals
 * are not held but stay pending, so the stop may not be one whose signal is
 * still to be delivered. Returns 0, or -1 when that is not possible here. */
int tracee_set_action(struct tracee *tracee, int signal,
                      const struct signal_action *action);

/* Several signals are held, some of which the program blocks: these go back to
 * the kernel, where they are pending, but for SIGTRAP. Not during a call. */
void tracee_give_back(struct tracee *tracee);

/* Maps a page that it may read. Returns its address, or what is negative. Or
 * tries whether such a page, which goes away again, can be given a
 * protection. */
int64_t tracee_map_page(struct tracee *tracee);
bool tracee_can_protect_again(struct tracee *tracee, unsigned prot);

/* Whether tracee_break works on this machine: there are some that accept one
 * and never stop at it. A call of ours is made to find out. */
bool tracee_proves_break(struct tracee *tracee);

/* --- write protection that the program cannot see ------------------------- */

/*
 * A userfaultfd (userfaultfd(2)) write-protects pages beside their protection:
 * mprotect(2) and /proc/PID/maps know nothing of it, and we set and lift it
 * from our side, without a stop of the tracee. A store into such a page raises
 * SIGBUS with si_code BUS_ADRERR (UFFD_FEATURE_SIGBUS), and a system call that
 * is to write there fails with EFAULT. It ends with the mapping, with exec,
 * when a mapping is moved, and when its descriptor is closed, as when we die; a
 * forked child does not have it.
 *
 * Makes the tracee open a userfaultfd for its memory, takes that over and
 * closes it there. Returns a descriptor, which the caller closes, or -1 where
 * there is none: a kernel before 6.4, no permission, a sandbox (then the
 * tracee is not even asked: a sandbox may kill who makes an unusual call).
 */
int uffd_open(struct tracee *tracee);

/* Makes whole pages ready to be protected, once for each mapping; and protects
 * them, or not any more. Returns 0, or -1 if that kind of mapping cannot be:
 * private ones of files, and System V shared memory. */
int uffd_register(int fd, uint64_t addr, uint64_t length);
int uffd_protect(int fd, uint64_t addr, uint64_t length, bool protect);

/* --- whether what tracing needs works (tryout.c) -------------------------- */

/* What tryout_memory says if it is not the writing that fails. */
#define TRYOUT_READING "to read it (process_vm_readv, /proc/PID/mem)"

/* Whether what is written to a register, to the signal mask, or to the word at
 * addr stands there then; it is put back. Each returns NULL, or what it is that
 * fails, with errno: 0 if the kernel took it and nothing happened. */
const char *tryout_registers(struct tracee *tracee);
const char *tryout_mask(const struct tracee *tracee);
const char *tryout_memory(const struct tracee *tracee, uint64_t addr);

/* Tries out what tracing needs, on a tracee that was loaded and has executed
 * nothing: reading its memory, its registers and its mask and writing them
 * back, telling a system call's exit, one step, and a call of ours. Leaves it
 * at the end of the exec, as tracee_finish_exec does. Returns 0, also when the
 * tracee is gone, or -1 with err filled with cause and remedy. */
int tracee_try(struct tracee *tracee, struct err *err);

/* After tracee_resume failed for a tracee that has executed nothing: the same
 * for the cause that is in errno. */
int tracee_fails_to_run(struct err *err);

#endif

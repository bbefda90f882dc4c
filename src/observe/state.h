/* SPDX-License-Identifier: MIT */
/*
 * observe/state.h - what the files of this room share: the observer, its
 * threads and their address spaces.
 *
 *      observer 1 ---- n thread n ---- 1 space 1 ---- n region
 *
 * A thread is in one of these, and its next stop is read accordingly:
 *
 *      free      runs on its own; with a write guard armed in its space it
 *                also stops at system calls
 *      in a call between a system call's entry and its exit
 *      storing   one step with write guards lifted, then they are armed again
 *      inside    in generated code, one step after the other; may be storing
 *      resting   the same at full speed: a budget was spent (rest.c). It counts
 *                as free, but the guard of that region is lifted
 */
#ifndef JITTRACE_OBSERVE_STATE_H
#define JITTRACE_OBSERVE_STATE_H

#include "observe/observe.h"
#include "target/breakpoint.h"
#include "target/calls.h"
#include "target/entry.h"
#include "target/inject.h"
#include "target/lines.h"
#include "target/perfmap.h"
#include "target/proc.h"
#include "target/registers.h"
#include "target/tracee.h"
#include "trace/labels.h"
#include "trace/pages.h"
#include "trace/regions.h"
#include "trace/source.h"
#include "cpu/insn.h"

/* Of one access at most this many bytes are recorded (a cache line). */
#define ACCESS_BYTES 64
#define MAX_ACCESSES 4

#define ACTIONS 3 /* SIGSEGV, SIGBUS, SIGTRAP */

/* A file or shared memory that is mapped: see objects.c. */
struct object {
    uint64_t device;
    uint64_t inode;
    enum { OBJECT_UNKNOWN, OBJECT_ELF, OBJECT_OTHER } kind;
    bool executed; /* there is, or was, an executable mapping of it */
    bool told;     /* that it is a library */
};

/* What the program calls its code; all zero: nobody looks. */
struct names {
    bool watched;
    bool limited; /* there are too many: the rest is not read */
    size_t count; /* of the lines that were taken */
    struct perfmap map;
    struct labels unsaid; /* those that no event has told */
    struct labels said;   /* the others */
};

struct space {
    unsigned users;      /* threads that live in it */
    bool watched;        /* else its program runs on its own */
    bool started;        /* the entry point was reached */
    bool stores_off;     /* stores are not watched: see guard.c */
    bool frozen;         /* nothing new is guarded: see guard.c */
    int uffd;            /* write-protects its pages, or -1 */
    struct entry entry;  /* where its program begins */
    uint64_t changes;    /* counts what may have changed code */
    uint64_t calls;      /* counts calls that changed mappings, from 1 */
    uint64_t turns;      /* counts changes of guards and mappings */
    bool own_uffd;       /* the program has a userfaultfd: see order.c */
    bool counted;        /* watches_stores holds; else it is found anew */
    bool watches_stores; /* some write permission is held back */
    enum { EXECUTE_UNTRIED, EXECUTE_RETURNS, EXECUTE_IS_LOST } execute;
    unsigned writes_tried;  /* bit n: whether protection n with PROT_WRITE */
    unsigned writes_return; /* can be taken away was tried, and is so */
    bool implies_exec;      /* READ_IMPLIES_EXEC, see personality(2) */
    bool left_open;         /* a thread ended inside: guard_close_all is due */
    bool has_ring;          /* io_uring was told of */
    bool follows_brk;       /* there may be code in the heap */
    uint64_t brk;           /* the end of its heap, then */
    struct object *objects; /* those that were looked at */
    size_t object_count;
    size_t object_capacity;
    /* What that process has set for these signals: see actions.c. */
    pid_t actions_of; /* 0: it is not known of any */
    struct signal_action actions[ACTIONS];
    struct regions regions; /* what may hold code */
    struct pages pages;     /* the bytes that were seen being written there */
    struct names names;
};

/* Memory that an instruction is about to access, and what was there. */
struct access {
    struct insn_access what;
    uint8_t old_bytes[ACCESS_BYTES];
    uint32_t known; /* bytes of it that could be read */
};

struct accesses {
    struct access list[MAX_ACCESSES];
    size_t count;
};

/*
 * Instructions decoded lately. They hold while nothing was seen that could
 * change code; reading and decoding anew at each step costs a tenth of it.
 */
#define DECODED 32

struct decoded {
    uint64_t changes;          /* of the space, when they were decoded */
    struct insn list[DECODED]; /* by address; length 0: none */
};

/* Where a return leads to, and the stack pointer behind it. */
struct place {
    uint64_t pc; /* 0: not known */
    uint64_t sp;
};

/* A return into generated code that a leave has announced. */
struct awaited {
    struct place at;
    struct place back; /* where the function there will return to itself */
};
#define MAX_AWAITED 64

/* The rest of a stay in generated code, which is not stepped: see rest.c. */
struct rest {
    bool active;
    struct breakpoint stop; /* set where it returns to, if it can be */
    unsigned misses;        /* times that was another call's return */
    uint64_t start;         /* of the mapping it is in, cut or not */
    struct place back;      /* where it returns to */
};

struct run;

struct thread {
    struct tracee tracee;
    struct run *run;     /* that it belongs to */
    struct space *space; /* NULL until its parent's stop tells */

    bool running;  /* it was let go and no stop of it was read */
    bool has_stop; /* a stop of it was taken early, and is to be read: */
    struct stop stop;
    bool due; /* it stands still and is to go on, so: */
    enum resume due_how;
    int due_signal;

    bool in_call;
    bool queued;     /* at the entry of a call that is to wait: see order.c */
    bool lifted;     /* write guards are lifted for this call */
    unsigned undone; /* times that this call was undone: see foreign.c */
    struct call call;

    bool storing;
    bool beginning; /* a handler: its first instruction stops the thread */
    bool waiting;   /* to repeat an access, behind what another thread does */
    struct insn store_insn;
    struct regs store_regs; /* before it */
    struct accesses stores;

    bool inside;
    uint64_t inside_start; /* of the mapping it is in, cut or not */
    uint64_t steps;        /* of this stay, from its enter on */
    struct place back;     /* where this stay will return to */
    struct rest rest;
    struct insn insn; /* the one about to be executed; length 0: none */
    struct regs before;
    struct accesses accesses;
    struct decoded decoded;
    bool blocks_fault;  /* it was started with SIGSEGV blocked */
    bool from_terminal; /* the last signal was (Ctrl-Z) */
    uint64_t put_off;   /* the instruction that a signal came before, or 0 */
    unsigned insist;    /* that many steps are not put off by signals */
    int delivering;     /* the signal that goes with the step, or 0 */

    struct awaited awaited[MAX_AWAITED]; /* a ring, newest at count - 1 */
    unsigned awaited_count;
    const char *left_by;  /* how the last stay ended; or NULL */
    struct place left_to; /* and where to */

    uint64_t stops;    /* that were read of it */
    uint64_t seen;     /* turns of the space, when it was let go */
    bool settled;      /* nothing has turned since that could matter */
    bool raised_again; /* the fault that is due is: see signals.c */
    struct fault_place {
        uint64_t pc;
        uint64_t addr;
        uint64_t stop;    /* the number of its stop */
        uint64_t turns;   /* of the space, when that had been read */
        unsigned repeats; /* under the same guards */
        unsigned retries; /* under others each time */
    } last_fault;
};

struct run {
    struct source source;
    bool started; /* the start event was emitted */
    struct observe_budget budget;
    struct lines *lines;
    pid_t root;
    bool has_strangers;    /* we have children that are not of the program */
    struct opt_u64 status; /* of the root, once it has ended */
    struct opt_u64 signal;
    uint64_t seq;
    struct spending spent;
    enum { REGISTERS_UNTRIED, REGISTERS_STOP, REGISTERS_NEVER_STOP } registers;
    bool told_returns; /* that some returns are not seen */
    bool ending;       /* by observe_end */
    bool ended;

    struct thread **threads;
    size_t thread_count;
    size_t thread_capacity;

    struct event **queue; /* events that wait for source_next */
    size_t queue_first;
    size_t queue_count;
    size_t queue_capacity;
    struct event *current; /* what source_next returned last */
};

/* --- observer.c ---------------------------------------------------------- */

/* Queues a copy of the event with the next number. */
void report_event(struct run *run, struct event *event);

/* Says that something is not watched any more. addr 0: not about a region. */
void report_limit(const struct thread *thread, const char *budget,
                  uint64_t addr, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * What a thread is to do next. It does so when the reader asks for more than
 * is queued: until then it stands where the last event happened.
 */
void observer_let(struct thread *thread, enum resume how, int signal);

/* Lets a thread go on in whatever it was doing. */
void observer_resume(struct thread *thread);

/* Gives all threads the CPUs back that the program gave them. */
void run_unpin(struct run *run);

/* Lets a thread that runs free go on, with a signal that is held for it. */
void observer_run(struct thread *thread);

/* Resumes the thread at once: what observer_let asks for in the end. */
void observer_go(struct thread *thread, enum resume how, int signal);

/* --- order.c ------------------------------------------------------------- */

/*
 * Whether the call at whose entry the thread stands must wait for one of
 * another thread. If so, order_next goes on with it.
 */
bool order_must_wait(const struct thread *thread);

/* Whether a call is under way that may take [addr, addr + length) away, or
 * change its protection, in this very moment. */
bool order_in_doubt(const struct run *run, const struct space *space,
                    uint64_t addr, uint64_t length);

/* A thread whose call may begin now, or NULL. */
struct thread *order_next(struct run *run);

/* --- threads.c ----------------------------------------------------------- */

/* The thread of that ID, or NULL. */
struct thread *thread_find(struct run *run, pid_t tid);

/* Adds a thread that has no space yet. */
struct thread *thread_add(struct run *run, const struct tracee *tracee);
void thread_remove(struct thread *thread);

/* A space that nobody lives in yet. The last user that leaves frees it. */
struct space *space_new(bool watched);
void space_leave(struct space *space);

/* Moves a thread to another space, or to none (NULL). */
void thread_move(struct thread *thread, struct space *space);

/* The thread has made another thread or process. */
void child_made(struct thread *thread, const struct stop *stop);

/* Before a call that makes a thread: does not guard what the kernel will write
 * to on its own. */
void child_unguard(struct thread *parent);

/* Says that a child is not watched, because of "fork" or "exec". */
void child_unwatched(const struct thread *child, const char *how);

/*
 * Lets a child go on whose parent was killed before it told of it. parent is
 * the space that it has a copy of, or NULL if that is not known.
 */
void child_free_orphan(struct thread *child, const struct space *parent);
void child_free_orphans(struct run *run, const struct space *parent);

/* --- signals.c ----------------------------------------------------------- */

/* A signal is about to be delivered to the thread; its registers are fetched. */
void signal_stopped(struct thread *thread, const siginfo_t *info);

/*
 * The next signal that is held for the thread, or 0, and tells of it. It must
 * go with the next resume. One that the program blocks by now is not told of,
 * as the kernel keeps it pending; it does not go with a step (RESUME_STEP).
 */
int signal_take(struct thread *thread, bool step);

/*
 * The program has set the trap flag to step itself, and traps of ours could not
 * be told from its own: from now on it gets them all.
 */
void signal_own_traps(struct thread *thread);

/* --- actions.c ----------------------------------------------------------- */

/* A program was loaded: some signals may have been ignored before. */
void actions_inherited(struct thread *thread);

/* thread->call begins: it may set an action. */
void actions_set(struct thread *thread);

/*
 * SIGSEGV, SIGBUS or SIGTRAP was forced upon the thread, and not by what the
 * program did: gives back what that has undone.
 */
void actions_forced(struct thread *thread, int signal);

/* The same for SIGTRAP after any number of steps, if it is ignored. */
void actions_restore_trap(struct thread *thread);

/* A child was forked before the entry point, which it will arrive at by itself:
 * it has set what its parent had. */
void actions_copy(const struct space *parent, struct thread *child);

/* The same as actions_restore_trap in a child that has a copy of that space,
 * and was made to step. */
void actions_restore_copy(const struct space *space, struct thread *child);

/*
 * Whether the program handles the signal and that is undone at this moment: by
 * a fault of its own, or by one of another thread at a guard, whose stop is yet
 * to be read.
 */
bool actions_lack(const struct thread *thread, int signal);

/* The signal was sent and is about to be delivered, so it was not blocked: what
 * the program has set for it must be in force. */
void actions_restore(struct thread *thread, int signal);

/* Whether the program handles it, and a guard could undo that for a moment. */
bool actions_endangered(const struct thread *thread, int signal);

/* Whether the program ignores the signal; only known of those three. */
bool actions_ignore(const struct thread *thread, int signal);

/* The program has got the signal; forced means that it raised it itself. */
void actions_delivered(struct thread *thread, int signal, bool forced);

/* --- guard.c ------------------------------------------------------------- */

/* The protection that pages have while `taken` is held back by mprotect. */
unsigned guard_prot(const struct region *region, unsigned taken);

/* The protection that the system shows of a region as it is guarded now. */
unsigned guard_shown(const struct region *region);

/*
 * Holds back `taken` of a region, and gives the rest back. Returns 0, or -1
 * when the tracee is gone or the system refused, which is then told by a limit
 * event and ends the watching of that region.
 */
int guard_set(struct thread *thread, struct region *region, unsigned taken);

/*
 * Lets the code at addr be executed: the pages around it, or all of the region
 * if it is small or some are open already. Returns as guard_set.
 */
int guard_let_execute(struct thread *thread, struct region *region,
                      uint64_t addr);

/* Holds back again what that has opened of a large region. */
int guard_close_window(struct thread *thread, struct region *region);

/*
 * The program's own mprotect has set the protection of a region, and with it
 * given back what mprotect held back.
 */
void guard_overruled(struct region *region);

/*
 * Something that undoes guards without a change of protection was done to a
 * region: holds back again what was.
 */
int guard_renew(struct thread *thread, struct region *region);

/*
 * Opens some pages of a region whose write permission is held back for a store
 * into [addr, addr + size), or closes them again. As the others see it, it is
 * held back all the time if only these pages can be opened.
 */
void guard_open(struct thread *thread, struct region *region, uint64_t addr,
                uint64_t size);
void guard_close(struct thread *thread, struct region *region, uint64_t addr,
                 uint64_t size);

/* Holds back what is wanted of a region and the program has. */
int guard_arm(struct thread *thread, struct region *region);

/* The same for all regions that lie in [addr, end), with as few calls of the
 * tracee as may be; where calls of other threads may write, behind these. */
void guard_arm_range(struct thread *thread, uint64_t addr, uint64_t end);

/* Whether execution is wanted of the region, and not held back. */
bool guard_lacks_execution(const struct region *region);

/*
 * Does not want these permissions of a region any more and gives them back.
 * Returns as guard_set.
 */
int guard_drop(struct thread *thread, struct region *region, unsigned prot);

/*
 * The same for all regions; what comes later is not guarded either. budget and
 * why become a limit event.
 */
void guard_drop_stores(struct thread *thread, const char *budget,
                       const char *why);
void guard_drop_all(struct thread *thread, const char *budget, const char *why);

/* The program has a userfaultfd of its own: gives up ours, and with it the
 * watching of stores. */
void guard_drop_uffd(struct thread *thread);

/* Gives back the write permission of memory that the kernel writes to by itself:
 * a stack for signal handlers, what belongs to a thread. */
void guard_drop_stack(struct thread *thread, uint64_t addr, uint64_t length);

/* Whether any region of the space has its write permission held back. */
bool guard_watches_stores(struct space *space);

/*
 * Whether the threads of the space must stop at system calls, which could fail
 * at a guard: while one is armed; and always if there are several threads, for
 * one may arm it while another one runs. And while there may be code in the
 * heap: programs that only have a heap would stop at brk(2) all the time, if
 * the filter caught it.
 */
bool guard_needs_calls(struct space *space);

/*
 * Holds back what is wanted of a region that threads may know of whose system
 * calls are under way; where one of these may write there, behind that call.
 */
int guard_arm_behind_calls(struct thread *thread, struct region *region);

/* The same for its write permission alone. */
int guard_arm_writes(struct thread *thread, struct region *region);

/* --- stores.c ------------------------------------------------------------ */

/*
 * The instruction at pc is about to be stepped. If a signal has put it off, the
 * next ones wait until it and some more are executed: where they come faster
 * than we step, the program would not get on.
 */
void observer_insist(struct thread *thread, uint64_t pc);

/* One of those steps is about to be made. */
void observer_step(struct thread *thread);

/* Decodes what the program has at pc; length 0 if that is no instruction. */
void access_decode(const struct thread *thread, uint64_t pc, struct insn *out);

/* Notes what insn will access and what is there before. */
void access_prepare(struct accesses *accesses, pid_t pid,
                    const struct insn *insn, const struct regs *regs);

/*
 * Whether another thread makes a store now. It is alone while it does so, as
 * pages are open; then this one waits and repeats its own.
 */
bool store_must_wait(const struct thread *thread);

/* Stops a thread that runs in user code at once. */
void store_stop(struct thread *thread);

/*
 * Stops the other threads of the space that run code of their own. Whatever
 * they stop for is read later, in its turn.
 */
void store_stop_others(struct thread *thread);

/* Lets those go on that waited for a store. */
void store_let_others(struct run *run, const struct space *space);

/* thread->store_insn faulted: lifts the guards in its way and steps it. */
void store_begin(struct thread *thread, uint64_t fault_addr);

/* The store was executed: tells of it and arms the guards again. */
void store_end(struct thread *thread);

/* The store did not take place: arms the guards again. */
void store_abort(struct thread *thread);

/* Lifts the write guards that a system call could fail at. */
void stores_lift_for_call(struct thread *thread);

/* Tells what the kernel wrote, and arms them again. */
void stores_after_call(struct thread *thread);

/* Tells of bytes of a region that `by` has changed; source: who called. */
void store_tell(struct thread *thread, struct region *region, uint64_t addr,
                struct bytes old, struct bytes new, const char *by);

/* --- objects.c ----------------------------------------------------------- */

/* Notes what a region is made from; its line of maps is given. */
void object_set(struct region *region, const struct maps_line *line);

/* Whether two regions are made from the same object. */
bool object_is_same(const struct region *region, const struct region *other);

/*
 * Finds the executable region that has the same memory as [addr, addr + len)
 * of another region, in which these bytes are, and where in it. NULL: none.
 */
struct region *object_twin(const struct thread *thread,
                           const struct region *region, uint64_t addr,
                           struct bytes bytes, uint64_t *also);

/* Whether the program can store to the region's memory through a mapping whose
 * stores are not watched. */
bool object_is_open(const struct space *space, const struct region *region);

/*
 * Whether the line is one of a library or program, an ELF file. fd is the
 * program's descriptor of it, or -1.
 */
bool object_is_library(struct thread *thread, int fd,
                       const struct maps_line *line);

/* The line is known to be such a one. */
void object_set_library(struct space *space, const struct maps_line *line);

/* Tells once that such a file is not watched, and what it is. */
void object_tell_library(struct thread *thread, const struct maps_line *line,
                         const char *what);

/* Whether that was told. */
bool object_is_told(struct space *space, const struct maps_line *line);

/* Whether what is stored through a shared mapping may be executed by another:
 * it is so already, or the object is made for sharing memory. */
bool object_may_hold_code(struct space *space, const struct maps_line *line);

/*
 * The object of the line is mapped for execution. Returns whether there may be
 * mappings of it that are not known, for they were of no interest so far.
 */
bool object_set_executed(struct space *space, const struct maps_line *line);

/* --- foreign.c ----------------------------------------------------------- */

/*
 * A system call of the thread, watched or not, is about to begin: it may write
 * to the memory of another process. Returns false when it was undone, for the
 * other one has to get on first; it begins again.
 */
bool foreign_before(struct thread *thread);

/* --- code.c -------------------------------------------------------------- */

/* Control arrived at a region: tells of it, if it is news, and steps on. */
void stay_enter(struct thread *thread, struct region *region);

/* Holds back again what was given back for a thread that was inside. */
void guard_close_all(struct thread *thread);

/* One step was made inside. */
void stay_stepped(struct thread *thread);

/* What was to be stepped was done otherwise: something else comes next. */
void stay_moved(struct thread *thread);

/* A system call inside has returned, or was interrupted. */
void stay_called(struct thread *thread);

/* Makes the next step inside, with a signal that is held. */
void stay_step(struct thread *thread);

/*
 * The bytes of a region from its first to its last written one, as they are in
 * memory now. For an entry at pc more than a page is cut to what no event has
 * carried; of a region beyond the budget only the pages at pc are read. pc == 0
 * asks for all there is. Returns false when there are none.
 */
bool bytes_of_code(struct thread *thread, struct region *region, uint64_t pc,
                   struct buf *out, uint64_t *offset);

/*
 * Reads a page of a region as it is and tells of changed bytes as written `by`.
 * Nothing is told when by is NULL: it is known why nobody saw the stores.
 */
void bytes_refresh(struct thread *thread, struct region *region, uint64_t addr,
                   const char *by);

/* Reads a region that may hold what nobody has seen being stored: it is about
 * to be compared with what is known of it. */
void bytes_know(struct thread *thread, struct region *region);

/* Notes that bytes of a region have changed. */
void bytes_changed(struct region *region, uint64_t addr, size_t size);

/* --- place.c ------------------------------------------------------------- */

/*
 * Whether the thread is in a system call that the C library makes for itself,
 * as for the blocks of malloc: its own code has called its function.
 */
bool place_is_c_library(struct thread *thread);

/*
 * Names the place of an instruction: a function, or where in generated code it
 * is (trace/event.h, symbol of a write). NULL if neither is known. The text may
 * be in room, which is empty; else it lives as long as the thread->run's lines.
 */
const char *place_name(const struct thread *thread, uint64_t pc,
                       struct buf *room);

/* --- names.c ------------------------------------------------------------- */

/* A program was loaded, and nothing of it has run. */
void names_begin(struct thread *thread);
void names_release(struct names *names);

/* Tells what the program calls the code in [addr, addr + length). */
void names_tell(struct thread *thread, uint64_t addr, uint64_t length);

/* The same, and forgets it: that code goes away. */
void names_forget(struct thread *thread, uint64_t addr, uint64_t length);

/* The same for all code that there is: the program has ended. */
void names_tell_all(struct thread *thread);

/*
 * Control is outside of generated code: every region is guarded again, or none
 * any more if all entries are spent that may be seen.
 */
void guard_close_all(struct thread *thread);

/* Tells how control left, with these registers behind it. */
void arrive_tell_leave(struct thread *thread, const char *how,
                       const struct regs *now);

/* --- arrive.c ------------------------------------------------------------ */

/*
 * How control arrived, of which only the result is seen: "call", "jump",
 * "return" or "signal". Sets thread->back.
 */
const char *arrive_how(struct thread *thread, const struct regs *regs);

/* Whether a call instruction ends at addr. */
bool arrive_follows_call(pid_t pid, uint64_t addr);

/* Notes that control will come back there, to a function that returns to
 * thread->back; the oldest is forgotten when there are too many. */
void arrive_await(struct thread *thread, struct place at);

/* Whether that return was awaited; if so it is so no longer, and neither are
 * those that were to come before. *back is where that function returns to. */
bool arrive_awaited(struct thread *thread, struct place at, struct place *back);

/* --- rest.c -------------------------------------------------------------- */

/* Lets the rest of this stay run at full speed. */
void run_on_begin(struct thread *thread, struct region *region);

/* Whether a fetch from the region goes on with that, so that it is no entry. */
bool run_on_covers(const struct thread *thread, const struct region *region);

/* Whether this trap is that of the breakpoint. */
bool run_on_is_trap(const struct thread *thread, const siginfo_t *info);

/* A system call is about to begin: if others may come to execute, read or change
 * the code that the breakpoint lies in, it goes away. */
void run_on_before_call(struct thread *thread);

/* Control arrives at a region: if it is where the rest of a stay in another one
 * returns to, that has ended. */
void run_on_returned(struct thread *thread);

/* The breakpoint was hit: perhaps the end of the rest. */
void run_on_trapped(struct thread *thread);

/*
 * The thread stands where a call of ours may be made: if control is no longer
 * in generated code, what is guarded there is guarded again.
 */
void run_on_look(struct thread *thread);

/* --- robust.c ------------------------------------------------------------ */

/*
 * A system call is about to begin, or a signal to be delivered: if it ends the
 * thread or its process, gives up the regions that the kernel writes to then.
 * In front of a call that is about to begin again in_call is false then.
 */
void robust_before_call(struct thread *thread);
void robust_before_signal(struct thread *thread, int signal);

/* --- syscalls.c ---------------------------------------------------------- */

/* A system call is about to begin, or has ended. */
void calls_before(struct thread *thread);
void calls_after(struct thread *thread);

/* --- mappings.c ---------------------------------------------------------- */

/* The program stands at its entry point: looks at what it has. */
void maps_begin(struct thread *thread);

/*
 * A fault where no region is: takes in what a stack that holds code has grown
 * by. Returns whether it has.
 */
bool maps_grown(struct thread *thread, uint64_t addr);

/*
 * A system call is about to begin, has done what it was asked to, or has
 * failed, perhaps after half of its work: what of this concerns mappings.
 */
void maps_before(struct thread *thread);
void maps_after(struct thread *thread);
void maps_refused(struct thread *thread);

/* Everything the space had is gone (exec). */
void maps_forget(struct thread *thread);

#endif

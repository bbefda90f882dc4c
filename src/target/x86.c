/* SPDX-License-Identifier: MIT */
/*
 * x86-64: the registers as ptrace has them, and where single-stepping shows.
 *
 * The kernel keeps the trap flag that PTRACE_SINGLESTEP sets out of the
 * registers that it shows, behind a popf too (get_flags in
 * arch/x86/kernel/ptrace.c); one that is set by the tracer is the tracee's own
 * (set_flags there). A program can see it in three places all the same: pushf
 * stores it, popf keeps it, syscall copies it to r11 (Intel SDM vol. 1,
 * 3.4.3.3; vol. 2, SYSCALL).
 */
#include "target/registers.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <ucontext.h>

#include "cpu/calling.h"
#include "target/machine.h"
#include "target/proc.h"

#define TRAP_FLAG      0x100u /* Intel SDM vol. 1, 3.4.3.3 */
#define DIRECTION_FLAG 0x400u

/* The CPU sets it in what a fault saves, so that the instruction is not caught
 * twice; no program ever sees it (Intel SDM vol. 3, 18.3.1.1). */
#define RESUME_FLAG 0x10000u

/* What the kernel puts into rax of a call that it will make anew, and is never
 * seen by a program: -ERESTARTSYS to -ERESTART_RESTARTBLOCK. */
#define RESTART_FIRST (-512)
#define RESTART_LAST  (-516)

/* What is lent as a stack pointer: an address where nothing is. */
#define LENT_STACK UINT64_C(0x10)

/* The kernel's selector for code of 64 bits (__USER_CS). */
#define CODE_64 0x33

/* The frame of a signal handler begins with a return address, then comes a
 * struct ucontext (struct rt_sigframe in arch/x86/include/asm/sigframe.h),
 * whose general registers are those of ucontext_t (sys/ucontext.h). */
#define FRAME_REGISTERS \
    (sizeof(uint64_t) + offsetof(ucontext_t, uc_mcontext.gregs))

const enum reg machine_dwarf_register[MACHINE_DWARF_REGISTERS] = {
    X86_RAX, X86_RDX, X86_RCX, X86_RBX, X86_RSI, X86_RDI,
    X86_RBP, X86_RSP, X86_R8,  X86_R9,  X86_R10, X86_R11,
    X86_R12, X86_R13, X86_R14, X86_R15, X86_RIP,
};

/* push rbp; mov rbp, rsp, which has two encodings; endbr64 before it where the
 * CPU checks the targets of jumps (Intel SDM vol. 2). */
bool machine_sets_frame(const uint8_t *code, size_t len, uint64_t offset)
{
    static const uint8_t sets[2][4] = {{0x55, 0x48, 0x89, 0xe5},
                                       {0x55, 0x48, 0x8b, 0xec}};
    static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
    size_t at = 0;

    if (len >= sizeof endbr && memcmp(code, endbr, sizeof endbr) == 0)
        at = sizeof endbr;
    return len >= at + sizeof *sets && offset >= at + sizeof *sets &&
           (memcmp(code + at, sets[0], sizeof *sets) == 0 ||
            memcmp(code + at, sets[1], sizeof *sets) == 0);
}

/* --- the registers -------------------------------------------------------- */

bool tracee_is_64bit(const struct tracee *tracee)
{
    return tracee->regs.cs == CODE_64;
}

int tracee_fetch(struct tracee *tracee)
{
    struct user_regs_struct *regs = &tracee->regs;

    if (tracee->fetched)
        return 0;
    if (ptrace_request(PTRACE_GETREGS, tracee->tid, 0, regs) < 0)
        return -1;
    tracee->fetched = true;
    if (!tracee->lent)
        return 0;
    tracee->lent = false;
    tracee->stepped_lent = true;
    if (regs->rsp != LENT_STACK) /* it has got another one */
        return 0;
    regs->rsp = tracee->own_stack;
    return tracee_store(tracee);
}

/* Whether the kernel refuses to set a selector of that value. */
static bool is_refused(uint64_t selector)
{
    return selector != 0 && (selector & 3) != 3;
}

/* The kernel sets them in the order of the struct and stops at a selector that
 * is not of the user's privilege level (set_segment_reg in
 * arch/x86/kernel/ptrace.c). Those of data come last. On some virtual machines
 * a program can have such a one; it stays as it is. */
int tracee_store(const struct tracee *tracee)
{
    const struct user_regs_struct *regs = &tracee->regs;

    if (ptrace_request(PTRACE_SETREGS, tracee->tid, 0, regs) == 0)
        return 0;
    return errno == EIO && !is_refused(regs->cs) && !is_refused(regs->ss) &&
                   (is_refused(regs->ds) || is_refused(regs->es) ||
                    is_refused(regs->fs) || is_refused(regs->gs))
               ? 0
               : -1;
}

uint64_t tracee_pc(const struct tracee *tracee)
{
    return tracee->regs.rip;
}

int tracee_go_to(struct tracee *tracee, uint64_t pc)
{
    tracee->regs.rip = pc;
    return tracee_store(tracee);
}

uint64_t tracee_stack(const struct tracee *tracee)
{
    return tracee->regs.rsp;
}

/* Each register of regs.def, in the struct that ptrace has and in the frame of
 * a signal handler. */
static const struct {
    enum reg reg;
    size_t offset;
    int saved; /* -1: not there */
} places[] = {
#define PLACE(name, field, saved)                                   \
    {                                                               \
        X86_##name, offsetof(struct user_regs_struct, field), saved \
    }
    PLACE(RAX, rax, REG_RAX),    PLACE(RBX, rbx, REG_RBX),
    PLACE(RCX, rcx, REG_RCX),    PLACE(RDX, rdx, REG_RDX),
    PLACE(RSI, rsi, REG_RSI),    PLACE(RDI, rdi, REG_RDI),
    PLACE(RBP, rbp, REG_RBP),    PLACE(RSP, rsp, REG_RSP),
    PLACE(R8, r8, REG_R8),       PLACE(R9, r9, REG_R9),
    PLACE(R10, r10, REG_R10),    PLACE(R11, r11, REG_R11),
    PLACE(R12, r12, REG_R12),    PLACE(R13, r13, REG_R13),
    PLACE(R14, r14, REG_R14),    PLACE(R15, r15, REG_R15),
    PLACE(RIP, rip, REG_RIP),    PLACE(RFLAGS, eflags, REG_EFL),
    PLACE(FS_BASE, fs_base, -1), PLACE(GS_BASE, gs_base, -1),
#undef PLACE
};

void tracee_regs(const struct tracee *tracee, struct regs *out)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        memcpy(&out->value[places[i].reg],
               (const char *)&tracee->regs + places[i].offset,
               sizeof out->value[0]);
    out->value[X86_RFLAGS] &= ~(uint64_t)RESUME_FLAG;
}

int tracee_set_register(struct tracee *tracee, enum reg reg, uint64_t value)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].reg == reg)
            memcpy((char *)&tracee->regs + places[i].offset, &value,
                   sizeof value);
    return tracee_store(tracee);
}

int tracee_set_result(struct tracee *tracee, int64_t result)
{
    tracee->regs.rax = (uint64_t)result;
    return tracee_store(tracee);
}

int tracee_interrupted(const struct tracee *tracee, struct regs *out)
{
    const uint64_t at = tracee->regs.rsp + FRAME_REGISTERS;
    gregset_t saved;

    if (proc_read(tracee->tid, at, saved, sizeof saved) != sizeof saved)
        return -1;
    tracee_regs(tracee, out);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].saved >= 0)
            out->value[places[i].reg] = (uint64_t)saved[places[i].saved];
    out->value[X86_RFLAGS] &= ~(uint64_t)RESUME_FLAG;
    return 0;
}

uint64_t *tracee_free_register(struct tracee *tracee)
{
    _Static_assert(sizeof tracee->regs.r15 == sizeof(uint64_t), "64 bits");
    return (uint64_t *)&tracee->regs.r15;
}

/* --- a stack pointer that is no address ----------------------------------- */

static bool is_address(uint64_t addr)
{
    return addr >= MACHINE_KERNEL || addr < -MACHINE_KERNEL;
}

/* Whether the next instruction does the same with another stack pointer; it may
 * set a new one, all of it. */
static bool is_free_of_stack(const struct tracee *tracee)
{
    uint8_t code[INSN_MAX_LENGTH];
    size_t len = proc_read(tracee->tid, tracee->regs.rip, code, sizeof code);
    struct insn insn;

    if (insn_decode(code, len, tracee->regs.rip, &insn) != 1 ||
        (insn.kind != INSN_PLAIN && insn.kind != INSN_JUMP &&
         insn.kind != INSN_BRANCH))
        return false;
    for (uint8_t i = 0; i < insn.operand_count; i++) {
        const struct insn_operand *operand = &insn.operands[i];

        if (operand->kind == OPERAND_REGISTER
                ? operand->reg == X86_RSP &&
                      (operand->read || operand->bits < 32)
                : operand->base == X86_RSP)
            return false;
    }
    return true;
}

/* Whether a stack pointer can be lent, and must. */
static bool must_lend(struct tracee *tracee)
{
    return tracee_fetch(tracee) == 0 && !is_address(tracee->regs.rsp) &&
           !tracee_enters_call(tracee) && is_free_of_stack(tracee);
}

bool tracee_lacks_stack(struct tracee *tracee)
{
    if (tracee->stepped_lent || tracee->signalled || !must_lend(tracee))
        return false;
    return tracee->lends = true;
}

bool tracee_lend_stack(struct tracee *tracee)
{
    if (tracee->lent) /* it has not got on */
        return true;
    if (!tracee->lends || !must_lend(tracee))
        return false;
    tracee->own_stack = tracee->regs.rsp;
    tracee->regs.rsp = LENT_STACK;
    return tracee->lent = tracee_store(tracee) == 0;
}

/* --- what stepping shows -------------------------------------------------- */

bool tracee_traps_itself(const struct tracee *tracee)
{
    return tracee->regs.eflags & TRAP_FLAG;
}

void tracee_keep_trap(struct tracee *tracee)
{
    tracee->regs.eflags |= TRAP_FLAG;
    tracee_store(tracee);
}

/* Clears the trap flag in flags that lie in memory. */
static void clean_flags(const struct tracee *tracee, uint64_t addr)
{
    uint64_t flags;

    errno = 0;
    flags = (uint64_t)ptrace_request(PTRACE_PEEKDATA, tracee->tid, addr, NULL);
    flags &= ~(uint64_t)TRAP_FLAG;
    if (errno == 0)
        tracee_write(tracee, addr, &flags, sizeof flags);
}

/* In front of a popf the kernel takes the flag for the program's own, whether
 * it is executed or not (enable_single_step in arch/x86/kernel/step.c). */
void tracee_hide_stepping(struct tracee *tracee, enum insn_kind next)
{
    if (next == INSN_LOADS_FLAGS && tracee_traps_itself(tracee))
        tracee_hide_step(tracee, next);
}

void tracee_hide_in_frame(const struct tracee *tracee, enum insn_kind next)
{
    if (next == INSN_LOADS_FLAGS)
        clean_flags(tracee, tracee->regs.rsp + FRAME_REGISTERS +
                                REG_EFL * sizeof(greg_t));
}

void tracee_hide_step(struct tracee *tracee, enum insn_kind executed)
{
    switch (executed) {
    case INSN_SAVES_FLAGS:
        clean_flags(tracee, tracee->regs.rsp);
        break;
    case INSN_LOADS_FLAGS:
        tracee->regs.eflags &= ~(uint64_t)TRAP_FLAG;
        tracee_store(tracee);
        break;
    case INSN_SYSCALL:
        tracee->regs.r11 &= ~(uint64_t)TRAP_FLAG;
        tracee_store(tracee);
        break;
    default:
        break;
    }
}

/* --- system calls --------------------------------------------------------- */

/* A call needs no stack. But with an rsp that is no address an AMD CPU raises a
 * fault where the tracee is to go on, at the call. */
void tracee_prepare_call(struct tracee *tracee, uint64_t insn, uint64_t number,
                         const uint64_t args[6])
{
    struct user_regs_struct *regs = &tracee->regs;

    regs->rax = number;
    regs->rdi = args[0];
    regs->rsi = args[1];
    regs->rdx = args[2];
    regs->r10 = args[3];
    regs->r8 = args[4];
    regs->r9 = args[5];
    regs->rip = insn;
    regs->rsp = insn;              /* any that is an address */
    regs->orig_rax = (uint64_t)-1; /* nothing to restart */
    regs->eflags &= ~(uint64_t)(TRAP_FLAG | DIRECTION_FLAG);
}

bool tracee_has_called(const struct tracee *tracee, uint64_t insn)
{
    return tracee->regs.rip == insn + SYSCALL_LENGTH;
}

int64_t tracee_result(const struct tracee *tracee)
{
    return (int64_t)tracee->regs.rax;
}

/* A call of the number -1 is skipped, and leaves rax as it is (__seccomp_filter
 * in kernel/seccomp.c). */
void tracee_skip_call(struct tracee *tracee)
{
    tracee->regs.rax = (uint64_t)-ENOSYS;
    tracee->regs.orig_rax = (uint64_t)-1;
}

void tracee_before_call(struct tracee *tracee)
{
    tracee->regs.rip -= SYSCALL_LENGTH;
    tracee->regs.rax = tracee->regs.orig_rax;
    tracee->regs.orig_rax = (uint64_t)-1;
}

void tracee_exchange_args(struct tracee *tracee, uint64_t args[2])
{
    const uint64_t now[] = {tracee->regs.rdi, tracee->regs.rsi};

    tracee->regs.rdi = args[0];
    tracee->regs.rsi = args[1];
    memcpy(args, now, sizeof now);
}

bool tracee_awaits_restart(const struct tracee *tracee)
{
    const int64_t result = tracee_result(tracee);

    return (int64_t)tracee->regs.orig_rax >= 0 && result <= RESTART_FIRST &&
           result >= RESTART_LAST;
}

/* --- debug registers ------------------------------------------------------ */

static int set_debug_register(const struct tracee *tracee, unsigned n,
                              uint64_t value)
{
    return (int)ptrace_request(PTRACE_POKEUSER, tracee->tid,
                               offsetof(struct user, u_debugreg) +
                                   n * sizeof(long),
                               (const void *)value);
}

/* DR0 holds the address, bit 0 of DR7 enables it; the type bits 0 mean
 * execution (Intel SDM vol. 3, 18.2). */
int tracee_break(const struct tracee *tracee, uint64_t addr)
{
    if (set_debug_register(tracee, 7, 0) < 0 ||
        set_debug_register(tracee, 0, addr) < 0)
        return -1;
    return addr ? set_debug_register(tracee, 7, 1) : 0;
}

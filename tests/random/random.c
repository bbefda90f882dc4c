/* SPDX-License-Identifier: MIT */
/*
 * random SEED COUNT [SEED...] - runs COUNT samples of random machine code (see
 * sample.h), those of the seeds SEED, SEED + 1 and so on, and prints what came
 * of each: lines that are the same in each run, with a tracer and without.
 *
 *     sample SEED
 *     signal ...     for each signal: its siginfo and its frame
 *     end ...        registers and memory when it was left
 *
 * Registers are printed that have another value than at the beginning. After a
 * signal the sample goes on behind the instruction, up to MAX_SIGNALS times.
 *
 * random --find-endless SEED COUNT prints the same, but has "endless" for the
 * end of a sample that has used LIMIT_US of the CPU. Given the seeds of those,
 * the first form prints that for them without running them. It waits AMPLE_US
 * for the others: a sample may have an end only where no tracer is.
 *
 * random --int3 SEED COUNT has an int3 where a sample returns to, as there is
 * under a tracer that waits for a return without the help of the CPU: a sample
 * may read it.
 *
 * random --show SEED prints what the sample is.
 *
 * What is not compared, because it differs from run to run without a tracer,
 * too, or because it is not the sample's:
 *
 * - the address that a frame holds (cr2) if the signal is no page fault: it is
 *   that of the thread's last one, anywhere
 * - where the FPU was last (fop, fip, fdp): not each CPU keeps it
 * - the upper halves of the vector registers, and the mask registers
 *
 * The program is linked to a fixed address (-no-pie), because a return address
 * is where the sample finds it.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/random/sample.h"

#define MAX_SIGNALS 8
#define LIMIT_US    20000
#define AMPLE_US    2000000

#define INT3      0xcc
#define EXIT_BYTE 0x48 /* the first of run_exit */

#define TRAP_PAGE_FAULT 14 /* SDM vol. 3, 6.15 */
#define FLAG_TF         0x100u
#define FLAG_AC         0x40000u

/* Greg numbers of the registers, in the order of sample.h. */
static const int gregs[SAMPLE_REGS] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};
static const char *const names[SAMPLE_REGS] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
};

static struct sample sample;
static volatile sig_atomic_t signals, endless;
static bool has_int3; /* at run_exit */
static char line[1 << 16];
static size_t length;

/* --- running a sample ----------------------------------------------------- */

/* Read and written by the code below. */
uint64_t run_regs[SAMPLE_REGS], run_flags, run_rip, run_rsp;
uint64_t end_regs[SAMPLE_REGS], end_flags;
uint8_t run_xmm[8][16], end_fx[512] __attribute__((aligned(16)));
uint8_t run_xsave[4096] __attribute__((aligned(64)));

void run_call(void);
void run_jump(void);
void run_exit(void);

/*
 * run_call and run_jump give the CPU the state that run_... says and let the
 * sample begin; where it returns to, run_exit, puts what it has left into
 * end_... and returns from run_call. The state of all vector registers, the FPU
 * and the masks is set to its initial value before and behind it, that of the
 * protection keys (bit 9) left alone.
 */
__asm__(".text\n"
        "run_jump:\n"
        "    movb $1, %al\n"
        "    jmp 1f\n"
        "run_call:\n"
        "    movb $0, %al\n"
        "1:  pushq %rbx; pushq %rbp; pushq %r12; pushq %r13\n"
        "    pushq %r14; pushq %r15\n"
        "    movq %rsp, run_rsp\n"
        "    movb %al, %bl\n"
        "    movl $0xe7, %eax; xorl %edx, %edx; xrstor64 run_xsave\n"
        "    movups run_xmm, %xmm0; movups run_xmm+16, %xmm1\n"
        "    movups run_xmm+32, %xmm2; movups run_xmm+48, %xmm3\n"
        "    movups run_xmm+64, %xmm4; movups run_xmm+80, %xmm5\n"
        "    movups run_xmm+96, %xmm6; movups run_xmm+112, %xmm7\n"
        "    xorl %eax, %eax; movl %eax, %ds; movl %eax, %es; movl %eax, %gs\n"
        "    movq run_regs+32, %rsp\n"
        "    testb %bl, %bl\n"
        "    jz 2f\n"
        "    pushq $run_exit\n"
        "2:  movzbl %bl, %ebx; movq %rbx, end_flags\n"
        "    movq run_regs, %rax; movq run_regs+8, %rcx\n"
        "    movq run_regs+16, %rdx; movq run_regs+24, %rbx\n"
        "    movq run_regs+40, %rbp; movq run_regs+48, %rsi\n"
        "    movq run_regs+56, %rdi; movq run_regs+64, %r8\n"
        "    movq run_regs+72, %r9; movq run_regs+80, %r10\n"
        "    movq run_regs+88, %r11; movq run_regs+96, %r12\n"
        "    movq run_regs+104, %r13; movq run_regs+112, %r14\n"
        "    movq run_regs+120, %r15\n"
        "    cmpb $0, end_flags\n"
        "    jnz 3f\n"
        "    pushq run_flags; popfq\n"
        "    jmp 4f\n"
        "    .balign 256, 0xf4\n"
        "    .skip 249, 0xf4\n"
        "4:  call *run_rip\n" /* of 7 bytes */
        "run_exit:\n"
        "    movq %rax, end_regs; movq %rcx, end_regs+8\n"
        "    movq %rdx, end_regs+16; movq %rbx, end_regs+24\n"
        "    movq %rsp, end_regs+32; movq %rbp, end_regs+40\n"
        "    movq %rsi, end_regs+48; movq %rdi, end_regs+56\n"
        "    movq %r8, end_regs+64; movq %r9, end_regs+72\n"
        "    movq %r10, end_regs+80; movq %r11, end_regs+88\n"
        "    movq %r12, end_regs+96; movq %r13, end_regs+104\n"
        "    movq %r14, end_regs+112; movq %r15, end_regs+120\n"
        "    movq run_rsp, %rsp\n"
        "    pushfq; popq end_flags\n"
        "    pushq $0x202; popfq\n"
        "    fxsave64 end_fx\n"
        "    movl $0xe7, %eax; xorl %edx, %edx; xrstor64 run_xsave\n"
        "    popq %r15; popq %r14; popq %r13; popq %r12\n"
        "    popq %rbp; popq %rbx\n"
        "    ret\n"
        "3:  pushq run_flags; popfq\n"
        "    jmp *run_rip\n");

/* --- what is printed ------------------------------------------------------ */

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    length +=
        (size_t)vsnprintf(line + length, sizeof line - length, format, args);
    va_end(args);
}

static void say_all(void)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = write(STDOUT_FILENO, line + done, length - done);

        if (count < 0)
            _exit(1);
        done += (size_t)count;
    }
    length = 0;
}

/* FNV-1a. */
static uint64_t hash(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
    return value;
}

static void say_register(int n, uint64_t value)
{
    if (value != sample.regs[n])
        say(" %s=%" PRIx64, names[n], value);
}

/* The FPU and the vector registers, as fxsave stores them: SDM vol. 1, 10.5. */
static void say_fx(const uint8_t *fx)
{
    say(" x87=%" PRIx64 "/%" PRIx64, hash(fx, 6), hash(fx + 32, 128));
    say(" mxcsr=%" PRIx32, ((const uint32_t *)(const void *)fx)[6]);
    say(" xmm=%" PRIx64, hash(fx + 160, 256));
}

static void say_end(void)
{
    say("end flags=%" PRIx64, end_flags);
    for (int i = 0; i < SAMPLE_REGS; i++)
        say_register(i, end_regs[i]);
    say_fx(end_fx);
    say(" code=%" PRIx64 " data=%" PRIx64 " stack=%" PRIx64 "\n",
        hash((void *)SAMPLE_CODE, sample.length),
        hash((void *)SAMPLE_DATA, SAMPLE_PAGE),
        hash((void *)SAMPLE_STACK, SAMPLE_STACK_LEN));
}

static void say_signal(int signal, const siginfo_t *info,
                       const ucontext_t *context)
{
    const greg_t *regs = context->uc_mcontext.gregs;
    uint64_t mask;

    memcpy(&mask, &context->uc_sigmask, sizeof mask);
    say("signal %s code=%d errno=%d addr=%p rip=%llx trapno=%lld err=%llx",
        sigabbrev_np(signal), info->si_code, info->si_errno, info->si_addr,
        regs[REG_RIP], regs[REG_TRAPNO], regs[REG_ERR]);
    if (regs[REG_TRAPNO] == TRAP_PAGE_FAULT)
        say(" cr2=%llx", regs[REG_CR2]);
    say(" flags=%llx segments=%llx mask=%" PRIx64 "/%llx stack=%d uc=%lx",
        regs[REG_EFL], regs[REG_CSGSFS], mask, regs[REG_OLDMASK],
        context->uc_stack.ss_flags, context->uc_flags);
    for (int i = 0; i < SAMPLE_REGS; i++)
        say_register(i, (uint64_t)regs[gregs[i]]);
    say_fx((const uint8_t *)context->uc_mcontext.fpregs);
    say("\n");
}

/* --- signals -------------------------------------------------------------- */

static bool is_code(uint64_t addr)
{
    return addr - SAMPLE_CODE < sample.length;
}

/* Not what only fills its pages. */
static bool is_sample(uint64_t addr)
{
    return addr - SAMPLE_CODE - sample.entry < sample.end - sample.entry;
}

/* Behind the instruction, if it has faulted and not trapped. */
static uint64_t behind(int signal, uint64_t rip)
{
    if (signal == SIGTRAP || !is_code(rip))
        return rip;
    return rip + sample_insn_length((uint8_t *)SAMPLE_CODE, sample.length,
                                    rip - SAMPLE_CODE);
}

/* With a good stack: a thread is not resumed with an rsp that is no address. */
static void leave(greg_t *regs)
{
    if (signals > MAX_SIGNALS)
        _exit(98); /* on the way out */
    regs[REG_RSP] = SAMPLE_RSP;
    regs[REG_RIP] = (greg_t)(uintptr_t)run_exit;
}

/* Puts an instruction byte where the sample returns to. */
static void patch_exit(uint8_t byte)
{
    void *page = (void *)((uintptr_t)run_exit & ~(SAMPLE_PAGE - 1));

    if (mprotect(page, SAMPLE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
        _exit(99);
    *(volatile uint8_t *)(uintptr_t)run_exit = byte;
    if (mprotect(page, SAMPLE_PAGE, PROT_READ | PROT_EXEC) < 0)
        _exit(99);
}

static bool is_int3(const greg_t *regs)
{
    return has_int3 && regs[REG_RIP] == (greg_t)(uintptr_t)run_exit + 1;
}

static void on_signal(int signal, siginfo_t *info, void *data)
{
    ucontext_t *context = data;
    greg_t *regs = context->uc_mcontext.gregs;

    /* the kernel leaves the sample's alignment check on */
    __asm__ volatile("pushfq; andl %0, (%%rsp); popfq" ::"i"(~FLAG_AC)
                     : "cc", "memory");
    if (is_int3(regs)) {
        patch_exit(EXIT_BYTE);
        regs[REG_RIP]--;
        return;
    }
    say_signal(signal, info, context);
    regs[REG_EFL] &= ~(greg_t)FLAG_TF;
    if (sample.restart)
        for (int i = 0; i < SAMPLE_REGS; i++)
            regs[gregs[i]] = (greg_t)sample.regs[i];
    regs[REG_RIP] = (greg_t)behind(signal, (uint64_t)regs[REG_RIP]);
    if (++signals >= MAX_SIGNALS || !is_sample((uint64_t)regs[REG_RIP]))
        leave(regs);
}

static void on_time(int signal, siginfo_t *info, void *data)
{
    greg_t *regs = ((ucontext_t *)data)->uc_mcontext.gregs;

    (void)signal;
    (void)info;
    if (!is_code((uint64_t)regs[REG_RIP]))
        return; /* it comes again */
    endless = 1;
    leave(regs);
}

static void catch (int signal, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigfillset(&action.sa_mask);
    if (sigaction(signal, &action, NULL) < 0)
        exit(99);
}

static void catch_all(void)
{
    static const int caught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    static uint8_t memory[1 << 16];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};

    if (sigaltstack(&stack, NULL) < 0)
        exit(99);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        catch (caught[i], on_signal);
    catch (SIGPROF, on_time);
}

static void set_timer(long us)
{
    struct timeval time = {us / 1000000, us % 1000000};
    struct itimerval timer = {time, time};

    if (setitimer(ITIMER_PROF, &timer, NULL) < 0)
        exit(99);
}

/* --- the memory of a sample ----------------------------------------------- */

/* Anew, also if it is mapped. */
static void map(uint64_t addr, size_t size, int prot)
{
    if (mmap((void *)addr, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
             -1, 0) == MAP_FAILED)
        exit(99);
}

/* By a system call: each store would be a step. */
static void store(uint64_t addr, const void *bytes, size_t size)
{
    static int file = -1;

    if (file < 0)
        file = memfd_create("", 0);
    if (pwrite(file, bytes, size, 0) != (ssize_t)size ||
        pread(file, (void *)addr, size, 0) != (ssize_t)size)
        exit(99);
}

static void store_random(uint64_t addr, size_t size, uint64_t *seed)
{
    uint64_t words[SAMPLE_STACK_LEN / sizeof(uint64_t)];

    for (size_t i = 0; i < size / sizeof *words; i++)
        words[i] = random_next(seed) & SAMPLE_FLAGS;
    store(addr, words, size);
}

static void prepare(void)
{
    uint64_t seed = sample.fill;

    run_rip = SAMPLE_CODE + sample.entry;
    if (sample.fresh) {
        map(SAMPLE_DATA, SAMPLE_PAGE, PROT_READ | PROT_WRITE);
        map(SAMPLE_STACK, SAMPLE_STACK_LEN, PROT_READ | PROT_WRITE);
    }
    store_random((uint64_t)run_xmm, sizeof run_xmm, &seed);
    store_random(SAMPLE_DATA, SAMPLE_PAGE, &seed);
    store_random(SAMPLE_STACK, SAMPLE_STACK_LEN, &seed);
    map(SAMPLE_CODE, sample.length,
        PROT_READ | PROT_WRITE | (sample.writable ? PROT_EXEC : 0));
    store(SAMPLE_CODE, sample.bytes, sample.length);
    memcpy((void *)run_rip, sample.bytes + sample.entry,
           sample.end - sample.entry);
    if (!sample.writable &&
        mprotect((void *)SAMPLE_CODE, sample.length, PROT_READ | PROT_EXEC) < 0)
        exit(99);
    memcpy(run_regs, sample.regs, sizeof run_regs);
    run_flags = sample.flags;
    signals = endless = 0;
}

static void run(uint64_t seed, bool timed)
{
    prepare();
    say("sample %" PRIu64 "\n", seed);
    if (has_int3)
        patch_exit(INT3);
    set_timer(timed ? LIMIT_US : AMPLE_US);
    sample.jumped_to ? run_jump() : run_call();
    set_timer(0);
    if (endless)
        say("endless\n");
    else
        say_end();
    munmap((void *)SAMPLE_CODE, sample.length);
    say_all();
}

static bool is_listed(uint64_t seed, char *const *seeds)
{
    for (; *seeds; seeds++)
        if (strtoull(*seeds, NULL, 0) == seed)
            return true;
    return false;
}

static void run_all(char *const *args, bool timed)
{
    uint64_t first = strtoull(args[0], NULL, 0);
    uint64_t count = strtoull(args[1], NULL, 0);

    map(SAMPLE_DATA, 2 * SAMPLE_PAGE, PROT_READ | PROT_WRITE);
    map(SAMPLE_STACK, SAMPLE_STACK_LEN, PROT_READ | PROT_WRITE);
    memset((void *)SAMPLE_READ_ONLY, 0x41, SAMPLE_PAGE);
    if (mprotect((void *)SAMPLE_READ_ONLY, SAMPLE_PAGE, PROT_READ) < 0)
        exit(99);
    run_xsave[24] = 0x80, run_xsave[25] = 0x1f; /* mxcsr: SDM vol. 1, 10.2.3 */
    catch_all();
    for (uint64_t i = 0; i < count; i++) {
        if (is_listed(first + i, args + 2)) {
            say("sample %" PRIu64 "\nendless\n", first + i);
            say_all();
            continue;
        }
        sample_make(&sample, first + i);
        run(first + i, timed);
    }
}

int main(int argc, char **argv)
{
    bool timed = argc > 1 && !strcmp(argv[1], "--find-endless");

    has_int3 = argc > 1 && !strcmp(argv[1], "--int3");

    if (argc == 3 && strcmp(argv[1], "--show") == 0) {
        sample_make(&sample, strtoull(argv[2], NULL, 0));
        sample_print(&sample);
        return 0;
    }
    argv += 1 + (timed || has_int3);
    argc -= 1 + (timed || has_int3);
    if (argc < 2) {
        fputs("usage: random [--find-endless | --int3] SEED COUNT [SEED...]\n"
              "       random --show SEED\n",
              stderr);
        return 64;
    }
    run_all(argv, timed);
    return 0;
}

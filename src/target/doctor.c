/* SPDX-License-Identifier: MIT */
#include "target/doctor.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target/uffd.h"

static bool has_vm_readv(struct tracee *tracee)
{
    long word;
    struct iovec ours = {&word, sizeof word};
    struct iovec its = {(void *)tracee_stack(tracee), sizeof word};

    return process_vm_readv(tracee->pid, &ours, 1, &its, 1, 0) == sizeof word;
}

static bool has_uffd(struct tracee *tracee)
{
    int fd = uffd_open(tracee);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* MDWE (prctl(2)) and SELinux's execmem refuse the last of the three. */
static bool has_exec_again(struct tracee *tracee)
{
    const uint64_t args[6] = {0, 4096, PROT_READ | PROT_EXEC,
                              MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1};
    int64_t addr;

    if (tracee_inject(tracee, SYS_mmap, args, &addr) < 0 || addr < 0)
        return false;
    return tracee_mprotect(tracee, (uint64_t)addr, 4096, PROT_READ) == 0 &&
           tracee_mprotect(tracee, (uint64_t)addr, 4096,
                           PROT_READ | PROT_EXEC) == 0;
}

/*
 * A breakpoint that works stops a step in front of the instruction. One that
 * does not lets a getpid happen, which does no harm.
 */
static bool has_debug_registers(struct tracee *tracee)
{
    uint64_t at = tracee->syscall_insn;
    struct stop stop;

    if (!at || tracee_break(tracee, at) < 0 || tracee_fetch(tracee) < 0)
        return false;
    tracee->regs.rax = SYS_getpid;
    tracee->regs.rip = at;
    return tracee_store(tracee) == 0 &&
           tracee_resume(tracee, RESUME_STEP, 0) == 0 &&
           tracee_wait(tracee, &stop) >= 0 && tracee_fetch(tracee) == 0 &&
           tracee_pc(tracee) == at;
}

/* The last one moves the tracee, so nothing may come behind it. */
static const struct {
    struct mechanism what;
    bool (*works)(struct tracee *tracee);
} probes[DOCTOR_MECHANISMS] = {
    {{"process_vm_readv", "/proc/PID/mem", "docker run --cap-add=SYS_PTRACE",
      false},
     has_vm_readv},
    {{"userfaultfd write-protect", "mprotect", "Linux 6.4", false}, has_uffd},
    {{"execute permission given back", "entries are not seen",
      "no MDWE; SELinux: allow execmem", false},
     has_exec_again},
    {{"debug registers", "int3 outside generated code", NULL, false},
     has_debug_registers},
};

int doctor_examine(const struct launch *what,
                   struct mechanism out[DOCTOR_MECHANISMS], struct err *err)
{
    struct tracee tracee;
    int result;

    if (launch(what, &tracee, err) < 0)
        return -1;
    result = tracee_try(&tracee, err);
    for (int i = 0; result == 0 && i < DOCTOR_MECHANISMS; i++) {
        out[i] = probes[i].what;
        out[i].works = probes[i].works(&tracee);
    }
    tracee_kill(&tracee);
    return result;
}

/* SPDX-License-Identifier: MIT */
#include "target/doctor.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target/uffd.h"

static bool reads_memory(struct tracee *tracee)
{
    long word;
    struct iovec ours = {&word, sizeof word};
    struct iovec theirs = {(void *)tracee_stack(tracee), sizeof word};

    return process_vm_readv(tracee->pid, &ours, 1, &theirs, 1, 0) ==
           sizeof word;
}

static bool has_uffd(struct tracee *tracee)
{
    int fd = uffd_open(tracee);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool has_memfd(struct tracee *tracee)
{
    int fd = memfd_create("jittrace", MFD_CLOEXEC);

    (void)tracee;
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Sets what is set already. */
static bool sets_affinity(struct tracee *tracee)
{
    cpu_set_t set;

    return sched_getaffinity(tracee->tid, sizeof set, &set) == 0 &&
           sched_setaffinity(tracee->tid, sizeof set, &set) == 0;
}

static const struct {
    struct mechanism what;
    bool (*works)(struct tracee *tracee);
} probes[MECHANISMS] = {
    {{"execution given back",
      "calls of generated code are not seen, all else is",
      "start it without PR_SET_MDWE or MemoryDenyWriteExecute=; SELinux: "
      "setsebool deny_execmem 0",
      true, false},
     tracee_can_execute_again},
    {{"userfaultfd write-protect",
      "mprotect, which /proc/PID/maps shows and which costs twice the stops",
      "Linux 6.4; docker run --security-opt seccomp=unconfined", false, false},
     has_uffd},
    {{"debug registers",
      "an int3 outside of generated code, or the end of a call that runs at "
      "full speed is not seen",
      "another CPU or virtual machine", false, false},
     tracee_proves_break},
    {{"process_vm_readv", "/proc/PID/mem, which is slower",
      "docker run --cap-add=SYS_PTRACE --security-opt seccomp=unconfined",
      false, false},
     reads_memory},
    {{"memfd_create", "a temporary file for the bundled programs",
      "sysctl vm.memfd_noexec=0; docker run --security-opt "
      "seccomp=unconfined",
      false, false},
     has_memfd},
    {{"sched_setaffinity", "stops that cost up to four times as much",
      "docker run --cap-add=SYS_NICE", false, false},
     sets_affinity},
};

int doctor_examine(const struct launch *what, struct mechanism out[MECHANISMS],
                   struct err *err)
{
    struct tracee tracee;
    int result;

    if (launch(what, &tracee, err) < 0)
        return -1;
    result = tracee_try(&tracee, err);
    for (int i = 0; result == 0 && i < MECHANISMS; i++) {
        out[i] = probes[i].what;
        out[i].works = probes[i].works(&tracee);
    }
    tracee_kill(&tracee);
    return result;
}

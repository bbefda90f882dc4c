/* SPDX-License-Identifier: MIT */
#include "target/uffd.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/inject.h"
#include "target/proc.h"

/* Newer than the C library's headers may be (linux/userfaultfd.h of 6.4). */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif

/* Faults of the kernel are not for us: that takes no privilege. */
#define FLAGS (O_CLOEXEC | UFFD_USER_MODE_ONLY)

/* Stores fault, with a signal, also in pages that were never touched. */
#define FEATURES                                            \
    (UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS | \
     UFFD_FEATURE_WP_UNPOPULATED)

int uffd_open(struct tracee *tracee)
{
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURES};
    int64_t theirs;
    int fd;

    if (prctl(PR_GET_SECCOMP) != 0)
        return -1;
    theirs = tracee_inject(tracee, SYS_userfaultfd, FLAGS, 0, 0);
    if (theirs < 0)
        return -1;
    fd = proc_take_fd(tracee->pid, (int)theirs);
    tracee_inject(tracee, SYS_close, (uint64_t)theirs, 0, 0);
    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int uffd_register(int fd, uint64_t addr, uint64_t length)
{
    struct uffdio_register range = {
        .range = {addr, length},
        .mode = UFFDIO_REGISTER_MODE_WP,
    };

    return ioctl(fd, UFFDIO_REGISTER, &range);
}

int uffd_protect(int fd, uint64_t addr, uint64_t length, bool protect)
{
    struct uffdio_writeprotect range = {
        .range = {addr, length},
        .mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
    };

    return ioctl(fd, UFFDIO_WRITEPROTECT, &range);
}

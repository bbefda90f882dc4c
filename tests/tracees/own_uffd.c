/* SPDX-License-Identifier: MIT */
/*
 * A program with a userfaultfd(2) of its own: it registers a page, and code
 * comes there by UFFDIO_COPY. The kernel lets one userfaultfd have a page.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: limit userfaultfd
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint8_t insns[4096] = {0xb8, 5, 0, 0, 0, 0xc3};

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {
        .range = {(uintptr_t)code, 4096},
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    struct uffdio_copy copy = {
        .dst = (uintptr_t)code,
        .src = (uintptr_t)insns,
        .len = 4096,
    };

    if (code == MAP_FAILED || fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
        return 1;
    if (ioctl(fd, UFFDIO_REGISTER, &range) < 0 ||
        ioctl(fd, UFFDIO_COPY, &copy) < 0) {
        perror("own_uffd");
        return 1;
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Why a call about memory failed: each is made here, fails as it is to, and the
 * reason is asked for as a tracer does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/refuse.h"
#include "support/support.h"
#include "target/refusal.h"

TestSuite(refusal, .timeout = 60);

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define PAGE ((uint64_t)4096)
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* Makes the call, which must fail with that error, and has its reason. */
static const char *reason(struct call call, int error, struct buf *out)
{
    const uint64_t *args = call.args;

    call.result = syscall((long)call.number, args[0], args[1], args[2], args[3],
                          args[4], args[5]);
    cr_assert(eq(i64, call.result, -1), "call %d", (int)call.number);
    cr_assert(eq(int, errno, error), "call %d: %s", (int)call.number,
              strerror(errno));
    call.result = -error;
    buf_clear(out);
    refusal_explain(&call, getpid(), out);
    return buf_text(out);
}

#define CALL(name, ...) \
    ((struct call){.number = SYS_##name, .args = __VA_ARGS__})

/* The call is refused, for that reason. */
static void refused(struct call call, int error, const char *words)
{
    struct buf out = {0};

    reason(call, error, &out);
    cr_assert(contains(buf_text(&out), words), "%s", buf_text(&out));
    buf_release(&out);
}

/* Five pages: the fourth is a hole. */
static uint64_t area(void)
{
    char *area = mmap(NULL, 5 * PAGE, RW, ANON, -1, 0);

    cr_assert(ne(ptr, area, MAP_FAILED));
    munmap(area + 3 * PAGE, PAGE);
    return (uint64_t)(uintptr_t)area;
}

Test(refusal, the_reason_is_in_the_arguments_or_in_what_is_mapped)
{
    const uint64_t at = area(), end = UINT64_MAX - 0xfff;
    const uint64_t file = (uint64_t)open("/proc/self/exe", O_RDONLY);
    const uint64_t folder = (uint64_t)open("/", O_RDONLY);
    char hole[64];
    const struct {
        struct call call;
        int error;
        const char *words;
    } cases[] = {
        {CALL(mprotect, {at + 64, 6, PROT_READ}), EINVAL, "not that of a page"},
        {CALL(mprotect, {at, 5, 4096}), EINVAL, "look swapped"},
        {CALL(mprotect, {at, PAGE, 64}), EINVAL, "is no protection"},
        {CALL(mprotect, {at, 5 * PAGE, RW}), ENOMEM, hole},
        {CALL(mprotect, {at + 3 * PAGE, 1, RW}), ENOMEM, hole},
        {CALL(mprotect, {end, PAGE, RW}), ENOMEM, "beyond the last"},
        {CALL(mprotect, {at, end, RW}), ENOMEM, "beyond the last"},
        {CALL(mprotect, {at, 0, RW | PROT_GROWSDOWN | PROT_GROWSUP}), EINVAL,
         "Invalid argument"},
        {CALL(mremap, {at, 0, PAGE, MREMAP_MAYMOVE}), EINVAL,
         "Invalid argument"},
        {CALL(munmap, {at + 1, PAGE}), EINVAL, "not that of a page"},
        {CALL(munmap, {at, 0}), EINVAL, "the length is 0"},
        {CALL(munmap, {end, PAGE}), EINVAL, "beyond the last"},
        {CALL(madvise, {at + 1, PAGE, MADV_DONTNEED}), EINVAL,
         "not that of a page"},
        {CALL(madvise, {at, 5 * PAGE, MADV_DONTNEED}), ENOMEM, hole},
        {CALL(mremap, {at, PAGE, 0, 0}), EINVAL, "new length is 0"},
        {CALL(mremap, {at + 1, PAGE, PAGE, 0}), EINVAL, "not that of a page"},
        {CALL(mremap, {at, PAGE, 2 * PAGE, 0}), ENOMEM, "MREMAP_MAYMOVE"},
        {CALL(mremap, {at, PAGE, PAGE, MREMAP_FIXED, at}), EINVAL,
         "needs MREMAP_MAYMOVE"},
        {CALL(mremap, {at, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, at + 1}),
         EINVAL, "new address is not"},
        {CALL(mremap, {at, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, at}),
         EINVAL, "overlap"},
        {CALL(mremap, {at + 3 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE}), EFAULT,
         hole},
        {CALL(mmap, {0, 0, RW, ANON, UINT64_MAX, 0}), EINVAL,
         "the length is 0"},
        {CALL(mmap, {0, PAGE, RW, MAP_ANONYMOUS, UINT64_MAX, 0}), EINVAL,
         "neither MAP_PRIVATE nor MAP_SHARED"},
        {CALL(mmap, {0, PAGE, RW, MAP_PRIVATE, UINT64_MAX, 0}), EBADF,
         "no MAP_ANONYMOUS"},
        {CALL(mmap, {0, PAGE, RW, MAP_PRIVATE, 999, 0}), EBADF, "not open"},
        {CALL(mmap, {0, PAGE, RW, MAP_PRIVATE, file, 5}), EINVAL,
         "multiple of the page size"},
        {CALL(mmap, {at + 1, PAGE, RW, ANON | MAP_FIXED, UINT64_MAX, 0}),
         EINVAL, "that of a page"},
        {CALL(mmap, {at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, UINT64_MAX, 0}),
         EEXIST, "MAP_FIXED_NOREPLACE"},
        {CALL(mmap, {0, end, RW, ANON, UINT64_MAX, 0}), ENOMEM,
         "more than there are addresses"},
        {CALL(mmap, {0, PAGE, RW, MAP_SHARED, file, 0}), EACCES,
         "go into the file"},
        {CALL(mmap, {0, PAGE, PROT_READ, MAP_PRIVATE, folder, 0}), ENODEV,
         "cannot be mapped"},
        {CALL(shmat, {UINT64_MAX, 0, 0}), EINVAL, "Invalid argument"},
    };

    snprintf(hole, sizeof hole, "nothing is mapped at 0x%llx",
             (unsigned long long)(at + 3 * PAGE));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i].call, cases[i].error, cases[i].words);
}

Test(refusal, execution_that_is_forbidden)
{
    const uint64_t at = area();

    if (prctl(PR_SET_MDWE, 1, 0, 0, 0) < 0)
        cr_skip("PR_SET_MDWE is not known here (Linux 6.3)");
    refused(CALL(mprotect, {at, PAGE, PROT_READ | PROT_EXEC}), EACCES,
            "PR_SET_MDWE");
    refused(CALL(mmap, {0, PAGE, RW | PROT_EXEC, ANON, UINT64_MAX, 0}), EACCES,
            "PR_SET_MDWE");
}

Test(refusal, what_is_sealed)
{
    const uint64_t at = area();

    if (syscall(SYS_mseal, at, PAGE, 0) < 0)
        cr_skip("mseal is not known here (Linux 6.10)");
    refused(CALL(mprotect, {at, PAGE, PROT_READ}), EPERM, "sealed");
    refused(CALL(munmap, {at, PAGE}), EPERM, "sealed");
}

/* MDWE minds no file where there is none. */
Test(refusal, shared_memory_is_no_file)
{
    if (prctl(PR_SET_MDWE, 1, 0, 0, 0) < 0)
        cr_skip("PR_SET_MDWE is not known here (Linux 6.3)");
    refused(CALL(mmap, {0, PAGE, RW | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS,
                        UINT64_MAX, 0}),
            EACCES, "PR_SET_MDWE");
}

/* A filter may give any error: nothing is said that need not be so. */
Test(refusal, a_filter_is_not_taken_for_something_else)
{
    const uint64_t at = area();

    cr_assert(eq(int, refuse(SYS_mprotect, EPERM), 0));
    refused(CALL(mprotect, {at, PAGE, PROT_READ | PROT_EXEC}), EPERM,
            "seccomp");
    cr_assert(eq(int, refuse(SYS_mmap, EACCES), 0));
    refused(CALL(mmap, {0, PAGE, RW, ANON, UINT64_MAX, 0}), EACCES,
            "Permission denied");
}

/* SPDX-License-Identifier: MIT */
/*
 * Write permission is held back by a userfaultfd where the system gives one,
 * else by mprotect. What is seen of a program is the same. A sandbox takes the
 * first away; the tests here build one around jittrace.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "support/support.h"

TestSuite(guard, .timeout = 180);

static int on_userfaultfd(uint32_t action)
{
    struct sock_filter insns[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof insns / sizeof *insns, insns};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* As container runtimes do: the call fails. */
static int refuse_userfaultfd(void)
{
    return on_userfaultfd(SECCOMP_RET_ERRNO | EPERM);
}

/* As strict sandboxes do: whoever makes the call is killed. */
static int forbid_userfaultfd(void)
{
    return on_userfaultfd(SECCOMP_RET_KILL_PROCESS);
}

/* Traces the program with and without a sandbox around both; returns the
 * output of the one within. */
static char *output_within(int (*sandbox)(void), const char *program)
{
    const struct job bare = {.argv = ARGS("--", program, "1")};
    const struct job within = {.argv = bare.argv, .prepare = sandbox};
    struct store with = {0}, without = {0};
    struct buf expected = {0};
    struct result result;
    char *output;

    trace(&bare, &without, &result);
    result_release(&result);
    trace(&within, &with, &result);
    cr_assert(eq(int, result.status, 0));
    kinds(&without, &expected);
    expect_kinds(&with, buf_text(&expected));
    output = strdup(buf_text(&result.out));
    result_release(&result);
    buf_release(&expected);
    store_release(&with);
    store_release(&without);
    return output;
}

Test(guard, works_where_userfaultfd_is_refused)
{
    cr_assert(eq(str, output_within(refuse_userfaultfd, TRACEE("babyjit-O0")),
                 "2 3 4\n"));
    cr_assert(eq(str, output_within(refuse_userfaultfd, TRACEE("stores")),
                 "42 42\n"));
}

Test(guard, does_not_provoke_a_sandbox_that_kills)
{
    cr_assert(eq(str, output_within(forbid_userfaultfd, TRACEE("babyjit-O0")),
                 "2 3 4\n"));
}

/* There mprotect is what holds the permission back, and it shows. */
Test(guard, without_userfaultfd_shows_in_the_map)
{
    char *output = output_within(refuse_userfaultfd, TRACEE("own_maps"));

    cr_assert(eq(str, output, "r--p\n42\n"));
}

/* A call changes one page of a region while a thread stores into another one:
 * the guard there is lifted of the region as a whole, behind that call. Where
 * the store did not wait for it, one run in three did not end. */
Test(guard, a_store_waits_for_a_call_about_its_region)
{
    for (int round = 0; round < 5; round++) {
        struct store store = {0};
        struct result result;

        trace(&(struct job){.argv = ARGS("--", TRACEE("barriers")),
                            .prepare = refuse_userfaultfd,
                            .seconds = 30},
              &store, &result);
        cr_assert(eq(int, result.status, 0));
        cr_assert(eq(str, (char *)buf_text(&result.out), "600 stores\n"));
        result_release(&result);
        store_release(&store);
    }
}

/* Each byte that was stored, by whom it was. */
Test(guard, stores_of_several_threads_are_told_apart)
{
    for (int round = 0; round < 10; round++) {
        int of[69] = {0}, seen = 0, tids[3] = {0};
        struct store store = {0};
        size_t i;

        compare(&(struct job){.argv = ARGS(TRACEE("threads_store"))}, &store);
        for (i = 0; i < count(&store, EVENT_WRITE); i++) {
            const struct event *event = nth(&store, EVENT_WRITE, i);
            size_t offset = event->write.offset;

            cr_assert(lt(sz, offset, 69));
            cr_assert(eq(int, of[offset], 0), "byte %zu twice", offset);
            if (event->write.by) {
                cr_assert(eq(str, (char *)event->write.by, "elsewhere"));
                continue;
            }
            cr_assert(eq(sz, event->write.new.len, 1));
            of[offset] = event->tid;
            seen++;
            if (!tids[offset % 3])
                tids[offset % 3] = event->tid;
            cr_assert(eq(int, event->tid, tids[offset % 3]));
        }
        cr_assert(lt(int, 40, seen), "most stores are seen as such");
        cr_assert(ne(int, tids[0], tids[1]));
        cr_assert(ne(int, tids[1], tids[2]));
        store_release(&store);
    }
}

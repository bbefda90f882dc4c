/* SPDX-License-Identifier: MIT */
/*
 * Signals to jittrace: what a key of the terminal makes is for the program,
 * what somebody sends to jittrace alone ends both, and what whoever started
 * jittrace wants ignored is ignored.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/refuse.h"
#include "support/support.h"
#include "target/proc.h"
#include "support/terminal.h"

TestSuite(ended, .timeout = 60);

/* Seconds after which a program is killed that was asked to end; and within
 * which one that does end has taken jittrace with it. */
#define GRACE 5
#define SOON  2

/* A program that waits, and what marks its process. */
static const char *const *const waits =
    ARGS(JITTRACE, "-o", "/dev/null", "--", TRACEE("endless"), "outside");

/* Waits until jittrace has set what it does with signals. */
static void wait_for_handlers(pid_t pid)
{
    double since = now();

    while (!proc_catches(pid, SIGALRM))
        cr_assert(eq(int, wait_a_moment(since, 10 * SLOWNESS), 1));
}

/* Nobody of its process group is there any more. */
static void expect_alone(const struct running *running)
{
    while (kill(-running->pid, 0) == 0)
        cr_assert(eq(int, wait_a_moment(running->since, 10 * SLOWNESS), 1),
                  "somebody is left");
}

static void ends(const char *const *argv, int (*prepare)(void), int signal)
{
    struct running running;
    struct result result;
    double sent;

    run_begin(&(struct job){.argv = argv, .prepare = prepare}, &running);
    wait_for_handlers(running.pid);
    kill(running.pid, signal);
    sent = now();
    run_end(&running, &result);
    cr_assert(eq(int, result.status, 128 + signal));
    cr_assert(lt(dbl, now() - sent, SOON));
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    expect_alone(&running);
    result_release(&result);
}

static const int all[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

Test(ended, by_a_signal_to_jittrace_alone)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ends(waits, NULL, all[i]);
        ends(ARGS(JITTRACE, "-o", "/dev/null", "--", TRACEE("endless"),
                  "inside"),
             NULL, all[i]);
        ends(ARGS(JITTRACE, "--format=json", "-o", "/dev/null", "--", "sleep",
                  "1000"),
             NULL, all[i]);
    }
}

/* Nothing can be passed on then, but the program does not stay. */
static int without_pidfd(void)
{
    return refuse(SYS_pidfd_open, ENOSYS);
}

Test(ended, where_there_are_no_pidfds)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ends(waits, without_pidfd, all[i]);
}

static int ignore_all(void)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (signal(all[i], SIG_IGN) == SIG_ERR)
            return -1;
    return 0;
}

/* As nohup, or a shell that starts it in the background. */
Test(ended, not_by_what_shall_be_ignored)
{
    struct proc_signals set = {0};
    struct running running;
    struct result result;

    run_begin(&(struct job){.argv = waits, .prepare = ignore_all}, &running);
    wait_for_handlers(running.pid);
    cr_assert(eq(int, proc_signals(running.pid, &set), 1));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        cr_assert(eq(int, set.ignored >> (all[i] - 1) & 1, 1), "%d", all[i]);
        kill(-running.pid, all[i]);
    }
    cr_assert(eq(int, kill(running.pid, 0), 0));
    kill(running.pid, SIGKILL);
    run_end(&running, &result);
    cr_assert(eq(int, result.status, 128 + SIGKILL));
    expect_alone(&running);
    result_release(&result);
}

/* It goes on reading behind its handler. */
#define HANDLES ARGS(JITTRACE, "-o", "/dev/null", "--", TRACEE("interrupted"))

Test(ended, ctrl_c_is_for_the_program)
{
    struct tty tty;
    double since;

    tty_start(&tty, &(struct job){.argv = HANDLES, .seconds = 30}, 10, 60);
    tty_wait_output(&tty, "ready");
    tty_type(&tty, "\003");
    tty_wait_output(&tty, "caught 1");
    tty_type(&tty, "\003");
    tty_wait_output(&tty, "caught 2");
    for (since = now(); wait_a_moment(since, GRACE + 0.5);)
        continue;
    tty_type(&tty, "word\n");
    tty_wait_output(&tty, "got word");
    cr_assert(eq(int, tty_wait_end(&tty), 7));
    cr_assert(eq(int, tty_shows(&tty, "caught 3"), 0));
    tty_release(&tty);
}

/* And one that does not handle it ends, and jittrace says by what. */
Test(ended, ctrl_c_ends_who_does_not_handle_it)
{
    struct tty tty;

    tty_start(&tty,
              &(struct job){.argv = ARGS(JITTRACE, "--", "bash", "-c",
                                         "echo ready; read -r line")},
              24, 80);
    tty_wait_output(&tty, "ready");
    tty_type(&tty, "\003");
    cr_assert(eq(int, tty_wait_end(&tty), 128 + SIGINT));
    cr_assert(eq(int, tty_shows(&tty, "SIGINT"), 1));
    tty_expect_restored(&tty);
    tty_release(&tty);
}

/* By somebody else, at a terminal. */
Test(ended, at_a_terminal)
{
    const char *const *const commands[] = {
        ARGS(JITTRACE, "--", TRACEE("endless"), "outside"),
        ARGS(JITTRACE, "--step", "--plain", "--", TRACEE("endless"), "outside"),
        ARGS(JITTRACE, "--step", "--", TRACEE("endless"), "outside"),
    };
    const char *const shown[] = {NULL, "step 0>", "what happened"};

    for (size_t i = 0; i < 3 * sizeof all / sizeof *all; i++) {
        struct tty tty;
        int signal = all[i / 3];

        tty_start(&tty, &(struct job){.argv = commands[i % 3]}, 24, 80);
        if (shown[i % 3]) {
            tty_wait_text(&tty, shown[i % 3]);
        } else {
            wait_for_handlers(tty.pid);
            tty_wait_output(&tty, "back at");
        }
        kill(tty.pid, signal);
        cr_assert(eq(int, tty_wait_end(&tty), 128 + signal), "%zu", i % 3);
        tty_expect_restored(&tty);
        tty_wait_alone(&tty);
        tty_release(&tty);
    }
}

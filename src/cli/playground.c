/* SPDX-License-Identifier: MIT */
/*
 * The playground, and the processes that it runs in.
 */
#include "cli/show.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "observe/observe.h"
#include "play/play.h"
#include "step/driver.h"

static const uint8_t host[] = {
#include "lessons/playground/host.inc"
};

/* What such a process writes is known from its events. */
static struct source *start(void *context, int request, struct err *err)
{
    struct observe_budget budget;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct launch launch = {.argv = (char *[]){"play", NULL},
                            .image = {host, sizeof host},
                            .stdin_fd = request,
                            .stdout_fd = nowhere,
                            .stderr_fd = nowhere};
    struct source *source;

    (void)context;
    for (enum budget i = 0; i < BUDGETS; i++)
        *budget_value(&budget, i) = 1 << 20;
    budget.steps = budget.call_steps = RUN_STEPS;
    source = observe_new(&launch, &budget, NULL, err);
    if (nowhere >= 0)
        close(nowhere);
    return source;
}

int playground(const struct options *options, struct err *err)
{
    struct driver driver = {
        .input = STDIN_FILENO, .signals = driver_signals(err), .output = -1};
    int result = -1;

    signal(SIGPIPE, SIG_IGN);
    if (driver.signals >= 0)
        result = play(&driver, stdout, wants_color(options, stdout), start,
                      NULL, err);
    if (driver.signals >= 0)
        close(driver.signals);
    if (result < 0 && err->kind != ERR_PIPE)
        return complain(err);
    return result > 0 ? 128 + result : 0;
}

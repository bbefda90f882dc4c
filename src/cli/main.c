/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/compared.h"
#include "cli/diff.h"
#include "cli/manual.h"
#include "cli/options.h"
#include "cli/show.h"
#include "cli/sweep.h"

/* Descriptors 0 to 2 that are closed would be given to files of ours. They are
 * opened with FD_CLOEXEC, so that the program finds them closed, as it should.
 * Returns whether standard output was open. */
static bool fill_descriptors(void)
{
    bool has_stdout = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return has_stdout;
}

int main(int argc, char **argv)
{
    bool has_stdout = fill_descriptors();
    struct options options;
    struct err err;
    int status;

    if (options_parse(argc, argv, &options, &err) < 0)
        return complain(&err);
    if (!has_stdout && (!options.output || options.step || options.play)) {
        err_set(&err, ERR_OUTPUT,
                "standard output is closed; -o FILE writes the trace to a "
                "file");
        return complain(&err);
    }
    if (options.help || options.version || options.list || options.manual) {
        if (options.help)
            options_help(stdout);
        else if (options.list)
            options_list_lessons(stdout);
        else if (options.manual)
            manual_write(stdout, options.manual);
        else
            puts("jittrace " JITTRACE_VERSION);
        if (fflush(stdout) == 0 && !ferror(stdout))
            return 0;
        err_set(&err, ERR_OUTPUT, "cannot write to standard output: %s",
                strerror(errno));
        return complain(&err);
    }
    status = options.doctor               ? doctor(&options, &err)
             : options.play               ? playground(&options, &err)
             : options.sweep              ? sweep(&options, &err)
             : options.diff               ? show_diff(&options, &err)
             : wants_comparison(&options) ? show_compared(&options, &err)
                                          : show(&options, &err);
    free((void *)options.typed);
    return status;
}

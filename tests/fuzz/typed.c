/* SPDX-License-Identifier: MIT */
/*
 * typed.c - any bytes as what a reader types: to --step --plain, to the same
 * with questions (--predict), or to the playground, where no program can be
 * started and no assembler is; the first byte says which.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "format/format.h"
#include "fuzz.h"
#include "play/play.h"
#include "step/driver.h"

/* What is stepped through; named from where make runs. */
#define RECORDING "tests/fuzz/corpus/recording/babyjit-O0.json"

static int input_of(const uint8_t *data, size_t size)
{
    int fd = memfd_create("typed", MFD_CLOEXEC);

    BUG_UNLESS(fd >= 0 && write(fd, data, size) == (ssize_t)size &&
               lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void step(struct driver *driver, bool predicts, FILE *out)
{
    FILE *in = fopen(RECORDING, "re");
    struct source *source;
    struct session *session;
    struct predict predict = {0};
    struct err err = {ERR_NONE, ""};

    BUG_UNLESS(in);
    source = recording_new(in, RECORDING);
    session = session_new(source);
    if (predicts)
        session->predict = &predict;
    BUG_UNLESS(session_load(session, &err) == 0);
    plain_run(session, driver, out, false, &err);
    fuzz_check_text(err.text, strlen(err.text), false);
    predict_release(&predict);
    session_free(session);
    source_free(source);
    fclose(in);
}

static struct source *start_none(void *context, int request, struct err *err)
{
    (void)context;
    (void)request;
    err_set(err, ERR_TRACING, "nothing is started here");
    return NULL;
}

static void play_with(struct driver *driver, FILE *out)
{
    struct err err = {ERR_NONE, ""};

    setenv("PATH", "/nowhere", 1);
    play(driver, out, false, start_none, NULL, &err);
    fuzz_check_text(err.text, strlen(err.text), false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct driver driver = {.signals = -1, .output = -1};
    char *text = NULL;
    size_t len = 0;
    FILE *out;

    /* What would be written to a file is not tried. */
    if (size == 0 || memmem(data, size, "save", 4))
        return 0;
    out = open_memstream(&text, &len);
    driver.input = input_of(data, size);
    if (*data % 3 == 2)
        play_with(&driver, out);
    else
        step(&driver, *data % 3 == 1, out);
    close(driver.input);
    fclose(out);
    fuzz_check_text(text, len, false);
    free(text);
    return 0;
}

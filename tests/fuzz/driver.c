/* SPDX-License-Identifier: MIT */
/*
 * driver.c - stands in for clang's libFuzzer where it is not: it has no eye for
 * what of the program an input reaches, but the same targets.
 *
 *     TARGET [-runs=N] [-seed=N] [-artifact_prefix=PATH] DIRECTORY...
 *
 * Runs each file as it is, then changes of them, N runs in all. An input that
 * ends the process is left in the file that is named then.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define MOST  (16u << 10) /* bytes of an input */
#define FILES 256u

#pragma weak LLVMFuzzerCustomMutator

struct input {
    uint8_t data[MOST];
    size_t size;
};

static struct input corpus[FILES];
static size_t corpus_count;
static unsigned seed = 1;
static char left[256] = "crash-input"; /* where a deadly input is left */

/* The input of this run, for whoever finds that it was the last one. */
static struct input now;

static void keep_input(int signal)
{
    int fd = open(left, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd >= 0 && write(fd, now.data, now.size) == (ssize_t)now.size)
        dprintf(STDERR_FILENO, "fuzz: signal %d; the input is in %s\n", signal,
                left);
    raise(signal); /* which is no longer handled */
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most)
{
    size_t at = size ? (size_t)rand_r(&seed) % size : 0;
    size_t len = 1 + (size_t)rand_r(&seed) % 8;

    switch (rand_r(&seed) % 4) {
    case 0: /* another byte */
        if (size > 0)
            data[at] = (uint8_t)rand_r(&seed);
        return size;
    case 1: /* some less */
        len = len < size - at ? len : size - at;
        memmove(data + at, data + at + len, size - at - len);
        return size - len;
    case 2: /* some more */
        if (size + len > most)
            return size;
        memmove(data + at + len, data + at, size - at);
        for (size_t i = 0; i < len; i++)
            data[at + i] = (uint8_t)rand_r(&seed);
        return size + len;
    default: /* a bit */
        if (size > 0)
            data[at] ^= (uint8_t)(1u << rand_r(&seed) % 8);
        return size;
    }
}

static void read_input(const char *directory, const char *name)
{
    struct input *input = &corpus[corpus_count];
    char path[4096];
    FILE *in;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    in = fopen(path, "re");
    if (!in)
        return;
    input->size = fread(input->data, 1, MOST, in);
    fclose(in);
    corpus_count++;
}

static void read_corpus(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;

    if (!dir)
        return;
    while (corpus_count < FILES && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            read_input(directory, entry->d_name);
    closedir(dir);
}

/* Run number n: the corpus as it is, then changes of it. */
static void run(size_t n)
{
    now = corpus[n % corpus_count];
    for (int i = n < corpus_count ? 0 : 1 + rand_r(&seed) % 4; i > 0; i--) {
        if (LLVMFuzzerCustomMutator)
            now.size = LLVMFuzzerCustomMutator(now.data, now.size, MOST,
                                               (unsigned)rand_r(&seed));
        else
            now.size = LLVMFuzzerMutate(now.data, now.size, MOST);
    }
    LLVMFuzzerTestOneInput(now.data, now.size);
}

int main(int argc, char **argv)
{
    static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS,
                                 SIGFPE,  SIGILL,  SIGALRM};
    struct sigaction action = {.sa_handler = keep_input,
                               .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    size_t runs = 0, n = 0;

    for (int i = 1; i < argc; i++)
        if (sscanf(argv[i], "-runs=%zu", &runs) != 1 &&
            sscanf(argv[i], "-seed=%u", &seed) != 1 &&
            sscanf(argv[i], "-artifact_prefix=%200s", left) != 1 &&
            argv[i][0] != '-')
            read_corpus(argv[i]);
    if (left[strlen(left) - 1] == '-')
        strcat(left, "crash-input");
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        sigaction(deadly[i], &action, NULL);
    if (corpus_count == 0) {
        fprintf(stderr, "%s: there is no corpus\n", argv[0]);
        return 1;
    }
    for (; n < corpus_count || n < runs; n++) {
        alarm(20);
        run(n);
    }
    printf("Done %zu runs\n", n);
    return 0;
}

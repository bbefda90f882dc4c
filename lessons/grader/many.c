/* SPDX-License-Identifier: MIT */
#include "grader/many.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "grader/adder.h"

/* Three for each CPU: to wake one takes a quarter of the time of its block, and
 * meanwhile others work. More are not used: one process compares. */
#define HOSTS 12

/* What lies in a slot before it is encoded; it must not be zero. */
#define FILLER 0xee

/* The random terms come after those at equal distances. These are so many, for
 * negative and for other terms, and a prime number apart, that each remainder
 * by up to a million comes up. */
#define DISTANCE 2143u
#define SPREAD   ((uint64_t)UINT32_MAX / DISTANCE + 1)
#define RANDOM   1000000u

struct host {
    pid_t pid; /* 0: none */
    int to, from;
    bool busy;
    time_t since;             /* seconds of the clock that nobody sets */
    uint64_t from_term;       /* the number of its block's first one */
    struct many_block *given; /* ours: what it was told to do */
    struct many_block *block; /* what it can change */
    uint8_t *code;
};

struct crowd {
    struct many *many;
    struct host host[HOSTS];
    unsigned count;
    uint64_t next, random; /* the next term, and the state of the random ones */
    uint64_t failed_at;    /* the number of the term that failed */
    time_t said;           /* when progress was shown last */
};

static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* --- terms ---------------------------------------------------------------- */

uint64_t many_terms(const struct many *many)
{
    return many->all ? (uint64_t)UINT32_MAX + 1 : SPREAD + RANDOM;
}

/* SplitMix64, by Sebastiano Vigna, in the public domain. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t value = *state += 0x9e3779b97f4a7c15;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static int32_t take_term(struct crowd *crowd)
{
    uint64_t n = crowd->next++;

    if (crowd->many->all)
        return (int32_t)(uint32_t)n;
    if (n < SPREAD)
        return (int32_t)(uint32_t)(n * DISTANCE);
    return (int32_t)(uint32_t)random_next(&crowd->random);
}

/* --- a block -------------------------------------------------------------- */

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void give_block(struct crowd *crowd, struct host *host)
{
    const struct many *many = crowd->many;
    uint64_t left = many_terms(many) - crowd->next;
    uint32_t most = MANY_CODE / many->slot;
    struct many_block *given = host->given;

    host->from_term = crowd->next;
    given->count = left < most ? (uint32_t)left : most;
    for (uint32_t i = 0, k = 0; i < given->count; i++) {
        given->term[i] = take_term(crowd);
        given->argument[i] = adder_arguments[k];
        k = k + 1 < adder_argument_count ? k + 1 : 0;
    }
    memcpy(host->block, given, offsetof(struct many_block, length));
    memset(host->code, FILLER, MANY_CODE);
    host->busy = true;
    host->since = now();
    if (write(host->to, "", 1) != 1)
        return; /* it has died: that is seen where its answer is read */
}

/* It has returned from all, and stored to each slot. The bytes are compared as
 * two numbers: adder_encode() would take as long as all the rest. */
static bool is_right(const struct many *many, const struct host *host,
                     const uint64_t want[2], uint32_t i)
{
    const uint8_t *code = host->code + (size_t)i * many->slot;
    int32_t term = host->given->term[i];
    uint64_t got[2];

    if (host->block->result[i] !=
        (uint64_t)(int64_t)term + (uint64_t)host->given->argument[i])
        return false;
    if (!many->exact)
        return host->block->length[i] <= many->slot;
    memcpy(got, code, sizeof got);
    return host->block->length[i] == ADDER_LENGTH &&
           got[0] == (want[0] | (uint64_t)(uint32_t)term << ADDER_TERM_BIT) &&
           got[1] == want[1];
}

/* The first one counts, in the order of terms. */
static void take_wrong(struct crowd *crowd, const struct host *host, uint32_t i,
                       uint64_t length)
{
    struct many *many = crowd->many;

    if (many->failed && crowd->failed_at <= host->from_term + i)
        return;
    many->failed = true;
    crowd->failed_at = host->from_term + i;
    many->term = host->given->term[i];
    many->length = length;
    memcpy(many->code, host->code + (size_t)i * many->slot, sizeof many->code);
}

static void judge_block(struct crowd *crowd, const struct host *host)
{
    uint64_t want[2];

    memset(want, FILLER, sizeof want);
    adder_encode(0, (uint8_t *)want);
    for (uint32_t i = 0; i < host->given->count; i++) {
        if (!is_right(crowd->many, host, want, i)) {
            take_wrong(crowd, host, i, host->block->length[i]);
            return;
        }
        crowd->many->tried++;
    }
}

/* It has died, or does not come back. */
static void give_up(struct crowd *crowd, struct host *host)
{
    uint32_t at = host->block->encoding;

    host->busy = false;
    take_wrong(crowd, host, at < host->given->count ? at : 0, UINT64_MAX);
}

/* --- hosts ---------------------------------------------------------------- */

static void *map(int *fd, size_t size)
{
    void *memory;

    *fd = memfd_create("terms", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)size) < 0)
        return NULL;
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Whatever it starts is in its process group, and ends with it. */
static int spawn(const struct many *many, struct host *host, const int fds[4])
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char block[16], code[16], slot[16];
    char *argv[] = {(char *)many->host,   "many", block, code,
                    (char *)many->object, slot,   NULL};
    int error;

    snprintf(block, sizeof block, "%d", fds[0]);
    snprintf(code, sizeof code, "%d", fds[1]);
    snprintf(slot, sizeof slot, "%u", many->slot);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 2; i++) /* onto itself: not closed by exec */
        posix_spawn_file_actions_adddup2(&actions, fds[i], fds[i]);
    posix_spawn_file_actions_adddup2(&actions, fds[2], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fds[3], STDOUT_FILENO);
    error =
        posix_spawn(&host->pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error)
        host->pid = 0;
    return error;
}

/* Returns 0, or what errno says. */
static int start(const struct many *many, struct host *host)
{
    int fds[4] = {-1, -1, -1, -1}, to[2] = {-1, -1}, from[2] = {-1, -1};
    int error = 0;

    host->given = mem_alloc(sizeof *host->given);
    host->block = map(&fds[0], sizeof *host->block);
    host->code = map(&fds[1], MANY_CODE);
    if (!host->block || !host->code || pipe2(to, O_CLOEXEC) < 0 ||
        pipe2(from, O_CLOEXEC) < 0)
        error = errno;
    fds[2] = to[0];
    fds[3] = from[1];
    host->to = to[1];
    host->from = from[0];
    if (!error)
        error = spawn(many, host, fds);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    return error;
}

static void end(struct host *host)
{
    if (host->pid > 0) {
        kill(-host->pid, SIGKILL);
        kill(host->pid, SIGKILL);
        while (waitpid(host->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close(host->to);
    close(host->from);
    if (host->block)
        munmap(host->block, sizeof *host->block);
    if (host->code)
        munmap(host->code, MANY_CODE);
    free(host->given);
}

/* --- all ------------------------------------------------------------------ */

/* Waits until a host has done its block, and returns it; NULL if none has for
 * that long, or a signal came. */
static struct host *wait_for_host(struct crowd *crowd, int milliseconds)
{
    struct pollfd polled[HOSTS];

    for (unsigned i = 0; i < crowd->count; i++)
        polled[i] = (struct pollfd){
            crowd->host[i].busy ? crowd->host[i].from : -1, POLLIN, 0};
    if (poll(polled, crowd->count, milliseconds) > 0)
        for (unsigned i = 0; i < crowd->count; i++)
            if (polled[i].revents)
                return &crowd->host[i];
    return NULL;
}

/* Once a second. */
static void show_progress(struct crowd *crowd)
{
    const struct many *many = crowd->many;

    if (!many->shows_progress || crowd->said == now())
        return;
    crowd->said = now();
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " terms, %.0f %% ", many->tried,
            many_terms(many),
            100.0 * (double)many->tried / (double)many_terms(many));
}

static void take_block(struct crowd *crowd, struct host *host)
{
    char done;

    if (read(host->from, &done, 1) != 1) {
        give_up(crowd, host);
        return;
    }
    host->busy = false;
    judge_block(crowd, host);
}

/* Gives each host one block after the other until all are done, or one is
 * wrong. */
static void drive(struct crowd *crowd)
{
    struct many *many = crowd->many;
    bool busy = true;

    while (busy && !stopped) {
        struct host *done = wait_for_host(crowd, 100);

        if (done)
            take_block(crowd, done);
        show_progress(crowd);
        busy = false;
        for (unsigned i = 0; i < crowd->count; i++) {
            struct host *host = &crowd->host[i];

            if (host->busy && now() - host->since > many->seconds)
                give_up(crowd, host);
            if (!host->busy && !many->failed && crowd->next < many_terms(many))
                give_block(crowd, host);
            busy |= host->busy;
        }
    }
    many->interrupted = stopped;
}

int many_try(struct many *many, struct err *err)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct crowd crowd = {.many = many, .random = many->seed};
    struct sigaction stop = {.sa_handler = on_stop}, before[3];
    static const int signals[] = {SIGINT, SIGTERM, SIGPIPE};
    unsigned started = 0;
    int error = 0;

    crowd.count = cpus < HOSTS / 3 ? 3 * (unsigned)cpus : HOSTS;
    stopped = 0;
    for (int i = 0; i < 3; i++) {
        if (signals[i] == SIGPIPE)
            stop.sa_handler = SIG_IGN; /* of a host that has died */
        sigaction(signals[i], &stop, &before[i]);
    }
    for (; started < crowd.count && !error; started++)
        error = start(many, &crowd.host[started]);
    if (!error)
        drive(&crowd);
    for (unsigned i = 0; i < started; i++)
        end(&crowd.host[i]);
    for (int i = 0; i < 3; i++)
        sigaction(signals[i], &before[i], NULL);
    if (many->failed)
        many->tried = crowd.failed_at;
    if (many->shows_progress)
        fprintf(stderr, "\r%*s\r", 60, "");
    if (error)
        return err_set(err, ERR_TRACING, "cannot try many terms: %s",
                       strerror(error));
    return 0;
}

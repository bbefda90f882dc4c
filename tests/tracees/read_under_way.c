/* SPDX-License-Identifier: MIT */
/*
 * One thread waits in read(2) for bytes that are to go to memory that may
 * become code, while another one does there what sets guards again: a store
 * that goes on into it from the page before, madvise(2), and a popf that is
 * executed. The read must succeed each time.
 *
 * prints:  store: read 10
 * prints:  madvise: read 10
 * prints:  popf: read 10
 * ends:    status 0
 * reports: write +4092 *
 * reports: enter * call
 * reports: step * popfq
 * reports: exit status 0
 * never:   signal *
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

static const uint8_t insns[] = {
    0x9c, /* pushf */
    0x9d, /* popf */
    0xc3, /* ret */
};

static uint8_t *pages; /* two, of different protections */
static int ends[2];
static atomic_int tid;

/* Whether that thread sleeps in a read. */
static int is_reading(int of)
{
    char path[64], text[64] = "";
    long number = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", of);
    file = fopen(path, "r");
    if (!file)
        return 0;
    if (fgets(text, sizeof text, file))
        sscanf(text, "%ld", &number);
    fclose(file);
    return number == SYS_read;
}

static void *reads(void *count)
{
    tid = (int)syscall(SYS_gettid);
    *(long *)count = read(ends[0], pages + PAGE + 100, 10);
    return NULL;
}

static void store(void)
{
    *(volatile uint64_t *)(void *)(pages + PAGE - 4) = 0x1122334455667788;
}

static void advise(void)
{
    madvise(pages + PAGE, PAGE, MADV_DONTNEED);
}

static void call(void)
{
    const uint8_t *code = pages + PAGE;
    void (*function)(void);

    memcpy(&function, &code, sizeof function);
    function();
}

static void try(const char *name, void (*act)(void))
{
    pthread_t thread;
    long count = 0;

    memcpy(pages + PAGE, insns, sizeof insns);
    tid = 0;
    pthread_create(&thread, NULL, reads, &count);
    while (!tid || !is_reading(tid))
        usleep(1000);
    act();
    if (write(ends[1], "0123456789", 10) != 10)
        count = -2;
    pthread_join(thread, NULL);
    printf("%s: read %ld\n", name, count);
    if (count != 10)
        exit(1);
}

int main(void)
{
    pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || pipe(ends) < 0 ||
        mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
        return 1;
    try("store", store);
    try("madvise", advise);
    try("popf", call);
    return 0;
}

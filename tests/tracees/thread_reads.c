/* SPDX-License-Identifier: MIT */
/*
 * A thread waits in read(2) for code that goes into a page, while another one
 * stores into that page, makes it executable and writable again, and only then
 * writes the code to the pipe. The call that is under way must not fail at a
 * guard.
 *
 * The one stores `ret` at 0x10, the other one reads `mov eax, 42; ret` to 0.
 *
 * prints:  6 bytes: 42
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x *
 * reports: protect r-x rw- *
 * reports: write +0 b82a000000c3 by read
 * reports: protect rw- r-x b82a000000c300000000000000000000c3
 * reports: enter +0 call
 * reports: leave return 42
 * never:   signal *
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile uint8_t *page;
static int ends[2];
static atomic_int reader;

static void *receive(void *unused)
{
    atomic_store(&reader, (int)syscall(SYS_gettid));
    printf("%zd bytes: ", read(ends[0], (void *)(uintptr_t)page, 16));
    return unused;
}

/* Whether the thread sleeps: it can only be in read. */
static int sleeps(int tid)
{
    char name[64], state = 0;
    FILE *stat;

    snprintf(name, sizeof name, "/proc/self/task/%d/stat", tid);
    stat = fopen(name, "r");
    if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
        state = 'S';
    if (stat)
        fclose(stat);
    return state == 'S';
}

static int set(int prot)
{
    return mprotect((void *)(uintptr_t)page, 4096, prot);
}

int main(void)
{
    pthread_t other;

    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (page == MAP_FAILED || pipe(ends) < 0 ||
        pthread_create(&other, NULL, receive, NULL) != 0)
        return 1;
    while (atomic_load(&reader) == 0 || !sleeps(atomic_load(&reader)))
        continue;
    page[16] = 0xc3;
    if (set(PROT_READ | PROT_EXEC) < 0 || set(PROT_READ | PROT_WRITE) < 0 ||
        write(ends[1], "\xb8\x2a\0\0\0\xc3", 6) != 6)
        return 1;
    pthread_join(other, NULL);
    if (set(PROT_READ | PROT_EXEC) < 0)
        return 1;
    printf("%d\n", ((int (*)(void))(uintptr_t)page)());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * perf_map.c - names its functions in /tmp/perf-PID.map, where perf(1) looks
 * for them.
 *
 * One page, two functions: at offset 0 `mov eax, 7; ret`, at 16 `jmp` to the
 * first. Both are named before the first call, among lines that mean nothing
 * and behind one that names all of it; then the first is stored anew and named
 * anew, and the name of the second comes again. It gets another one after the
 * last call, in a line that waits for its newline until then. The file is gone
 * in the end.
 *
 * prints:  7 7 8
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x b807000000c3*
 * reports: limit name-format
 * reports: name all
 * reports: name seven
 * reports: name jump to seven
 * reports: enter +0 call
 * reports: leave return 7
 * reports: enter +16 call
 * reports: leave return 7
 * reports: protect r-x rw-*
 * reports: write +* 08
 * reports: protect rw- r-x b808000000c3*
 * reports: name eight
 * reports: enter +0 call
 * reports: leave return 8
 * reports: name jump
 * reports: name elsewhere
 * reports: exit status 0
 * reports: verdict names broken
 * reports: verdict names broken
 * never:   name
 * never:   name of nothing
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint8_t seven[] = {0xb8, 7, 0, 0, 0, 0xc3};
static const uint8_t jump[] = {0xeb, (uint8_t)(0 - 18)};

static int call(void *function)
{
    return ((int (*)(void))function)();
}

int main(void)
{
    volatile uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *page = (void *)(uintptr_t)code;
    unsigned long long addr = (uintptr_t)code;
    char name[64];
    FILE *map;
    int first, second, third;

    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    map = fopen(name, "w");
    if (code == MAP_FAILED || !map)
        return 1;
    memcpy(page, seven, sizeof seven);
    memcpy((uint8_t *)page + 16, jump, sizeof jump);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    fprintf(map, "%llx 12 all\n%llx 6 seven\n\nnonsense\n%llx 0 of nothing\n",
            addr, addr, addr);
    fprintf(map, "%llx 2 jump to seven\n1000 10 elsewhere\n", addr + 16);
    fflush(map);
    first = call(page);
    second = call((uint8_t *)page + 16);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    code[1] = 8;
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    fprintf(map, "%llx 6 eight\n%llx 2 jump to seven\n%llx 2 ju", addr,
            addr + 16, addr + 16);
    fflush(map);
    third = call(page);
    fprintf(map, "mp\n");
    fclose(map);
    printf("%d %d %d\n", first, second, third);
    return unlink(name);
}

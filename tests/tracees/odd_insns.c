/* SPDX-License-Identifier: MIT */
/*
 * Instructions that a step treats in their own way: mov ss puts the trap off by
 * one, a string instruction traps at each round, cpuid and rdtsc may trap to a
 * hypervisor, and a call of the vsyscall page is made by the kernel. (int 0x80
 * is in int80.c: not every kernel knows it.)
 *
 * prints:  1
 * prints:  2 hello
 * prints:  syscall: same process, flag 0
 * prints:  vsyscall: now
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +* cpuid
 * reports: step +* rdtsc
 * reports: leave return 1
 * reports: enter +0 call
 * reports: step +3 *movsb*
 * reports: leave return 2
 * reports: step +* syscall
 * reports: leave call
 * reports: enter +* return
 * never:   limit *
 * never:   signal *
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "code.h"

static const uint8_t various[] = {
    0x8c, 0xd0, 0x8e, 0xd0, 0x90,       /* mov eax, ss; mov ss, eax; nop */
    0x53, 0x31, 0xc0, 0x0f, 0xa2, 0x5b, /* push rbx; eax = 0; cpuid; pop rbx */
    0x0f, 0x31,                         /* rdtsc */
    0xb8, 1,    0,    0,    0,    0xc3, /* mov eax, 1; ret */
};
static const uint8_t copy[] = {
    0x48, 0x89, 0xd1, 0xf3, 0xa4,       /* mov rcx, rdx; rep movsb */
    0xb8, 2,    0,    0,    0,    0xc3, /* mov eax, 2; ret */
};
static const uint8_t by_syscall[] = {
    0xb8, 39,   0,    0,    0, 0x0f, 0x05, /* mov eax, 39; syscall */
    0x4c, 0x89, 0x1f, 0xc3,                /* mov [rdi], r11; ret */
};
static const uint8_t by_vsyscall[] = {
    0x48, 0x83, 0xec, 8,                      /* sub rsp, 8 */
    0x48, 0xc7, 0xc0, 0,    4,    0x60, 0xff, /* rax = time's place */
    0x31, 0xff, 0xff, 0xd0,                   /* edi = 0; call rax */
    0x48, 0x83, 0xc4, 8,    0xc3,             /* add rsp, 8; ret */
};

#define MAKE(insns) code_new(insns, sizeof(insns))

/* Some kernels have no vsyscall page (vdso(7)): then nothing is called. */
static int has_vsyscall(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[256];
    int found = 0;

    while (maps && fgets(line, sizeof line, maps))
        found |= strstr(line, "[vsyscall]") != NULL;
    if (maps)
        fclose(maps);
    return found;
}

int main(void)
{
    char to[8] = "", from[8] = "hello";
    uint64_t flags = 0;
    long then, since;
    int id;

    printf("%d\n", ((int (*)(void))MAKE(various))());
    id = ((int (*)(char *, char *, long))MAKE(copy))(to, from, sizeof to);
    printf("%d %s\n", id, to);
    id = ((int (*)(uint64_t *))MAKE(by_syscall))(&flags);
    printf("syscall: %s process, flag %u\n",
           id == getpid() ? "same" : "another", (unsigned)flags & 0x100);
    then = time(NULL);
    since = has_vsyscall() ? ((long (*)(void))MAKE(by_vsyscall))() - then : 0;
    printf("vsyscall: %s\n", since >= -1 && since < 60 ? "now" : "when?");
    return 0;
}

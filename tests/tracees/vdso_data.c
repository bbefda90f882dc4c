/* SPDX-License-Identifier: MIT */
/*
 * The program takes the permission to execute it from the vdso. As jittrace
 * makes its own calls there, it gives everything back before that.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: enter +0 call
 * reports: leave return 5
 * reports: limit vdso
 * reports: output 1 5 6\\n
 * reports: exit status 0
 * never:   leave return 6
 * never:   signal *
 */
#include <stdio.h>

#include "code.h"

/* Whatever the kernel answers, it may have sealed it (mseal(2)). */
static void protect_vdso(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start, end;
    char line[512];

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "[vdso]") &&
            sscanf(line, "%lx-%lx", &start, &end) == 2)
            mprotect((void *)start, end - start, PROT_READ);
    if (maps)
        fclose(maps);
}

int main(void)
{
    uint8_t *code = code_new("\xb8\5\0\0\0\xc3", 6);
    int first = ((int (*)(void))(uintptr_t)code)();

    protect_vdso();
    code = code_new("\xb8\6\0\0\0\xc3", 6);
    printf("%d %d\n", first, ((int (*)(void))(uintptr_t)code)());
    return 0;
}

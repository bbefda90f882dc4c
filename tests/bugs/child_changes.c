/* SPDX-License-Identifier: MIT */
/* A child process changes code that it shares with its parent. */
#include <sys/wait.h>

#include "bug.h"

int main(void)
{
    int (*f)(int);
    pid_t child;

    begin(4096, RWX, MAP_SHARED);
    EMIT(0x8d, 0x47, 1); /* lea eax, [rdi+1] */
    EMIT(0xc3);          /* ret */
    f = FUNCTION(int (*)(int), code);
    printf("%d\n", f(1));
    fflush(stdout);
    child = fork();
    if (child == 0) {
        code[2] = 10;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    printf("%d\n", f(1));
    return 0;
}

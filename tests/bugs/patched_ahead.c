/* SPDX-License-Identifier: MIT */
/* A thread runs a loop while another one changes what comes behind that. It
 * cannot be told whether the thread is there: no verdict, and no ok. */
#include <pthread.h>

#include "bug.h"

static volatile int cells[2];

static void *run(void *argument)
{
    FUNCTION(void (*)(volatile int *), code)(cells);
    return argument;
}

int main(void)
{
    pthread_t thread;

    begin(4096, RWX, MAP_PRIVATE);
    EMIT(0xff, 0x47, 0x04); /* inc dword ptr [rdi+4] */
    EMIT(0x83, 0x3f, 0x00); /* cmp dword ptr [rdi], 0 */
    EMIT(0x74, 0xf8);       /* jz 0 */
    EMIT(0xb8, 1, 0, 0, 0); /* mov eax, 1 */
    EMIT(0xc3);             /* ret */
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        return 99;
    while (cells[1] < 2)
        ;
    code[9] = 2;
    cells[0] = 1;
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Two threads take the same piece of a pool, as nothing guards its counter. */
#include <pthread.h>

#include "bug.h"

static pthread_barrier_t barrier;
static size_t used;

static void *make(void *number)
{
    uint8_t *mine = code + used; /* both read 0 */
    int (*f)(void) = FUNCTION(int (*)(void), mine);

    pthread_barrier_wait(&barrier);
    used = 8;
    if (number)
        pthread_barrier_wait(&barrier);
    mine[0] = 0x6a; /* push */
    mine[1] = number ? 20 : 10;
    mine[2] = 0x58; /* pop rax */
    mine[3] = 0xc3; /* ret */
    if (!number)
        pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    if (!number)
        printf("%d\n", f());
    return NULL;
}

int main(void)
{
    pthread_t threads[2];

    begin(4096, RWX, MAP_PRIVATE);
    if (pthread_barrier_init(&barrier, NULL, 2) != 0)
        return 99;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, make, i ? code : NULL) != 0)
            return 99;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

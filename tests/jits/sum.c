/* SPDX-License-Identifier: MIT */
/* Sums the squares up to the number on standard input, modulo a prime. */
#include <stdio.h>

static long sum(long n)
{
    long s = 0;

    for (long i = 1; i <= n; i++)
        s = (s + i * i) % 1000003;
    return s;
}

int main(void)
{
    long n;

    if (scanf("%ld", &n) != 1)
        return 1;
    printf("sum %ld\n", sum(n));
    fprintf(stderr, "done\n");
    return 7;
}

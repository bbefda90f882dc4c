/* SPDX-License-Identifier: MIT */
/*
 * plain.c - a program that makes no code: for about a second it asks for its
 * parent's ID, reads a file, and takes and gives back memory, in blocks that
 * the heap has and in blocks that are mapped and unmapped each time.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_file(void)
{
    char bytes[4096];
    int fd = open("/proc/self/exe", O_RDONLY);

    if (fd < 0 || read(fd, bytes, sizeof bytes) <= 0)
        exit(1);
    close(fd);
}

/* Uses a block of memory as a program does that computes in it. */
static unsigned use_memory(size_t size)
{
    unsigned char *block = malloc(size);
    unsigned sum = 0;

    if (!block)
        exit(1);
    for (int round = 0; round < 4; round++) {
        memset(block, round, size);
        for (size_t i = 0; i < size; i++)
            sum = sum * 31 + block[i];
    }
    free(block);
    return sum;
}

/* Calls and memory of all sizes; "mapped": memory of a size that jittrace
 * takes for a JIT compiler's, until its budget of stores is spent. */
int main(int argc, char **argv)
{
    size_t mapped = argc > 1 && strcmp(argv[1], "mapped") == 0 ? 200000 : 0;
    unsigned sum = 0;

    mallopt(M_MMAP_THRESHOLD, 128 << 10); /* and does not grow */
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 1000; k++)
            getppid();
        for (int k = 0; k < 200; k++)
            read_file();
        for (int k = 0; k < 100; k++)
            sum += use_memory(1000);
        sum += use_memory(mapped ? mapped : 1 << 20);
    }
    printf("%u\n", sum);
    return 0;
}

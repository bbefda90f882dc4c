/* SPDX-License-Identifier: MIT */
/*
 * host_many.c - the host of millions of terms: see many_block.h. Nobody watches
 * it, so whatever goes wrong ends it.
 */
#include "host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "many_block.h"

/* So many functions are encoded before they are called: more than that would
 * not be in the first-level caches any more. */
#define BATCH 512u

/* What was stored may be executed elsewhere after a serialising instruction
 * (SDM vol. 3, 9.1.3 and 9.3); this one costs no exit from a virtual machine. */
void serialize(void);
__asm__(".text\n"
        "serialize:\n"
        "    mov %rsp, %rdx\n"
        "    mov %ss, %eax\n"
        "    push %rax\n"
        "    push %rdx\n"
        "    pushfq\n"
        "    mov %cs, %eax\n"
        "    push %rax\n"
        "    lea 1f(%rip), %rax\n"
        "    push %rax\n"
        "    iretq\n"
        "1:  ret\n");

static void do_block(volatile struct many_block *block, encoder *encode,
                     uint8_t *code, const uint8_t *run, size_t slot)
{
    uint32_t count = block->count;

    for (uint32_t from = 0, to; from < count; from = to) {
        to = count - from < BATCH ? count : from + BATCH;
        for (uint32_t i = from; i < to; i++) {
            block->encoding = i;
            block->length[i] = encode(code + i * slot, block->term[i]);
        }
        serialize();
        for (uint32_t i = from; i < to; i++) {
            uint64_t (*function)(int64_t) =
                (uint64_t(*)(int64_t))(uintptr_t)(run + i * slot);

            block->encoding = i;
            if (block->length[i] > 0 && block->length[i] <= slot)
                block->result[i] = function(block->argument[i]);
        }
    }
}

int host_many(char **argv)
{
    struct many_block *block = mmap(NULL, sizeof *block, PROT_READ | PROT_WRITE,
                                    MAP_SHARED, atoi(argv[0]), 0);
    int fd = atoi(argv[1]);
    /* Two views of the same bytes: none can be stored to and be executed. */
    uint8_t *code =
        mmap(NULL, MANY_CODE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint8_t *run =
        mmap(NULL, MANY_CODE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    encoder *encode = host_load(-1, argv[2]);
    size_t slot = (size_t)atol(argv[3]);
    int in, out, nothing = open("/dev/null", O_RDWR);
    char go;

    if (block == MAP_FAILED || code == MAP_FAILED || run == MAP_FAILED)
        return 71;
    if (!encode)
        return 65;
    /* What the encoder prints is not to be taken for ours. */
    in = dup(STDIN_FILENO);
    out = dup(STDOUT_FILENO);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, 9);
    while (read(in, &go, 1) == 1) {
        do_block(block, encode, code, run, slot);
        if (write(out, &go, 1) != 1)
            return 74;
    }
    return 0;
}

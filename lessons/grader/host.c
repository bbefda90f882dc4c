/* SPDX-License-Identifier: MIT */
/*
 * host.c - the program in which a learner's encoder runs, under the tracer.
 *
 *     host FD ENCODER.so TERM... -- ARGUMENT...
 *     host many BLOCK CODE ENCODER.so SLOT       see host_many.c
 *
 * For each TERM it takes a page of its own, between two pages without any
 * permission, lets encode_adder() write to it, and makes it
 * executable. When all terms are encoded, the code in each page is called with
 * each ARGUMENT, with a known value in every register.
 *
 * It judges nothing. It says on descriptor FD what it is about to do, and what
 * came of it, so that whoever reads that knows where it has got to if it dies:
 *
 *     broken TEXT            the shared object cannot be loaded
 *     nothing                it has no encode_adder
 *     encode N ADDR          term N (from 0) goes to that address
 *     encoded N LENGTH       and this was returned
 *     run N K                its code is called with argument K (from 0)
 *     ran N K RAX RSP FLAGS RBX RBP R12 R13 R14 R15
 *                            RSP is what it was too high, by how many bytes
 *     end
 */
#include "host.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Each register that a call must leave as it is gets its own of these. */
#define KEPT_VALUE(n) (0x5afe000000000000 + (n))

/* What the assembly below reads and fills, in this order. */
struct call {
    uint64_t function;
    uint64_t argument;
    uint64_t rax;
    uint64_t rsp;
    uint64_t flags;
    uint64_t kept[6]; /* rbx rbp r12 r13 r14 r15 */
};

void call_code(struct call *call);
uint64_t call_stack; /* the stack pointer before the call */

/*
 * Calls as the System V ABI has it, but with a value of its own in every
 * register, and trusts nothing afterwards: not even the stack pointer.
 */
__asm__(".text\n"
        ".globl call_code\n"
        "call_code:\n"
        "    push %rbx\n"
        "    push %rbp\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    push %rdi\n"
        "    mov %rsp, call_stack(%rip)\n"
        "    mov %rdi, %r11\n"
        "    mov 40(%r11), %rbx\n"
        "    mov 48(%r11), %rbp\n"
        "    mov 56(%r11), %r12\n"
        "    mov 64(%r11), %r13\n"
        "    mov 72(%r11), %r14\n"
        "    mov 80(%r11), %r15\n"
        "    mov 8(%r11), %rdi\n"
        "    movabs $0x0bad000000000001, %rax\n"
        "    movabs $0x0bad000000000002, %rcx\n"
        "    movabs $0x0bad000000000003, %rdx\n"
        "    movabs $0x0bad000000000004, %rsi\n"
        "    movabs $0x0bad000000000005, %r8\n"
        "    movabs $0x0bad000000000006, %r9\n"
        "    movabs $0x0bad000000000007, %r10\n"
        "    call *(%r11)\n"
        "    mov %rsp, %rcx\n"
        "    mov call_stack(%rip), %rsp\n"
        "    pushfq\n"
        "    pop %rdx\n"
        "    cld\n"
        "    pop %r11\n"
        "    sub call_stack(%rip), %rcx\n"
        "    mov %rax, 16(%r11)\n"
        "    mov %rcx, 24(%r11)\n"
        "    mov %rdx, 32(%r11)\n"
        "    mov %rbx, 40(%r11)\n"
        "    mov %rbp, 48(%r11)\n"
        "    mov %r12, 56(%r11)\n"
        "    mov %r13, 64(%r11)\n"
        "    mov %r14, 72(%r11)\n"
        "    mov %r15, 80(%r11)\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbp\n"
        "    pop %rbx\n"
        "    ret\n");

/* A page to read and to write, with none on either side of it. */
static uint8_t *take_page(size_t size)
{
    uint8_t *around = mmap(NULL, 3 * size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *page;

    if (around == MAP_FAILED)
        return NULL;
    page = mmap(around + size, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

/* One write: each system call is a stop of the tracer. Somebody may have closed
 * the descriptor; status 74 says so (TRIAL_LOST). */
__attribute__((format(printf, 2, 3))) static void say(int report,
                                                      const char *format, ...)
{
    char line[1024];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length > 0 && length < (int)sizeof line &&
        write(report, line, (size_t)length) != length)
        _exit(74);
}

static void call(int report, int n, int k, uint8_t *code, int64_t argument)
{
    struct call call = {.function = (uint64_t)(uintptr_t)code,
                        .argument = (uint64_t)argument};

    for (unsigned i = 0; i < 6; i++)
        call.kept[i] = KEPT_VALUE(i);
    say(report, "run %d %d\n", n, k);
    call_code(&call);
    say(report,
        "ran %d %d %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64
        " %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 "\n",
        n, k, call.rax, call.rsp, call.flags, call.kept[0], call.kept[1],
        call.kept[2], call.kept[3], call.kept[4], call.kept[5]);
}

encoder *host_load(int report, const char *file)
{
    void *library = dlopen(file, RTLD_NOW);
    encoder *encode = NULL;

    if (!library)
        say(report, "broken %s\n", dlerror());
    else if (!(encode = (encoder *)(uintptr_t)dlsym(library, "encode_adder")))
        say(report, "nothing\n");
    return encode;
}

int main(int argc, char **argv)
{
    /* No core file of what may crash, and no endless memory for it. */
    const struct rlimit none = {0, 0}, gigabyte = {1 << 30, 1 << 30};
    size_t size = (size_t)getpagesize(), length[256];
    uint8_t *code[256];
    encoder *encode;
    int report, terms = 0;

    if (argc < 4)
        return 64;
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_AS, &gigabyte);
    if (strcmp(argv[1], "many") == 0)
        return argc == 6 ? host_many(argv + 2) : 64;
    report = atoi(argv[1]);
    argv += 2;
    encode = host_load(report, *argv);
    if (!encode)
        return 65;

    for (; terms < 256 && *++argv && strcmp(*argv, "--") != 0; terms++) {
        uint8_t *page = take_page(size);

        if (!page)
            return 71;
        code[terms] = page;
        say(report, "encode %d %" PRIx64 "\n", terms,
            (uint64_t)(uintptr_t)code[terms]);
        length[terms] = encode(code[terms], (int32_t)atol(*argv));
        say(report, "encoded %d %zu\n", terms, length[terms]);
        fflush(NULL);
        /* If it fails, the encoder has taken the page away. */
        mprotect(page, size, PROT_READ | PROT_EXEC);
    }

    for (int n = 0; n < terms; n++) {
        if (length[n] == 0 || length[n] > size)
            continue;
        for (int k = 0; argv[k] && argv[k + 1]; k++)
            call(report, n, k, code[n], atol(argv[k + 1]));
    }
    say(report, "end\n");
    return 0;
}

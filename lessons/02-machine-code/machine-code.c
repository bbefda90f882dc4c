/* SPDX-License-Identifier: MIT */
/*
 * machine-code.c - makes a function of the bytes that you type.
 *
 *     machine-code                 a function that adds 1
 *     machine-code BYTE...         hexadecimal: 48 c7 c0 01 00 00 00 ...
 *
 * The function is called with 3. It takes a 64-bit number and returns one.
 *
 * Build it with: gcc -g -O0 -o machine-code machine-code.c
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const uint8_t adder[] = {
        0x48, 0xc7, 0xc0, 0x01, 0x00, 0x00, 0x00, /* mov rax, 1 */
        0x48, 0x01, 0xf8,                         /* add rax, rdi */
        0xc3,                                     /* ret */
    };
    size_t size = (size_t)getpagesize();
    size_t length = 0;

    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        perror("machine-code: mmap");
        return EX_OSERR;
    }

    if (argc == 1)
        for (; length < sizeof adder; length++)
            code[length] = adder[length];
    for (int i = 1; i < argc && length < size; i++) {
        char *end;
        unsigned long byte = strtoul(argv[i], &end, 16);

        if (end == argv[i] || *end != '\0' || byte > 0xff) {
            fprintf(stderr,
                    "machine-code: '%s' is not a byte: give two "
                    "hexadecimal digits for each\n",
                    argv[i]);
            return EX_USAGE;
        }
        code[length++] = (uint8_t)byte;
    }

    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("machine-code: mprotect");
        return EX_OSERR;
    }
    int64_t (*fn)(int64_t) = (int64_t(*)(int64_t))code;
    printf("f(3) = %lld\n", (long long)fn(3));
    munmap(code, size);
    return 0;
}

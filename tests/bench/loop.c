/* SPDX-License-Identifier: MIT */
/*
 * loop.c - a program to be stepped through: it makes a small function and calls
 * it once.
 *
 *     48 ff cf       loop: dec rdi
 *     75 fb                jnz loop
 *     c3                   ret
 *
 * `loop ADDRESS COUNT` puts it at that address (hexadecimal), so that a tracer
 * knows where to wait for it, and goes through the loop COUNT times: this is
 * 2 * COUNT + 1 instructions of generated code. `loop ADDRESS COUNT memory` has
 * a loop of five, two of which read memory and one writes it; with `vectors` in
 * place of that, one of four, two of which compute with vector registers:
 *
 *     57             loop: push rdi
 *     48 03 04 24          add rax, [rsp]
 *     5a                   pop rdx
 *     48 ff cf             dec rdi
 *     75 f5                jnz loop
 *     c3                   ret
 *
 *     f2 0f 58 c1    loop: addsd xmm0, xmm1
 *     f2 0f 59 d0          mulsd xmm2, xmm0
 *     48 ff cf             dec rdi
 *     75 f3                jnz loop
 *     c3                   ret
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
    static const uint8_t bare[] = {0x48, 0xff, 0xcf, 0x75, 0xfb, 0xc3};
    static const uint8_t memory[] = {0x57, 0x48, 0x03, 0x04, 0x24, 0x5a,
                                     0x48, 0xff, 0xcf, 0x75, 0xf5, 0xc3};
    static const uint8_t vectors[] = {0xf2, 0x0f, 0x58, 0xc1, 0xf2, 0x0f, 0x59,
                                      0xd0, 0x48, 0xff, 0xcf, 0x75, 0xf3, 0xc3};
    const size_t size = 4096;
    void *page;

    if (argc != 3 && argc != 4)
        return 2;
    page = mmap((void *)(uintptr_t)strtoull(argv[1], NULL, 16), size,
                PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page == MAP_FAILED) {
        perror("loop: mmap");
        return 1;
    }
    if (argc == 4 && strcmp(argv[3], "vectors") == 0)
        memcpy(page, vectors, sizeof vectors);
    else if (argc == 4)
        memcpy(page, memory, sizeof memory);
    else
        memcpy(page, bare, sizeof bare);
    if (mprotect(page, size, PROT_READ | PROT_EXEC) < 0) {
        perror("loop: mprotect");
        return 1;
    }
    ((void (*)(uint64_t))(uintptr_t)page)(strtoull(argv[2], NULL, 10));
    return 0;
}

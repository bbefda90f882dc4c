/* SPDX-License-Identifier: MIT */
/*
 * Exercise 09: a jump that arrives.
 *
 * compile() makes a function that tells how often its argument can be halved
 * until it is 0. patch_rel8() fills in where its two jumps go.
 * As it is here, it is wrong.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Makes the short jump at code[jump] go to code[target]. The jump has two
 * bytes: its opcode, which is there already, and then rel8. If rel8 does not
 * reach that far, it stores nothing and returns false.
 */
bool patch_rel8(uint8_t *code, size_t jump, size_t target)
{
    /* Your turn: from where is the distance counted, and does it fit? */
    int64_t distance = (int64_t)target - (int64_t)jump;

    code[jump + 1] = (uint8_t)distance;
    return true;
}

/* Returns the code of the function, or NULL. */
uint8_t *compile(void)
{
    static const uint8_t bytes[] = {
        0x31, 0xc0,             /* +0          xor eax, eax */
        0x48, 0x85, 0xff,       /* +2   top:   test rdi, rdi */
        0x74, 0x00,             /* +5          jz done */
        0x48, 0x83, 0xc0, 0x01, /* +7          add rax, 1 */
        0x48, 0xd1, 0xef,       /* +11         shr rdi, 1 */
        0xeb, 0x00,             /* +14         jmp top */
        0xc3,                   /* +16  done:  ret */
    };
    uint8_t *code = mmap(NULL, sizeof bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("mmap");
        return NULL;
    }
    memcpy(code, bytes, sizeof bytes);
    if (!patch_rel8(code, 5, 16) || !patch_rel8(code, 14, 2)) {
        fprintf(stderr, "patch_rel8() says that a jump is too far\n");
        return NULL;
    }
    if (mprotect(code, sizeof bytes, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return NULL;
    }
    return code;
}

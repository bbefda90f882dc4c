/* SPDX-License-Identifier: MIT */
#include "cpu/trap.h"

#include <string.h>

/* Intel SDM vol. 1, 3.4.3.3 */
#define TRAP_FLAG   0x100u
#define NESTED_TASK 0x4000u

#define INT_N 0xcd /* of two bytes; the second is the vector, 3 for #BP */

const uint8_t trap_insn = 0xcc;
const uint8_t syscall_bytes[SYSCALL_LENGTH] = {0x0f, 0x05};

size_t trap_length(const uint8_t bytes[TRAP_LOOK_BACK])
{
    if (bytes[1] == trap_insn)
        return 1;
    return bytes[0] == INT_N && bytes[1] == 3 ? 2 : 0;
}

bool trap_loads_flags(const uint8_t *code, size_t len)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};
    size_t i = 0;

    while (i < len && ((code[i] & 0xf0) == 0x40 /* REX */ ||
                       memchr(prefixes, code[i], sizeof prefixes)))
        i++;
    return i < len && (code[i] == 0x9d || code[i] == 0xcf); /* popf, iret */
}

/* An iret takes five words, of which the flags are the third. */
uint64_t trap_flags_loaded(const struct insn *insn, const uint8_t *read,
                           size_t len)
{
    size_t at = len % 5 == 0 ? len / 5 * 2 : 0;
    uint16_t flags;

    if (insn->kind != INSN_LOADS_FLAGS || len < at + sizeof flags)
        return 0;
    memcpy(&flags, read + at, sizeof flags);
    return flags;
}

bool trap_is_set(uint64_t flags)
{
    return flags & TRAP_FLAG;
}

bool trap_loses_flags(uint64_t flags)
{
    return flags & NESTED_TASK;
}

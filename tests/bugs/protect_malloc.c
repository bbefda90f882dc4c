/* SPDX-License-Identifier: MIT */
/* Memory of malloc() is to be made executable: it is not aligned to a page. */
#include "bug.h"

int main(void)
{
    code = at = malloc(100);
    EMIT(0x31, 0xc0, 0xc3); /* xor eax, eax; ret */
    mprotect(code, 100, RWX);
    return FUNCTION(int (*)(void), code)();
}

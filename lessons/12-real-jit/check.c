/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <string.h>
#include <sys/mman.h>

extern const uint8_t loop[];
extern const size_t loop_size;

double lost(double sum, int i, int n);

/* Calls the loop at code with sum, i and n where it wants them. */
double call_loop(double sum, int i, int n, const uint8_t *code);

/* A section without line numbers: jittrace is not to take them for others. */
asm(".pushsection .text.check, \"ax\"\n"
    ".globl call_loop\n"
    "call_loop:\n"
    "    push %rbp\n"
    "    movaps %xmm0, %xmm7\n"
    "    mov %edi, %ebp\n"
    "    mov %esi, %eax\n"
    "    call *%rdx\n"
    "    movaps %xmm7, %xmm0\n"
    "    pop %rbp\n"
    "    ret\n"
    ".popsection\n");

/* What seems to be wrong, if that can be told from one round. */
static void say_why(double value, double sum, int i)
{
    double x = i;

    if (value == sum)
        say("sum comes back as it was");
    else if (value == x)
        say("that is i; mulsd multiplies, and subsd takes the old sum away");
    else if (value == 2 * x - sum)
        say("mulsd multiplies: i * i, not i + i");
    else if (value == sum - x * x)
        say("the other way round: subsd changes the register that it names "
            "first");
    else if (value == x * x + sum)
        say("subsd is no addition");
    else if (value == (x + 1) * (x + 1) - sum)
        say("i becomes one more after sum has changed, not before");
    else if (value == x - sum)
        say("there is a mulsd, too");
    else if (value == x * x)
        say("subsd takes the old sum away");
    else if (value == (double)(int)(uint32_t)((int64_t)i * i) - sum)
        say("the square does not fit into an int; the loop makes a double of "
            "i first,\nand multiplies then");
}

/* Finds the first round that goes wrong: the loop is called with it last. */
static bool check_call(const uint8_t *code, double sum, int i, int n)
{
    double expected = call_loop(sum, i, n, code);
    double value = lost(sum, i, n);

    if (value == expected)
        return true;
    for (int last = i; last < n; last++) {
        expected = call_loop(sum, i, last, code);
        value = lost(sum, i, last);
        if (value != expected) {
            n = last;
            break;
        }
    }
    expected = call_loop(sum, i, n, code);
    say("lost(%.10g, %d, %d) is %.10g, but the loop makes %.10g of it", sum, i,
        n, value, expected);
    if (i >= n)
        say_why(value, sum, i);
    ask_where("xmm7");
    return false;
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("mmap");
        return failed();
    }
    memcpy(code, loop, loop_size);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return failed();
    }
    if (!check_call(code, 20, 3, 3) || !check_call(code, 0, 1, 10) ||
        !check_call(code, 0.5, -7, -7) || !check_call(code, 1, 5, 4) ||
        !check_call(code, 7, 100000, 100000) || !check_call(code, -3, 1, 5000))
        return failed();
    say("lost() and LuaJIT's loop always agree: the line was sum = i * i - "
        "sum");
    return passed();
}

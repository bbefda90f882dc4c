/* SPDX-License-Identifier: MIT */
/*
 * The programs of this folder have one bug each, of a kind that people who
 * write JITs have had. What jittrace prints names it: all the words of a row,
 * with -O0 and with -O2. Words that stand on two lines there are found as well.
 * What may be meant is a bug in some of them, so that notes are told, too.
 */
#include <string.h>

#include "support/support.h"

TestSuite(bugs, .timeout = 300);

#define BUGS(X)                                                                \
    X(byte_result, "set-before-use broken code[6] ret",                        \
      "the caller takes rax, of which only the low 8 bits were set")           \
    X(scratch_unset, "set-before-use broken code[3..6] add r10, 1",            \
      "it uses r10, which nothing has set since the code was called")          \
    X(flags_cleared, "flags broken code[4..5] xor eax, eax",                   \
      "code[6] decides by them and not by what code[0] has compared")          \
    X(flags_called, "flags broken code[19..20] jle",                           \
      "what the function that was called at code[17] has left in the flags")   \
    X(sign_too_narrow, "division broken code[3] cdq",                          \
      "the upper half of what code[4] divides")                                \
    X(sign_forgotten, "division broken code[3..5] idiv rsi",                   \
      "rdx = 0x3, nothing has set since the code was called")                  \
    X(shift_masked, "shift-count broken code[3..5] shl eax, 36",               \
      "and the CPU takes 4 for that")                                          \
    X(count_unset, "shift-count broken code[3..5] shl rax, cl",                \
      "it shifts by what is in rcx, which nothing has set")                    \
    X(product_over, "lost-value broken code[7..10] mul qword ptr [rdi+8]",     \
      "it writes to rdx, too, where code[0] has put a value",                  \
      "code[11] reads rdx then")                                               \
    X(width_forgotten, "operand-size broken code[3..4] add eax, esi",          \
      "of 64 bits, with REX.W, it would make 0x12a05f201")                     \
    X(mask_extended, "operand-size broken code[3..6] and rax, -1",             \
      "its immediate is extended with its sign to all 64 bits")                \
    X(float_printed, "float-size broken code[26..28] call r10",                \
      "it calls printf, which takes a double from xmm0",                       \
      "what code[4] has left there is a float")                                \
    X(frame_unset, "set-before-use broken code[9..13] mov rax, [rsp+16]",      \
      "a place of the stack that nothing has stored to")                       \
    X(stack_arguments, "arguments broken code[55..56] call rax",               \
      "it calls seventh, which takes 1 argument from the stack",               \
      "but to rsp + 32, as of the Windows convention")                         \
    X(vector_kept, "caller-saved broken code[20..23] mulsd xmm0, xmm1",        \
      "it uses xmm1, which was set at code[4], before a function was called")  \
    X(tail_call, "stack-balanced broken code[16..17] jmp rax",                 \
      "it jumps to a function while rsp is -8 bytes off")                      \
    X(address_popped, "stack-balanced broken code[12] push rdx",               \
      "it stores over the address to return to")                               \
    X(jump_into_jump, "whole-instructions broken code[3..4] jz",               \
      "it goes to byte 2 of jmp", "which begins at offset 10")                 \
    X(patch_too_wide, "overwritten broken code[7..8] add [rax], al",           \
      "patch_too_wide.c:13", "8 bytes were stored at offset 3",                \
      "where the disp32 of lea rax, [rdi] begins, which has 4")                \
    X(patch_over_modrm, "overwritten broken code[2..7]",                       \
      "(patch_over_modrm.c:15) from its ModRM on",                             \
      "end in the middle of its imm32")                                        \
    X(patch_forgotten, "patched broken code[19..24] jle",                      \
      "patch_forgotten.c:32", "its rel32 is 0x0, as it was emitted")           \
    X(buffer_moved, "stale broken code[14..15] call rax",                      \
      "its memory went away: mremap(", "at buffer_moved.c:7")                  \
    X(call_too_far, "cut-address broken code[1..5] call", "(libc.so.6:abs",    \
      "the distance does not fit 32 bits")                                     \
    X(callee_saved, "callee-saved broken code[0..1] mov ebx, [rdi]",           \
      "callee-saved broken code[2..4] mov r13d, [rsi]")                        \
    X(child_changes, "overwritten broken code[0..2] lea eax, [rdi+10]",        \
      "the byte at offset 2 changed from 01 to 0a", "the child process",       \
      "MAP_SHARED")                                                            \
    X(direction_flag, "direction-flag broken code[2] std",                     \
      "still set at the return")                                               \
    X(red_zone, "red-zone broken code[4..8] mov [rsp-8], rdi", "it stores at", \
      "code[21] reads it back")                                                \
    X(syscall_takes, "caller-saved broken code[11..12] syscall",               \
      "syscall changes r11", "code[13] reads that")                            \
    X(variadic, "variadic-al broken code[20..22] call r10",                    \
      "al is 0 at the call of printf, which is variadic")                      \
    X(endless, "jnz code[2] at code[6] could leave it, but never did",         \
      "rdi stays 3, so it never will")                                         \
    X(cpuid_takes, "callee-saved broken code[7..8] cpuid")                     \
    X(syscall_moved, "caller-saved broken code[10..12] mov rdx, rcx",          \
      "it moves rcx, which a call or syscall before has changed")              \
    X(second_vector, "variadic-al broken code[24..26] call r11",               \
      "al is 0 at the call of snprintf", "and xmm1 was set for it")            \
    X(rex_skipped, "whole-instructions broken code[9..10] jnz",                \
      "byte 2 of add rax, 5, which begins at offset 2")                        \
    X(mapped_again, "stale broken code[3..4] mov al, 4",                       \
      "it came here before that was stored, too")                              \
    X(half_pointer, "cut-address broken code[0..4] mov edx", "(total",         \
      "the upper half is lost")                                                \
    X(half_moved, "cut-address broken code[2..3] mov edx, edi",                \
      "the upper half is lost")                                                \
    X(jump_into_middle, "whole-instructions broken code[4..5] jns",            \
      "byte 3 of add eax, 37008, which begins at offset 8")                    \
    X(late_block, "inc qword ptr [rdx] at code[63922]", "a null pointer",      \
      "in memory xor edx, edx at code[63920] comes before",                    \
      "jittrace --from-call=7991 ")                                            \
    X(loop_distance, "whole-instructions broken code[11..16] jnle",            \
      "it is 4 too far, the size of its rel32")                                \
    X(loop_to_prologue, "push rdi at code[0] ran 4 times",                     \
      "pop rax at code[5] ran 1 time")                                         \
    X(map_failed, "mmap at map_failed.c:7 failed with EBADF",                  \
      "there is no MAP_ANONYMOUS among its flags",                             \
      "it was to write to 0xffffffffffffffff")                                 \
    X(misaligned_call, "stack-aligned broken code[10..11] call rax",           \
      "it calls show", "call rax at code[10]", "8 bytes off a multiple of 16") \
    X(never_freed, "unmapped-at-exit broken code[0]", "never_freed.c:13",      \
      "4096 bytes, is still mapped")                                           \
    X(writable_code, "w-xor-x broken code[4096]", "writable_code.c:10",        \
      "the page is rwx")                                                       \
    X(no_return, "written-before-run broken code[6]",                          \
      "control ran on from sub at offset 3")                                   \
    X(not_executable, "The program executed a page that may not be executed",  \
      "the page is rw-", "PROT_READ | PROT_EXEC) after the last store")        \
    X(off_the_tape, "cmp byte ptr [rdi], 0 at code[0]",                        \
      "is the first byte behind the mapping", "at off_the_tape.c:12")          \
    X(own_handler, "written-before-run broken code[2]",                        \
      "control ran on from xor at offset 0")                                   \
    X(page_full, "is the first byte behind the mapping", "at page_full.c:11",  \
      "Ask for more memory, or stop at its end")                               \
    X(patch_misses, "overwritten broken code[2..3]", "patch_misses.c:14",      \
      "its rel32 begins at offset 3")                                          \
    X(patch_sealed, "patch_sealed.c:11", "it was to write to code[1]",         \
      "the page is r-x, made so by mprotect(", "Store before that")            \
    X(prefix_order, "prefix broken code[5..9] movsd qword ptr [rcx], xmm0",    \
      "the prefix 41 has no effect")                                           \
    X(protect_malloc, "mprotect at protect_malloc.c:9 failed with EINVAL",     \
      "its address is not that of a page", "from mmap")                        \
    X(protect_unaligned,                                                       \
      "mprotect at protect_unaligned.c:10 failed with EINVAL",                 \
      "its address is not that of a page")                                     \
    X(same_place, "overwritten broken code[0..1] push 20",                     \
      "stored its own over it (same_place.c:")                                 \
    X(second_fault, "signal 11 SIGSEGV, handled by the program",               \
      "The program wrote to 0x18", "mov [rsi], al at code[7]",                 \
      "set by mov esi, 24 at code[2]")                                         \
    X(second_page, "code goes on in a page that may not be executed",          \
      "From code[4096] on the page is rw-", "One call must cover all of it")   \
    X(sib_forgotten, "whole-emissions broken code[1..4]",                      \
      "for its SIB it takes 1 of the bytes", "add rax, 1 at offset 4")

/* Makes one blank of all that stand together. */
static void join_lines(struct buf *text)
{
    size_t kept = 0;

    for (size_t i = 0; i < text->len; i++) {
        uint8_t byte = text->data[i] == '\n' ? ' ' : text->data[i];

        if (byte != ' ' || kept == 0 || text->data[kept - 1] != ' ')
            text->data[kept++] = byte;
    }
    text->len = kept;
}

static void check_bug(const char *program, const char *const *words)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--strict", "--", program),
                      .seconds = 120},
        &result);
    join_lines(&result.out);
    for (; *words; words++)
        cr_expect(contains(buf_text(&result.out), *words),
                  "%s: \"%s\" is not in\n%.3000s", program, *words,
                  buf_text(&result.out) +
                      (result.out.len > 3000 ? result.out.len - 3000 : 0));
    result_release(&result);
}

/*
 * Programs that do what looks like a bug and is none: they patch code, use its
 * memory again, move it, leave it by a jump, share it and lean on zeros.
 */
Test(bugs, none_where_there_is_none)
{
    static const char *const programs[] = {
        TRACEE("beside_store"),   TRACEE("block_header"),
        TRACEE("callback"),       TRACEE("plt"),
        TRACEE("code_restart"),   TRACEE("coroutines"),
        TRACEE("exec_inside"),    TRACEE("grown"),
        TRACEE("half"),           TRACEE("longjmp"),
        TRACEE("memfd"),          TRACEE("moved"),
        TRACEE("patch_one_page"), TRACEE("patched"),
        TRACEE("reused"),         TRACEE("reused_racing"),
        TRACEE("ring"),           TRACEE("rwx"),
        TRACEE("self_mem"),       TRACEE("store_to_itself"),
        TRACEE("stub"),           TRACEE("threads_store"),
        TRACEE("twin_threads"),   TRACEE("two_functions"),
        TRACEE("merged_stores"),
    };
    struct result result;

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        run(&(struct job){.argv = ARGS(JITTRACE, "--check", "--", programs[i]),
                          .seconds = 120},
            &result);
        cr_expect(lt(sz, 0, result.out.len), "%s", programs[i]);
        cr_expect(lacks(buf_text(&result.out), " broken "), "%s: %s",
                  programs[i], buf_text(&result.out));
        result_release(&result);
    }
}

/* Whether the other thread is just there cannot be told: that is no ok. */
Test(bugs, no_race_is_ruled_out_by_not_being_seen)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--check", "--",
                                   BUILD_DIR "/bugs/patched_ahead-O2"),
                      .seconds = 120},
        &result);
    join_lines(&result.out);
    cr_expect(contains(buf_text(&result.out),
                       "races not seen not all could be told: code was"),
              "%s", buf_text(&result.out));
    result_release(&result);
}

#define BUG(name, ...)                                          \
    Test(bugs, name)                                            \
    {                                                           \
        static const char *const words[] = {__VA_ARGS__, NULL}; \
                                                                \
        check_bug(BUILD_DIR "/bugs/" #name "-O0", words);       \
        check_bug(BUILD_DIR "/bugs/" #name "-O2", words);       \
    }
BUGS(BUG)

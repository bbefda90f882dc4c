/* SPDX-License-Identifier: MIT */
/*
 * Exercise 13: a JIT of your own. spec.md, beside this file, says what it must
 * do; chapters 13 to 15 go along with it. Nothing is here yet but the names of
 * the two functions that the rungs call, the second from rung 13 on:
 *
 *     size_t compile(const char *text, unsigned char *code, size_t room);
 *
 *     size_t compile_bf(const char *text, unsigned char *code, size_t room,
 *                       int optimize);
 *
 * Both store machine code at code, in at most `room` bytes, and return how many
 * bytes they stored; 0 if the text is no program or the room is too small.
 */
#include <stddef.h>

/* Your turn: all of it. `make exercise N=13` says what comes first. */

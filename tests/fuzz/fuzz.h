/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets and their drivers share.
 *
 * A target is a file with LLVMFuzzerTestOneInput, as clang's libFuzzer calls it
 * (llvm.org/docs/LibFuzzer.html). Where that library is not, driver.c stands in
 * for it: it runs the corpus and simple changes of it.
 */
#ifndef JITTRACE_TESTS_FUZZ_FUZZ_H
#define JITTRACE_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tries one input; returns 0. What goes wrong aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Changes an input of a target in place, and returns its new size; a target
 * need not have it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed);

/* The driver's own change of some bytes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* Changes a recording, as far as it is one, in place, by what seed decides.
 * Returns its new size, at most `most`. */
size_t fuzz_change_recording(uint8_t *data, size_t size, size_t most,
                             unsigned seed);

/*
 * Aborts unless the text is fit for a terminal: valid UTF-8 in which the only
 * control character is the newline, and nothing that changes the direction of
 * writing. With colors, the escape sequences of roles may be in it.
 */
void fuzz_check_text(const char *text, size_t len, bool colors);

#endif

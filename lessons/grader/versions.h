/* SPDX-License-Identifier: MIT */
/*
 * grader/versions.h - two versions of an encoder: the first term for which they
 * make other code, and what that means.
 */
#ifndef JITTRACE_GRADER_VERSIONS_H
#define JITTRACE_GRADER_VERSIONS_H

#include "grader/encoder.h"

/* Compares what both have made of the terms that both came back from; `before`
 * is what is expected. Appends what is to be said, as lines. Returns 1 where
 * they differ, 0 where they do not. */
int versions_compare(const struct encoder_run *before,
                     const struct encoder_run *after, struct buf *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * tell/glossary.h - the words of docs/glossary.md, which the program carries
 * with it: nothing is explained twice.
 */
#ifndef JITTRACE_TELL_GLOSSARY_H
#define JITTRACE_TELL_GLOSSARY_H

#include "base/buf.h"

/* The number of the term that a word means, from 1 on: its heading, a word of
 * that, the only one that begins so, or a field's name (imm32: immediate);
 * capitals do not matter. 0: it has none. */
unsigned glossary_find(const char *word);

/* How many terms there are. */
unsigned glossary_count(void);

/* Appends a term, and what it means: paragraphs, each ended by a newline. */
void glossary_term(unsigned term, struct buf *out);
void glossary_text(unsigned term, struct buf *out);

#endif

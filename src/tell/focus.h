/* SPDX-License-Identifier: MIT */
/*
 * tell/focus.h - the instruction that an event is about.
 *
 * A store is about the instruction that its byte belongs to, complete or not; a
 * step about the one that was executed; an entry about the first one. An event
 * that is about none (output, the end) leaves the focus where it was; so does a
 * signal, unless it came inside generated code.
 *
 * While code is being written its bytes arrive one by one. What is there is
 * decoded as soon as everything in front of its numbers (displacement,
 * immediate) was written: a number's missing bytes are zeros, as they are in
 * the page. So `mov rax, 252` is there before `mov rax, -4` is. Before that
 * moment only the fields whose bytes are there are known: of `48` the REX
 * prefix, of `48 c7` the opcode too, but neither its /digit nor its length.
 */
#ifndef JITTRACE_TELL_FOCUS_H
#define JITTRACE_TELL_FOCUS_H

#include "trace/history.h"
#include "cpu/insn.h"

/* What the bytes of the focus are to the event. */
enum focus_kind {
    FOCUS_NONE,     /* there is no code yet */
    FOCUS_STORED,   /* the event stored some of them */
    FOCUS_EXECUTED, /* the event executed them */
    FOCUS_NEXT,     /* they are about to be executed */
    FOCUS_SIGNAL,   /* the event is the signal that executing them raised */
    FOCUS_REST,     /* an earlier event was about them, this one is not */
};

struct focus {
    enum focus_kind kind;
    uint64_t base;   /* where the mapping began that they are in */
    uint64_t addr;   /* of the instruction's first byte */
    unsigned length; /* of the instruction; if that is not known, of what was
                      * written of it */

    /* FOCUS_STORED: the store, which may reach beyond the instruction. */
    uint64_t store_addr;
    uint64_t store_length;

    /* INSN_DECODED: insn holds for all of its bytes. INSN_PARTLY: if text_known
     * or unwritten is not 0, only bytes of numbers are missing and insn is
     * decoded with zeros for them. Else insn has only the bytes and fields that
     * are known (its length, too, is how many those are) and neither operands
     * nor text; mnemonic is empty where it may still be another one.
     * INSN_UNKNOWN: the bytes say nothing yet, or are no instruction; insn
     * means nothing. */
    enum {
        INSN_UNKNOWN,
        INSN_PARTLY,
        INSN_DECODED,
    } state;
    struct insn insn;
    unsigned unwritten; /* bit i: byte i of the instruction was not written */
    /* Whether insn's text can be shown: all but number bytes are written, and
     * where those go there is nothing else. */
    bool text_known;
};

/* The focus of event seq, which must exist. At most some 4096 earlier events
 * are looked at, and only a few earlier views. Asks history for both. */
void focus_find(struct history *history, uint64_t seq, struct focus *focus);

#endif

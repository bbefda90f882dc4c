/* SPDX-License-Identifier: MIT */
/*
 * base/err.h - an expected failure, told once and in a whole sentence, at the
 * lowest level, where the cause is known. Nobody in between rewords it; cli
 * prints it and turns its kind into the exit status.
 */
#ifndef JITTRACE_BASE_ERR_H
#define JITTRACE_BASE_ERR_H

/* What failed, as far as the exit status is concerned. */
enum err_kind {
    ERR_NONE,
    ERR_USAGE,          /* the command line is wrong */
    ERR_NO_PROGRAM,     /* the program to trace was not found */
    ERR_NOT_EXECUTABLE, /* it was found, but cannot be run or traced */
    ERR_TRACING,        /* the system refuses to let us trace */
    ERR_CREATE,         /* the output file cannot be made */
    ERR_OUTPUT,         /* writing the trace failed */
    ERR_PIPE,           /* whoever read the trace has gone away */
    ERR_NO_INPUT,       /* the recording to read cannot be opened */
    ERR_DATA,           /* the recording is damaged or not one of ours */
};

struct err {
    enum err_kind kind;
    char text[512]; /* one line, no newline, no program name in front */
};

/* Fills *err and returns -1, so that `return err_set(err, ...)` ends a
 * function. The text may repeat arguments and names of files: what of it is not
 * shown as it is, newlines too, is escaped (base/utf8.h). It is cut to fit. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

/* SPDX-License-Identifier: MIT */
/*
 * format/dump.h - generated code as files, for a disassembler to read.
 *
 * In a directory there is one file of bare bytes for each generation
 * (trace/view.h) of each mapping's code:
 *
 *     0x7f0000001000-g1.bin     the first generation of what is mapped there
 *     0x7f0000001000-g2.bin     what it was changed to after it was used
 *     0x7f0000001000-g1-2.bin   another mapping later had the same address
 *     index.txt                 what each of them is, the names in it, and the
 *                               command that disassembles it
 *
 * A file holds everything from the first to the last byte that was seen being
 * written, or found, when its generation ended: by a change, because a part of
 * it went away, or at the end. What was not seen reads as zero and takes no
 * room on the disk. Memory that never could be executed is no code.
 */
#ifndef JITTRACE_FORMAT_DUMP_H
#define JITTRACE_FORMAT_DUMP_H

#include "base/err.h"
#include "trace/sink.h"

/* What is beyond these is not written, and the index says so. */
#define DUMP_FILES 10000u
#define DUMP_BYTES (UINT64_C(1) << 30)

/*
 * A sink that writes to the directory of that name, which is made if it is not
 * there and must else be empty: what is there is never overwritten or removed.
 * Returns NULL with err filled (ERR_CREATE). What it cannot write later is
 * ERR_OUTPUT. A directory that was made and got no event is removed when the
 * sink is freed.
 */
struct sink *dump_sink_new(const char *name, struct err *err);

#endif

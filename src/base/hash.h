/* SPDX-License-Identifier: MIT */
/*
 * base/hash.h - one number for many bytes, to find what is likely the same:
 * FNV-1a (RFC 9923). Who wants two texts to have one number can make that so.
 */
#ifndef JITTRACE_BASE_HASH_H
#define JITTRACE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* That of no bytes; and that of those which `before` is of, with these behind. */
#define HASH_OF_NOTHING UINT64_C(0xcbf29ce484222325)
uint64_t hash_bytes(uint64_t before, const void *bytes, size_t len);

#endif

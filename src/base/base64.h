/* SPDX-License-Identifier: MIT */
/*
 * base/base64.h - bytes as text (RFC 4648, section 4).
 */
#ifndef JITTRACE_BASE_BASE64_H
#define JITTRACE_BASE_BASE64_H

#include "base/buf.h"

void base64_append(struct bytes bytes, struct buf *out);

#endif

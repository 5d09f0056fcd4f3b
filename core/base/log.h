/* SPDX-License-Identifier: ISC
 *
 * base/log.h: one line an event, logfmt: event=rcpt to="a b"@example.org code=5.1.1
 *
 * There are fields only, no format string: a stranger's octets go in by log_theirs, which bounds
 * and escapes them, and there is no other way in. The world puts time, level and role in front of
 * the line.
 */
#ifndef POSTERN_BASE_LOG_H
#define POSTERN_BASE_LOG_H

#include "base/buffer.h"

/* Begin a line; the event's name is a word of ours. */
void log_begin(struct buffer *line, const char *event);
/* A value of ours: a word, or a text that is put in quotes when it needs them. */
void log_ours(struct buffer *line, const char *key, struct bytes value);
/* A stranger's octets: cut at LIMIT_LOG_FIELD, what is not printable ASCII or valid UTF-8 (and
   every control, quote, backslash, and bidirectional or invisible character) escaped, in quotes
   when needed. */
void log_theirs(struct buffer *line, const char *key, struct bytes value);
void log_uint(struct buffer *line, const char *key, uint64_t value);

#endif

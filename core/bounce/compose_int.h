/* SPDX-License-Identifier: ISC
 *
 * bounce/compose_int.h: the pieces of which reports and covers are made: fields of a header, and
 * parts. Lines end with CRLF. Stands on base and mail.
 */
#ifndef POSTERN_BOUNCE_COMPOSE_INT_H
#define POSTERN_BOUNCE_COMPOSE_INT_H

#include "base/buffer.h"

/* A Message-ID that can stand in a field of ours: printable ASCII, no space or bracket. */
bool compose_is_plain_id(struct bytes id);
bool compose_is_ascii(struct bytes text);

/* "NAME" with its colon and space; then the moment, or the id in brackets. */
void compose_date(struct buffer *to, const char *name, uint64_t wall_ms);
void compose_id(struct buffer *to, const char *name, struct bytes id);
/* As it is when it is ASCII, else in encoded words (RFC 2047, 2: of at most 75 octets each). */
void compose_subject(struct buffer *to, struct bytes text);

/* Two hyphens and the boundary on a line of their own; `end` "--" behind the last part. */
void compose_delimiter(struct buffer *to, struct bytes boundary, const char *end);
/* A text in UTF-8; in quoted-printable unless it is short lines of ASCII without "=_", with which
   all boundaries begin. */
void compose_text_part(struct buffer *to, const char *type, const char *lang,
                       const struct buffer *text);
/* The same in both forms, as multipart/alternative. Its boundary, "=_+" and the letter's id, begins
   as none of those around it does. */
void compose_both(struct buffer *to, uint64_t letter, const char *lang, const struct buffer *text,
                  const struct buffer *html);

/* Lines that end with LF, with CRLF. */
void compose_lines(struct buffer *to, const struct buffer *text);
/* Escaped, in <p>. */
void compose_html_paragraph(struct buffer *to, struct bytes text);

#endif

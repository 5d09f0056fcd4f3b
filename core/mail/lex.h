/* SPDX-License-Identifier: ISC
 *
 * mail/lex.h: the words that structured header fields are made of (RFC 5322, 3.2). Nothing
 * recurses.
 */
#ifndef POSTERN_MAIL_LEX_H
#define POSTERN_MAIL_LEX_H

#include "base/buffer.h"
#include "base/reader.h"

/* [CFWS]: white space, line ends of folding, comments with quoted pairs in them. False when a
   comment has no end or nests deeper than LIMIT_COMMENT_DEPTH; the reader then stands somewhere in
   it. */
MUST_USE bool skip_cfws(struct reader *in);

/* A comment, its first bracket being next; what stands between the outer brackets goes behind what
   `to` holds, if `to` is not NULL. False as skip_cfws. */
MUST_USE bool take_comment(struct reader *in, struct buffer *to);

/* A quoted-string, its first quote being next: what it stands for, behind what `to` holds;
   backslashes and the line ends of folding are taken away. One without a closing quote goes to the
   end of the text, and false is returned. */
bool take_quoted(struct reader *in, struct buffer *to);

/* token of RFC 2045, 5.1. */
bool is_token(char c);

#endif

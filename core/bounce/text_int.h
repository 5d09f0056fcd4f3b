/* SPDX-License-Identifier: ISC
 *
 * bounce/text_int.h: lines, codes and small recognisers for texts that people's programs wrote.
 */
#ifndef POSTERN_BOUNCE_TEXT_INT_H
#define POSTERN_BOUNCE_TEXT_INT_H

#include "bounce/read.h"

/* Lines that end at LF (a CR before it is dropped), or, in a text without any LF, at CR. */
struct lines {
    const char *at, *end;
    char stop;
};
struct lines lines_of(struct bytes text);
/* The same when it is known where lines end. */
static inline struct lines lines_as(struct bytes text, char stop)
{
    return (struct lines){ text.at, text.at + text.n, stop };
}
/* The next line, without its end; false at the text's end. */
bool lines_next(struct lines *lines, struct bytes *ret_line);
/* What has not been read yet. */
static inline struct bytes lines_rest(const struct lines *lines)
{
    return (struct bytes){ lines->at, (size_t)(lines->end - lines->at) };
}

/* Is that octet in the set? A NUL only where the set holds one. */
static inline bool has_octet(struct bytes set, char c) { return bytes_find(set, c) < set.n; }
bool is_blank(struct bytes line);
/* Without "> " of quoting at its start. */
struct bytes unquoted(struct bytes line);
/* Is there the word, ASCII case set aside? `word` is in lower case, and not empty. */
bool has_word(struct bytes text, struct bytes word);

/* The first enhanced code that stands for itself ("5.1.1", "(#5.1.1)", not "192.5.1.1"), whose
   class is in `classes` ("45"); class 0: none. */
struct status_code code_in(struct bytes text, const char *classes);
/* The reply code the text begins with, or that stands where a reply stands in it; 0: none. */
uint16_t reply_in(struct bytes text);
/* Both in one look. */
struct status_code codes_in(struct bytes text, const char *classes, uint16_t *ret_reply);

#endif

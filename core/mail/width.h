/* SPDX-License-Identifier: ISC
 *
 * mail/width.h: how many columns a text takes on a terminal, and where its lines may be broken.
 * Stands on base.
 */
#ifndef POSTERN_MAIL_WIDTH_H
#define POSTERN_MAIL_WIDTH_H

#include "base/buffer.h"

/* Columns: 2 for a wide character, 0 for one that joins the one before, 1 for any other and for an
   octet that is no UTF-8. */
size_t width_of(struct bytes text);

/* The start of the text that fits into `columns`, and no more than belongs into one line: broken at
   a space, between two wide characters, or, when a word alone is too long, anywhere. *rest is what
   follows, without the spaces of the break. A line never begins with what closes (a full stop, a
   bracket) nor ends with what opens. Never empty unless the text is; both borrow. */
struct bytes width_line(struct bytes text, size_t columns, struct bytes *ret_rest);

/* The text in lines of at most `columns`, each after the first begun with `indent` spaces, which
   count; without a line end behind the last. `column`: where the first begins. */
void width_put(struct buffer *to, struct bytes text, size_t column, size_t indent, size_t columns,
               const char *line_end);

#endif

/* SPDX-License-Identifier: ISC
 *
 * base/html.h: text inside HTML, between tags or in a quoted attribute. Stands on utf8.
 */
#ifndef POSTERN_BASE_HTML_H
#define POSTERN_BASE_HTML_H

#include "base/buffer.h"

/* & < > " ' and line ends as references, so that no line is a stranger's. Tabs stay, CR is left
   out; each other control, bidirectional or invisible
   character, and each octet that is no UTF-8, becomes U+FFFD: nothing a stranger sent can end an
   element or an attribute, or turn the text around it. */
void html_put(struct buffer *to, struct bytes text);

#endif

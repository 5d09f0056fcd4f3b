/* SPDX-License-Identifier: ISC
 *
 * web/frame.h: what stands around the pages: head, styles, the name of the site, languages; and the
 * one script there is. Stands on base, mail and bounce.
 */
#ifndef POSTERN_WEB_FRAME_H
#define POSTERN_WEB_FRAME_H

#include "bounce/card.h"
#include "web/web_int.h"

/* The language of a page: ?lang=, else the browser's, else English; *ret_chosen: by ?lang=. */
const struct lang *web_lang(const struct web_asked *asked, bool *ret_chosen);

/* All before the content of <main>, and all behind it. `title`: constant or a stranger's. */
void web_put_head(struct buffer *to, const struct lang *lang, struct bytes title);
void web_put_foot(struct buffer *to, const struct lang *lang);

/* For dropping a file onto the page; the page works without it. Its hash stands in the policy that
   web.c sends; tests/e2e/page.py compares. */
extern const char web_script[];

#endif

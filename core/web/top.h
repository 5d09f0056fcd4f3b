/* SPDX-License-Identifier: ISC
 *
 * web/top.h: what postern top shows: the figures on one screen, counters as what they grew by in a
 * second.
 */
#ifndef POSTERN_WEB_TOP_H
#define POSTERN_WEB_TOP_H

#include "web/figures.h"

/* When they were taken. */
struct top {
    enum web_store store;
    uint64_t wall_ms;
};

/* As octets, from the server to the command. */
void top_put(struct buffer *to, const struct top *top, const struct web_figures *figures);
MUST_USE bool top_read(struct bytes octets, struct top *ret_top, struct web_figures *ret_figures);

/* How to show them. `before` NULL: the first look, there are no rates. */
struct top_frame {
    const struct top *now, *before;
    const struct web_figures *figures, *figures_before;
    unsigned columns, rows;     /* of the terminal; rows 0: no end */
    bool colour;
};
/* Lines, each at most `columns` wide and ended by LF, at most `rows`. */
void top_show(struct buffer *to, const struct top_frame *frame);
/* One JSON object: each sample of /metrics by its name. */
void top_json(struct buffer *to, const struct top *top, const struct web_figures *figures);

#endif

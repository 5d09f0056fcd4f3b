/* SPDX-License-Identifier: ISC
 *
 * web/figures.h: the figures of figures.def as values: what roles count, what /metrics and postern
 * top show.
 *
 * On the wire between roles a set of figures is its numbers in the order of figures.def, each u64
 * little-endian: a set of another length is refused whole.
 */
#ifndef POSTERN_WEB_FIGURES_H
#define POSTERN_WEB_FIGURES_H

#include "base/buffer.h"
#include "base/limits.h"
#include "web/figures.def"

/* Whether letters are taken; in the order of the wire's STORE_STATE. */
enum web_store { WEB_STORE_CLOSED, WEB_STORE_OPEN, WEB_STORE_LOW, WEB_STORE_READ_ONLY };

#define F(kind, field, ...) uint64_t field;
struct web_store_figures {
    FIGURES_STORE(F)
};
struct web_front_figures {
    FIGURES_FRONT(F)
};
#undef F

struct web_figures {
    bool store_known;                       /* false: it does not answer */
    struct web_store_figures store;
    struct web_front_figures fronts[LIMIT_FRONTS];
    bool front_known[LIMIT_FRONTS];
};

void web_put_store_figures(struct buffer *to, const struct web_store_figures *figures);
MUST_USE bool web_read_store_figures(struct bytes octets, struct web_store_figures *ret_figures);

void web_put_front_figures(struct buffer *to, const struct web_front_figures *figures);
MUST_USE bool web_read_front_figures(struct bytes octets, struct web_front_figures *ret_figures);
/* All that is known, for a command that shows it. */
void web_put_figures(struct buffer *to, const struct web_figures *figures);
MUST_USE bool web_read_figures(struct bytes octets, struct web_figures *ret_figures);

/* All fronts together: each figure added up. */
struct web_front_figures web_sum_fronts(const struct web_figures *figures);

/* A flush took so long: count it. */
void web_count_flush(struct web_store_figures *figures, uint64_t ms);

/* Prometheus text format, version 0.0.4. */
void web_put_metrics(struct buffer *to, const struct web_figures *figures, enum web_store store);

#endif

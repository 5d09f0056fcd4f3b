/* SPDX-License-Identifier: ISC
 *
 * plan/route_int.h: what route.c (look-ups) and route_read.c (the files) share.
 */
#ifndef POSTERN_PLAN_ROUTE_INT_H
#define POSTERN_PLAN_ROUTE_INT_H

#include "plan/route.h"

/* A key in lower case: NAME, LOCAL@DOMAIN, @DOMAIN, or (for the place of a domain) DOMAIN@. */
struct route_row {
    struct bytes key;           /* at == NULL: empty */
    struct bytes targets;       /* blocks: addresses; of DOMAIN@: the server's text, or nothing */
};

struct routes {
    const struct conf *conf;
    struct arena arena;
    struct route_row *rows;     /* by hash, open addressing */
    size_t room, n;
};

enum { ROUTE_MEMORY = 256 * 1024 * 1024 };

/* NULL: none. */
struct route_row *routes_find(const struct routes *routes, struct bytes key);
/* Key and targets are copied; false: memory, or (*ret_twice) the key is there. */
MUST_USE bool routes_add(struct routes *routes, struct bytes key, struct bytes targets,
                         bool *ret_twice);
/* The address as a key, behind what `to` holds: normal form in lower case. False: it does not
   parse. An address without a domain gets the first one. */
MUST_USE bool routes_key(const struct routes *routes, struct bytes address, struct buffer *to);

/* route_read.c */
MUST_USE bool routes_read_aliases(struct routes *routes, struct route_flaw *ret_flaw);
MUST_USE bool routes_read_virtual(struct routes *routes, struct route_flaw *ret_flaw);

#endif

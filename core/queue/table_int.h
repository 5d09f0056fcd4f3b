/* SPDX-License-Identifier: ISC
 *
 * queue/table_int.h: from a number to a pointer, by open addressing. For the few that are under
 * way.
 */
#ifndef POSTERN_QUEUE_TABLE_INT_H
#define POSTERN_QUEUE_TABLE_INT_H

#include "base/bytes.h"

struct table_cell {
    uint64_t key;
    void *value;            /* NULL: free */
};

/* Zero is ready for use. */
struct table {
    struct table_cell *cells;
    size_t room, n;         /* room: a power of two */
};

void table_done(struct table *table);
void *table_get(const struct table *table, uint64_t key);
/* The key must not be there, the value not be NULL. False: no memory. */
MUST_USE bool table_put(struct table *table, uint64_t key, void *value);
void table_remove(struct table *table, uint64_t key);

#endif

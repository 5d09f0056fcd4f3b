/* SPDX-License-Identifier: ISC */
#include "queue/table_int.h"

#include "base/arena.h"

#include <assert.h>

enum { ROOM_FIRST = 64 };

void table_done(struct table *table)
{
    mem_free(table->cells);
    *table = (struct table){ 0 };
}

/* A mixer, so that tokens that count up do not stand in a row (SplitMix64's last step). */
static size_t home(uint64_t key, size_t room)
{
    key = (key ^ key >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    key = (key ^ key >> 27) * UINT64_C(0x94D049BB133111EB);
    return (size_t)(key ^ key >> 31) & (room - 1);
}

/* The cell of the key, or the free one where it would go. */
static struct table_cell *cell_of(const struct table *table, uint64_t key)
{
    size_t at = home(key, table->room);

    while (table->cells[at].value != NULL && table->cells[at].key != key)
        at = (at + 1) & (table->room - 1);
    return &table->cells[at];
}

void *table_get(const struct table *table, uint64_t key)
{
    return table->n == 0 ? NULL : cell_of(table, key)->value;
}

static bool grow(struct table *table)
{
    struct table wide = { .room = table->room == 0 ? ROOM_FIRST : table->room * 2, .n = table->n };

    wide.cells = mem_new(wide.room * sizeof(*wide.cells));
    if (wide.cells == NULL)
        return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->cells[i].value != NULL)
            *cell_of(&wide, table->cells[i].key) = table->cells[i];
    mem_free(table->cells);
    *table = wide;
    return true;
}

bool table_put(struct table *table, uint64_t key, void *value)
{
    assert(value != NULL);
    if ((table->n + 1) * 2 > table->room && !grow(table))
        return false;
    struct table_cell *cell = cell_of(table, key);
    assert(cell->value == NULL);
    *cell = (struct table_cell){ key, value };
    table->n++;
    return true;
}

void table_remove(struct table *table, uint64_t key)
{
    if (table->n == 0 || cell_of(table, key)->value == NULL)
        return;
    size_t hole = (size_t)(cell_of(table, key) - table->cells), at = hole;
    table->cells[hole].value = NULL;
    table->n--;
    for (;;) {      /* what stands behind and would rather stand in the hole moves there */
        at = (at + 1) & (table->room - 1);
        if (table->cells[at].value == NULL)
            return;
        size_t want = home(table->cells[at].key, table->room);
        if (((at - want) & (table->room - 1)) >= ((at - hole) & (table->room - 1))) {
            table->cells[hole] = table->cells[at];
            table->cells[at].value = NULL;
            hole = at;
        }
    }
}

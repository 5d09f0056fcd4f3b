/* SPDX-License-Identifier: ISC */
#include "plan/conf_int.h"

enum { WORD_MOST = 32 };

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Edits (a letter more, less, other, or two changed places) from one word to the other: the
   optimal string alignment distance, row by row. Both are at most WORD_MOST long. */
static size_t distance(struct bytes a, struct bytes b)
{
    size_t rows[3][WORD_MOST + 1];

    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = to_lower(a.at[i - 1]) == b.at[j - 1] ? 0 : 1;
            row[j] = least_of(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
            bool swapped = i > 1 && j > 1 && to_lower(a.at[i - 1]) == b.at[j - 2]
                && to_lower(a.at[i - 2]) == b.at[j - 1];
            if (swapped && twice[j - 2] + 1 < row[j])
                row[j] = twice[j - 2] + 1;
        }
    }
    return rows[a.n % 3][b.n];
}

const char *conf_nearest(struct bytes text, const char *const *words, size_t n)
{
    const char *nearest = NULL;
    size_t best = WORD_MOST;

    if (text.n == 0 || text.n > WORD_MOST)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct bytes word = bytes_of(words[i]);
        if (word.n > WORD_MOST)
            continue;
        size_t edits = distance(text, word);
        /* A word of which more than a third must change is not what was meant. */
        if (edits < best && edits * 3 <= (word.n > text.n ? word.n : text.n) + 1) {
            best = edits;
            nearest = words[i];
        }
    }
    return nearest;
}

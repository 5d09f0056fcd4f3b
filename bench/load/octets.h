/* SPDX-License-Identifier: ISC
 *
 * bench/load/octets.h: octets that come in at one end and leave at the other.
 */
#ifndef POSTERN_BENCH_LOAD_OCTETS_H
#define POSTERN_BENCH_LOAD_OCTETS_H

#include <stddef.h>

/* What is held lies at[begin .. end). */
struct octets {
    char *at;
    size_t begin, end, room;
};

static inline size_t octets_held(const struct octets *octets)
{
    return octets->end - octets->begin;
}
static inline char *octets_first(const struct octets *octets)
{
    return octets->at + octets->begin;
}
/* Room for n more behind the end; the caller writes them and moves `end`. */
char *octets_room(struct octets *octets, size_t n);
void octets_add(struct octets *octets, const void *from, size_t n);
void octets_add_text(struct octets *octets, const char *text);
/* Forget the text, keep the memory; and give the memory back too. */
static inline void octets_clear(struct octets *octets) { octets->begin = octets->end = 0; }
void octets_done(struct octets *octets);

#endif

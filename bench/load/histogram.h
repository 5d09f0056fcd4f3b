/* SPDX-License-Identifier: ISC
 *
 * bench/load/histogram.h: how long things took, in fixed memory whatever their number.
 *
 * 64 equal steps for each power of two: a percentile is exact to within 1.6 %.
 */
#ifndef POSTERN_BENCH_LOAD_HISTOGRAM_H
#define POSTERN_BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_CELLS = HISTOGRAM_STEPS * 40 };

struct histogram {
    uint64_t n, sum, least, most;
    uint64_t cells[HISTOGRAM_CELLS];
};

void histogram_add(struct histogram *histogram, uint64_t us);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The value below which `share` (0 .. 1) of all lie. */
uint64_t histogram_share(const struct histogram *histogram, double share);
/* ,"NAME":{"n":..,"min":..,"mean":..,"p50":..,...} */
void histogram_json(FILE *to, const char *name, const struct histogram *histogram);

#endif

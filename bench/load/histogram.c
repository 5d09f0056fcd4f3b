/* SPDX-License-Identifier: ISC */
#include "bench/load/histogram.h"

#include <inttypes.h>

static unsigned cell_of(uint64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);    /* at least 6 */
    unsigned step = (unsigned)(value >> (power - 6)) & (HISTOGRAM_STEPS - 1);
    unsigned cell = (power - 5) * HISTOGRAM_STEPS + step;
    return cell < HISTOGRAM_CELLS ? cell : HISTOGRAM_CELLS - 1;
}

static uint64_t value_of(unsigned cell)
{
    if (cell < HISTOGRAM_STEPS)
        return cell;
    unsigned power = cell / HISTOGRAM_STEPS + 5;
    return ((uint64_t)1 << power) + ((uint64_t)(cell % HISTOGRAM_STEPS) << (power - 6));
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
    if (histogram->n == 0 || us < histogram->least)
        histogram->least = us;
    if (us > histogram->most)
        histogram->most = us;
    histogram->n++;
    histogram->sum += us;
    histogram->cells[cell_of(us)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->n == 0)
        return;
    if (into->n == 0 || from->least < into->least)
        into->least = from->least;
    if (from->most > into->most)
        into->most = from->most;
    into->n += from->n;
    into->sum += from->sum;
    for (unsigned i = 0; i < HISTOGRAM_CELLS; i++)
        into->cells[i] += from->cells[i];
}

uint64_t histogram_share(const struct histogram *histogram, double share)
{
    uint64_t want = (uint64_t)(share * (double)histogram->n + 0.5), seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_CELLS && histogram->n > 0; i++) {
        seen += histogram->cells[i];
        if (seen >= (want < 1 ? 1 : want)) {
            uint64_t value = value_of(i);
            value = value < histogram->least ? histogram->least : value;
            return value > histogram->most ? histogram->most : value;
        }
    }
    return histogram->most;
}

void histogram_json(FILE *to, const char *name, const struct histogram *histogram)
{
    static const struct { const char *name; double share; } shares[] = {
        { "p50", .5 }, { "p90", .9 }, { "p95", .95 }, { "p99", .99 }, { "p999", .999 },
    };
    uint64_t mean = histogram->n == 0 ? 0 : histogram->sum / histogram->n;

    fprintf(to, ",\"%s\":{\"n\":%" PRIu64 ",\"min\":%" PRIu64 ",\"mean\":%" PRIu64, name,
            histogram->n, histogram->least, mean);
    for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        fprintf(to, ",\"%s\":%" PRIu64, shares[i].name,
                histogram_share(histogram, shares[i].share));
    fprintf(to, ",\"max\":%" PRIu64 "}", histogram->most);
}

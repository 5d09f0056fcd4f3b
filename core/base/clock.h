/* SPDX-License-Identifier: ISC
 *
 * base/clock.h: wall-clock moments and spans of time as people read them. UTC only; no clock is
 * read here.
 */
#ifndef POSTERN_BASE_CLOCK_H
#define POSTERN_BASE_CLOCK_H

#include "base/buffer.h"

/* A day of the proleptic Gregorian calendar and a time in it, UTC. */
struct civil {
    uint64_t year;
    unsigned month, day;            /* from 1 */
    unsigned weekday;               /* 0 is Sunday */
    unsigned hour, minute, second, ms;
};

/* From milliseconds since 1970 UTC, without leap seconds. */
struct civil civil_of(uint64_t wall_ms);

/* 2026-11-21T21:28:08.123Z (RFC 3339). */
void clock_put(struct buffer *to, uint64_t wall_ms);
/* In the largest unit that fits and no smaller one, rounded down: "1 second", "3 minutes",
   "2 days"; below a second "0 seconds". */
void span_put(struct buffer *to, uint64_t span_ms);
/* Octets as "512 octets", "12.3 KiB", "50.0 MiB". */
void octets_put(struct buffer *to, uint64_t octets);

#endif

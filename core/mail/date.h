/* SPDX-License-Identifier: ISC
 *
 * mail/date.h: dates as mail writes them (RFC 5322, 3.3, and the obsolete forms of 4.3), and as
 * logs do.
 */
#ifndef POSTERN_MAIL_DATE_H
#define POSTERN_MAIL_DATE_H

#include "base/buffer.h"
#include "base/bytes.h"

/* "Sat, 21 Nov 2026 21:28:01 +0000", from milliseconds since 1970; behind what `to` holds. Years
   after 9999 are written as 9999. */
void date_put(struct buffer *to, uint64_t wall_ms);
struct date {
    int64_t seconds;        /* since 1970, UTC; negative before */
    int16_t zone_minutes;   /* east of UTC, as written; 0 when unknown */
    bool zone_unknown;      /* "-0000", a military letter or an unknown name (RFC 5322, 4.3) */
};

/* A date-time field's body: folding, comments and the obsolete two-digit years, missing seconds
   and zone names are read. False for anything else; the caller then uses the time of arrival. A
   day of the week that is wrong is overlooked. */
MUST_USE bool date_parse(struct bytes text, struct date *ret_date);

/* The number of days from 1970-01-01 to that day (Gregorian, month 1..12). */
int64_t date_days(int64_t year, unsigned month, unsigned day);

#endif

/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

enum { DAY_MS = 86400000, DAYS_OF_ERA = 146097, DAYS_BEFORE_1970 = 719468 };

/* Counted from 1 March of the year 0, so that the leap day is the last of a year: an era is 400
   years of 146097 days, and the months from March on have 153 days in each five. */
static void put_day(uint64_t days, struct civil *civil)
{
    uint64_t since = days + DAYS_BEFORE_1970;
    uint64_t era = since / DAYS_OF_ERA, of_era = since % DAYS_OF_ERA;
    uint64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    unsigned month = (unsigned)((5 * of_year + 2) / 153);

    civil->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    civil->month = month < 10 ? month + 3 : month - 9;
    civil->year = era * 400 + years + (civil->month <= 2 ? 1 : 0);
    civil->weekday = (unsigned)((days + 4) % 7);
}

struct civil civil_of(uint64_t wall_ms)
{
    unsigned of_day = (unsigned)(wall_ms % DAY_MS);
    struct civil civil = {
        .hour = of_day / 3600000,
        .minute = of_day / 60000 % 60,
        .second = of_day / 1000 % 60,
        .ms = of_day % 1000,
    };

    put_day(wall_ms / DAY_MS, &civil);
    return civil;
}

static void put_part(struct buffer *to, char before, uint64_t number, unsigned width)
{
    buffer_put_char(to, before);
    buffer_put_uint_wide(to, number, width);
}

void clock_put(struct buffer *to, uint64_t wall_ms)
{
    struct civil civil = civil_of(wall_ms);

    buffer_put_uint_wide(to, civil.year, 4);
    put_part(to, '-', civil.month, 2);
    put_part(to, '-', civil.day, 2);
    put_part(to, 'T', civil.hour, 2);
    put_part(to, ':', civil.minute, 2);
    put_part(to, ':', civil.second, 2);
    put_part(to, '.', civil.ms, 3);
    buffer_put_char(to, 'Z');
}

void span_put(struct buffer *to, uint64_t span_ms)
{
    static const struct { uint64_t of; const char *name; } units[] = {
        { DAY_MS, "day" }, { 3600000, "hour" }, { 60000, "minute" }, { 1000, "second" },
    };
    size_t i = 0;

    while (i + 1 < COUNT(units) && span_ms < units[i].of)
        i++;
    uint64_t count = span_ms / units[i].of;
    buffer_put_uint(to, count);
    buffer_put_char(to, ' ');
    buffer_put_text(to, units[i].name);
    if (count != 1)
        buffer_put_char(to, 's');
}

void octets_put(struct buffer *to, uint64_t octets)
{
    static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    uint64_t of = 1024;
    size_t i = 0;

    if (octets < of) {
        buffer_put_uint(to, octets);
        buffer_put_text(to, octets == 1 ? " octet" : " octets");
        return;
    }
    while (i + 1 < COUNT(names) && octets / of >= 1024) {
        of *= 1024;
        i++;
    }
    buffer_put_uint(to, octets / of);
    put_part(to, '.', octets % of / (of / 1024) * 10 / 1024, 1);
    buffer_put_char(to, ' ');
    buffer_put_text(to, names[i]);
}

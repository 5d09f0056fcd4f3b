/* SPDX-License-Identifier: ISC */
#include "host/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static uint64_t milliseconds(clockid_t clock)
{
    struct timespec at = { 0 };

    if (clock_gettime(clock, &at) < 0 || at.tv_sec < 0)
        return 0;
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

struct moment clock_now(void)
{
    return (struct moment){ milliseconds(CLOCK_MONOTONIC), milliseconds(CLOCK_REALTIME) };
}

static void put_digits(char *at, uint64_t number, unsigned width)
{
    while (width-- > 0) {
        at[width] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Days since 1970 as a date, counted in years that begin in March, so that a leap day comes
   last. */
static void put_date(char *at, uint64_t days)
{
    uint64_t shifted = days + 719468;               /* since 0000-03-01 */
    uint64_t era = shifted / 146097;
    uint64_t day = shifted % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t in_year = day - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * in_year + 2) / 153;

    put_digits(at + 8, in_year - (153 * month + 2) / 5 + 1, 2);
    put_digits(at + 5, month < 10 ? month + 3 : month - 9, 2);
    put_digits(at, era * 400 + year + (month >= 10), 4);
}

void clock_put_text(uint64_t wall_ms, char ret_text[static CLOCK_TEXT])
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    const uint64_t last = 253402300799999;          /* the end of the year 9999 */
    uint64_t ms = wall_ms < last ? wall_ms : last;

    for (size_t i = 0; i < CLOCK_TEXT; i++)
        ret_text[i] = shape[i];
    put_date(ret_text, ms / 86400000);
    put_digits(ret_text + 11, ms / 3600000 % 24, 2);
    put_digits(ret_text + 14, ms / 60000 % 60, 2);
    put_digits(ret_text + 17, ms / 1000 % 60, 2);
    put_digits(ret_text + 20, ms % 1000, 3);
}

void entropy_fill(void *at, size_t n)
{
    char *to = at;

    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        to += got;
        n -= (size_t)got;
    }
}

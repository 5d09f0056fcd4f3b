/* SPDX-License-Identifier: ISC
 *
 * mail/date.c: RFC 5322, 3.3 and 4.3.
 *
 *   date-time   = [ day-of-week "," ] date time [CFWS]
 *   date        = day month year
 *   time        = hour ":" minute [ ":" second ] zone
 *   zone        = ("+" / "-") 4DIGIT / obs-zone
 */
#include "mail/date.h"

#include "base/clock.h"
#include "mail/lex.h"

enum { DAY_SECONDS = 86400 };

static const uint64_t LAST_MS = 253402300799999;     /* 9999-12-31T23:59:59.999Z */

static const char month_names[12][4] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};
static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* The calendar counted from 1 March of year 0 of a 400-year era, so that the leap day comes last.
   */
int64_t date_days(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void date_put(struct buffer *to, uint64_t wall_ms)
{
    struct civil at = civil_of(wall_ms < LAST_MS ? wall_ms : LAST_MS);

    buffer_put_text(to, day_names[at.weekday]);
    buffer_put(to, BYTES(", "));
    buffer_put_uint(to, at.day);
    buffer_put_char(to, ' ');
    buffer_put_text(to, month_names[at.month - 1]);
    buffer_put_char(to, ' ');
    buffer_put_uint_wide(to, at.year, 4);
    buffer_put_char(to, ' ');
    buffer_put_uint_wide(to, at.hour, 2);
    buffer_put_char(to, ':');
    buffer_put_uint_wide(to, at.minute, 2);
    buffer_put_char(to, ':');
    buffer_put_uint_wide(to, at.second, 2);
    buffer_put(to, BYTES(" +0000"));
}

/* [CFWS] 1*most-DIGIT */
static bool take_number(struct reader *in, size_t most, unsigned *ret_number, size_t *ret_digits)
{
    if (!skip_cfws(in))
        return false;
    struct bytes digits = take_while(in, is_digit);
    if (digits.n == 0 || digits.n > most)
        return false;
    unsigned number = 0;
    for (size_t i = 0; i < digits.n; i++)
        number = number * 10 + (unsigned)(digits.at[i] - '0');
    *ret_number = number;
    *ret_digits = digits.n;
    return true;
}

/* [CFWS] 1*ALPHA */
static bool take_word(struct reader *in, struct bytes *ret_word)
{
    if (!skip_cfws(in))
        return false;
    *ret_word = take_while(in, is_alpha);
    return ret_word->n > 0;
}

/* day-of-week ","; the comma is sometimes left out, and so is the whole of it. */
static bool skip_day_name(struct reader *in)
{
    if (!skip_cfws(in))
        return false;
    if (is_digit((char)peek_octet(in)))
        return true;
    if (take_while(in, is_alpha).n < 3 || !skip_cfws(in))
        return false;
    (void)(take_char(in, ',') || take_char(in, '.'));
    return true;
}

static bool take_month(struct reader *in, unsigned *ret_month)
{
    struct bytes word;

    if (!take_word(in, &word) || word.n < 3)
        return false;
    for (unsigned i = 0; i < 12; i++) {
        if (bytes_equal_nocase(bytes_first(word, 3), bytes_of(month_names[i])))
            return *ret_month = i + 1, true;
    }
    return false;
}

/* RFC 5322, 4.3: two digits 00..49 are 2000 on, 50..99 and three digits are counted from 1900. */
static bool take_year(struct reader *in, int64_t *ret_year)
{
    unsigned year;
    size_t digits;

    if (!take_number(in, 4, &year, &digits) || digits < 2)
        return false;
    if (digits == 2)
        year += year < 50 ? 2000 : 1900;
    else if (digits == 3)
        year += 1900;
    *ret_year = year;
    return true;
}

static unsigned days_of_month(int64_t year, unsigned month)
{
    static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

static bool take_date(struct reader *in, int64_t *ret_days)
{
    unsigned day, month;
    int64_t year;
    size_t digits;

    if (!take_number(in, 2, &day, &digits) || !skip_cfws(in))
        return false;
    take_char(in, '-');
    if (!take_month(in, &month) || !skip_cfws(in))
        return false;
    take_char(in, '-');
    if (!take_year(in, &year) || day == 0 || day > days_of_month(year, month))
        return false;
    *ret_days = date_days(year, month, day);
    return true;
}

/* A leap second is read as the last ordinary one. */
static bool take_clock(struct reader *in, unsigned *ret_second)
{
    unsigned hour, minute, second = 0;
    size_t digits;

    if (!take_number(in, 2, &hour, &digits) || !skip_cfws(in)
        || !(take_char(in, ':') || take_char(in, '.'))
        || !take_number(in, 2, &minute, &digits) || !skip_cfws(in))
        return false;
    if ((take_char(in, ':') || take_char(in, '.')) && !take_number(in, 2, &second, &digits))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ret_second = hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
    return true;
}

static bool zone_by_name(struct bytes name, int16_t *ret_minutes)
{
    static const struct { const char *name; int16_t hours; } zones[] = {
        { "UT", 0 }, { "GMT", 0 }, { "UTC", 0 }, { "Z", 0 }, { "EST", -5 }, { "EDT", -4 },
        { "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
    };

    for (size_t i = 0; i < COUNT(zones); i++) {
        if (bytes_equal_nocase(name, bytes_of(zones[i].name)))
            return *ret_minutes = (int16_t)(zones[i].hours * 60), true;
    }
    return false;
}

/* ("+" / "-") 4DIGIT; minutes above 59 make no zone. */
static bool take_offset(struct reader *in, struct date *date)
{
    bool west = take_char(in, '-');
    struct bytes digits;

    if (!west && !take_char(in, '+'))
        return false;
    digits = take_while(in, is_digit);
    if (digits.n != 4 || digits.at[2] > '5')
        return false;
    int hours = (digits.at[0] - '0') * 10 + (digits.at[1] - '0');
    int minutes = (digits.at[2] - '0') * 10 + (digits.at[3] - '0');
    if (hours > 23)
        return false;
    date->zone_minutes = (int16_t)(west ? -(hours * 60 + minutes) : hours * 60 + minutes);
    date->zone_unknown = west && hours == 0 && minutes == 0;
    return true;
}

static bool is_zone(char c) { return is_alnum(c); }

/* Without a zone, or with a name that says nothing, the time is taken as UTC and marked (4.3). */
static bool take_zone(struct reader *in, struct date *date)
{
    struct bytes name;

    if (!skip_cfws(in))
        return false;
    if (peek_octet(in) == '+' || peek_octet(in) == '-')
        return take_offset(in, date);
    name = take_while(in, is_zone);
    date->zone_unknown = !zone_by_name(name, &date->zone_minutes);
    return true;
}

bool date_parse(struct bytes text, struct date *ret_date)
{
    struct reader in = reader_of(text);
    struct date date = { 0 };
    int64_t days;
    unsigned second;

    if (!skip_day_name(&in) || !take_date(&in, &days) || !take_clock(&in, &second)
        || !take_zone(&in, &date) || !skip_cfws(&in) || !reader_empty(&in))
        return false;
    date.seconds = days * DAY_SECONDS + second - (int64_t)date.zone_minutes * 60;
    *ret_date = date;
    return true;
}

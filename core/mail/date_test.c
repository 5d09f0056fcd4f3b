/* SPDX-License-Identifier: ISC */
#include "mail/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { NO_DATE = -1 };

static const struct { const char *text; int64_t seconds; int zone; bool unknown; } dates[] = {
    { "Thu, 1 Jan 1970 00:00:00 +0000", 0, 0, false },
    { "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360, false },
    { "21 Nov 97 09:55:06 GMT", 880106106, 0, false },
    { "21 Nov 97 09(comment):   55  :  06 -0600", 880127706, -360, false },
    { "Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)",
      -27723480, -210, false },
    { "Thu, 13 Feb 1969 23:32:54 -0330", -27723426, -210, false },
    { "Sat, 21 Nov 2026 21:28:01 +0000", 1795296481, 0, false },
    { "21 Nov 2026 21:28 +0530", 1795276680, 330, false },
    { "Mon, 29 Feb 2000 00:00:00 Z", 951782400, 0, false },
    { "31 Dec 1998 23:59:60 UTC", 915148799, 0, false },
    { "1 Jan 50 00:00 UT", -631152000, 0, false },
    { "1 Jan 49 00:00 UT", 2493072000, 0, false },
    { "1 Jan 105 00:00 UT", 1104537600, 0, false },
    { "1 Jan 2000 00:00:00", 946684800, 0, true },
    { "1 Jan 2000 00:00:00 -0000", 946684800, 0, true },
    { "1 Jan 2000 00:00:00 A", 946684800, 0, true },
    { "1 Jan 2000 00:00:00 PDT", 946710000, -420, false },
    { "1 Jan 2000 00:00:00 +9999", NO_DATE, 0, false },
    { "1 Jan 2000 00:00:00 +2359", 946598460, 1439, false },
    { "1 Jan 2000 00:00:00 +99999999999999999999", NO_DATE, 0, false },
    { "29 Feb 2001 00:00:00 Z", NO_DATE, 0, false },
    { "0 Jan 2000 00:00:00 Z", NO_DATE, 0, false },
    { "32 Jan 2000 00:00:00 Z", NO_DATE, 0, false },
    { "1 Jan 0 00:00:00 Z", NO_DATE, 0, false },
    { "1 Jan 0000 00:00:00 Z", -62167219200, 0, false },
    { "1 Jan 99999 00:00:00 Z", NO_DATE, 0, false },
    { "1 Jan -1 00:00:00 Z", NO_DATE, 0, false },
    { "1 Jan 9999 00:00:00 Z", 253370764800, 0, false },
    { "1 Jan 2000 24:00:00 Z", NO_DATE, 0, false },
    { "1 Jan 2000 23:60:00 Z", NO_DATE, 0, false },
    { "1 Jan 2000 23:59:61 Z", NO_DATE, 0, false },
    { "1 Foo 2000 00:00:00 Z", NO_DATE, 0, false },
    { "1 Jan 2000", NO_DATE, 0, false },
    { "1 Jan 2000 00:00:00 Z trailing", NO_DATE, 0, false },
    { "1 Jan 2000 (((((((((((((((((((((((((((((( 00:00:00 Z", NO_DATE, 0, false },
    { "1 Jan 2000 (a (b (c))) 00:00:00 Z", 946684800, 0, false },      /* MIM-016 */
    { "now", NO_DATE, 0, false },
    { "", NO_DATE, 0, false },
};

static void mim_020_dates_are_read_or_fail_softly(void **state)
{
    for (size_t i = 0; i < COUNT(dates); i++) {
        struct date date = { 0 };
        bool taken = date_parse(bytes_of(dates[i].text), &date);

        if (taken != (dates[i].seconds != NO_DATE))
            fail_msg("%s: taken %d", dates[i].text, taken);
        if (taken && (date.seconds != dates[i].seconds || date.zone_minutes != dates[i].zone
            || date.zone_unknown != dates[i].unknown))
            fail_msg("%s: %lld %d %d", dates[i].text, (long long)date.seconds, date.zone_minutes,
                date.zone_unknown);
    }
}

static const struct { uint64_t ms; const char *mail; } moments[] = {
    { 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
    { 1795296481123, "Sat, 21 Nov 2026 21:28:01 +0000" },
    { 951782399999, "Mon, 28 Feb 2000 23:59:59 +0000" },
    { 951782400000, "Tue, 29 Feb 2000 00:00:00 +0000" },
    { 4107542400000, "Mon, 1 Mar 2100 00:00:00 +0000" },
    { UINT64_MAX, "Fri, 31 Dec 9999 23:59:59 +0000" },
};

static void dates_are_written(void **state)
{
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct buffer mail = buffer_with_most(64);

        date_put(&mail, moments[i].ms);
        if (!bytes_equal(buffer_bytes(&mail), bytes_of(moments[i].mail)))
            fail_msg("%.*s", (int)mail.n, mail.at);
        buffer_done(&mail);
    }
}

/* Every day of eight centuries: what is written is read back as the same second. */
static void what_is_written_is_read(void **state)
{
    for (uint64_t day = 0; day < 300000; day += 7) {
        struct buffer mail = buffer_with_most(64);
        struct date date;
        uint64_t seconds = day * 86400 + day % 86400;

        date_put(&mail, seconds * 1000);
        assert_true(date_parse(buffer_bytes(&mail), &date));
        assert_true(date.seconds == (int64_t)seconds);
        buffer_done(&mail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mim_020_dates_are_read_or_fail_softly),
        cmocka_unit_test(dates_are_written),
        cmocka_unit_test(what_is_written_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

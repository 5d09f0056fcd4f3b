/* SPDX-License-Identifier: ISC */
#include "smtp/param.h"
#include "smtp/param.def"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

#define X25 "xxxxxxxxxxxxxxxxxxxxxxxxx"
#define X100 X25 X25 X25 X25

static const struct {
    struct bytes text;
    enum reply reply;
    const char *keyword;
    uint64_t size;
    enum body_kind body;
    bool utf8;
} rows[] = {
#define GOOD(text, size, body, utf8) { BYTES_INIT(text), REPLY_NONE, "", size, body, utf8 }
#define BAD(text, reply, keyword) { BYTES_INIT(text), REPLY_##reply, keyword, 0, BODY_7BIT, false }
    GOOD("", 0, BODY_7BIT, false),
    GOOD(" SIZE=0", 0, BODY_7BIT, false),
    GOOD(" SIZE=12", 12, BODY_7BIT, false),
    GOOD(" size=00000000000000000012", 12, BODY_7BIT, false),
    GOOD(" SIZE=18446744073709551615", UINT64_MAX, BODY_7BIT, false),
    GOOD(" SIZE=18446744073709551616", UINT64_MAX, BODY_7BIT, false),
    GOOD(" SIZE=99999999999999999999", UINT64_MAX, BODY_7BIT, false),
    GOOD(" BODY=7BIT", 0, BODY_7BIT, false),
    GOOD(" BODY=8bitmime", 0, BODY_8BITMIME, false),
    GOOD(" BODY=BINARYMIME", 0, BODY_BINARYMIME, false),
    GOOD(" SMTPUTF8", 0, BODY_7BIT, true),
    GOOD(" AUTH=<>", 0, BODY_7BIT, false),
    GOOD(" AUTH=a+2Bb@c", 0, BODY_7BIT, false),
    GOOD(" SMTPUTF8 BODY=8BITMIME SIZE=7 AUTH=x", 7, BODY_8BITMIME, true),
    GOOD(" BODY=BINARYMIME CONTENT-RECIPE=65536", 0, BODY_BINARYMIME, false),
    GOOD(" CONTENT-RECIPE=1", 0, BODY_7BIT, false),
    BAD(" CONTENT-RECIPE=0", BAD_PARAMETER, "CONTENT-RECIPE"),
    BAD(" CONTENT-RECIPE=65537", BAD_PARAMETER, "CONTENT-RECIPE"),
    BAD(" CONTENT-RECIPE=99999999999999999999", BAD_PARAMETER, "CONTENT-RECIPE"),
    BAD(" CONTENT-RECIPE", BAD_PARAMETER, "CONTENT-RECIPE"),
    BAD(" CONTENT-RECIPE=1 CONTENT-RECIPE=1", TWICE, "CONTENT-RECIPE"),
    GOOD(" MT-PRIORITY=3", 0, BODY_7BIT, false),
    BAD(" MT-PRIORITY=3 MT-PRIORITY=3", TWICE, "MT-PRIORITY"),
    BAD(" MT-PRIORITY", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=-", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=-0", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=+1", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=10", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=00", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=01", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=-10", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=x", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=--1", BAD_PARAMETER, "MT-PRIORITY"),
    BAD(" MT-PRIORITY=1-", BAD_PARAMETER, "MT-PRIORITY"),
    GOOD(" BY=60;R", 0, BODY_7BIT, false),
    BAD(" BY=60;R BY=60;R", TWICE, "BY"),
    BAD(" BY", BAD_PARAMETER, "BY"),
    BAD(" BY=", BAD_PARAMETERS, ""),
    BAD(" BY=60", BAD_PARAMETER, "BY"),
    BAD(" BY=60;", BAD_PARAMETER, "BY"),
    BAD(" BY=;R", BAD_PARAMETER, "BY"),
    BAD(" BY=;", BAD_PARAMETER, "BY"),
    BAD(" BY=+;N", BAD_PARAMETER, "BY"),
    BAD(" BY=-;N", BAD_PARAMETER, "BY"),
    BAD(" BY=--1;N", BAD_PARAMETER, "BY"),
    BAD(" BY=1000000000;N", BAD_PARAMETER, "BY"),
    BAD(" BY=99999999999999999999;N", BAD_PARAMETER, "BY"),
    BAD(" BY=0;R", BAD_PARAMETER, "BY"),
    BAD(" BY=-1;R", BAD_PARAMETER, "BY"),
    BAD(" BY=-0;R", BAD_PARAMETER, "BY"),
    BAD(" BY=60;X", BAD_PARAMETER, "BY"),
    BAD(" BY=60;T", BAD_PARAMETER, "BY"),
    BAD(" BY=60;TR", BAD_PARAMETER, "BY"),
    BAD(" BY=60;RTT", BAD_PARAMETER, "BY"),
    BAD(" BY=60;RN", BAD_PARAMETER, "BY"),
    BAD(" BY=60;;R", BAD_PARAMETER, "BY"),
    BAD(" BY=6x;R", BAD_PARAMETER, "BY"),
    BAD(" BY=60,R", BAD_PARAMETER, "BY"),
    BAD("SIZE=1", BAD_PARAMETERS, ""),
    BAD(" ", BAD_PARAMETERS, ""),
    BAD("  SIZE=1", BAD_PARAMETERS, ""),
    BAD(" =x", BAD_PARAMETERS, ""),
    BAD(" SIZE=", BAD_PARAMETERS, ""),
    BAD(" A=\"a b\"", NO_PARAMETER, ""),
    BAD(" X=\x01", BAD_PARAMETERS, ""),
    BAD(" X=\x7f", BAD_PARAMETERS, ""),
    BAD(" \xc3\xa9=1", BAD_PARAMETERS, ""),
    BAD(" SIZE", BAD_PARAMETER, "SIZE"),
    BAD(" SIZE=-1", BAD_PARAMETER, "SIZE"),
    BAD(" SIZE=+1", BAD_PARAMETER, "SIZE"),
    BAD(" SIZE=abc", BAD_PARAMETER, "SIZE"),
    BAD(" SIZE=000000000000000000001", BAD_PARAMETER, "SIZE"),
    BAD(" SIZE=1 SIZE=1", TWICE, "SIZE"),
    BAD(" BODY=7BIT BODY=7BIT", TWICE, "BODY"),
    BAD(" SMTPUTF8 smtputf8", TWICE, "SMTPUTF8"),
    BAD(" AUTH=a AUTH=b", TWICE, "AUTH"),
    BAD(" BODY=8BIT", BAD_PARAMETER, "BODY"),
    BAD(" SMTPUTF8=yes", BAD_PARAMETER, "SMTPUTF8"),
    BAD(" AUTH=a+0Aroot", BAD_PARAMETER, "AUTH"),
    BAD(" AUTH=a+7F", BAD_PARAMETER, "AUTH"),
    BAD(" AUTH=+2b", BAD_PARAMETER, "AUTH"),
    BAD(" AUTH=+2", BAD_PARAMETER, "AUTH"),
    BAD(" AUTH=\xc3\xa9", BAD_PARAMETER, "AUTH"),
    BAD(" AUTH", BAD_PARAMETER, "AUTH"),
    GOOD(" RET=FULL", 0, BODY_7BIT, false),
    GOOD(" ret=hdrs ENVID=QQ314159", 0, BODY_7BIT, false),
    GOOD(" ENVID=a+2Bb+3D", 0, BODY_7BIT, false),
    GOOD(" ENVID=" X100, 0, BODY_7BIT, false),
    BAD(" RET", BAD_PARAMETER, "RET"),
    BAD(" RET=", BAD_PARAMETERS, ""),
    BAD(" RET=BOTH", BAD_PARAMETER, "RET"),
    BAD(" RET=FULL RET=HDRS", TWICE, "RET"),
    BAD(" ENVID", BAD_PARAMETER, "ENVID"),
    BAD(" ENVID=a ENVID=b", TWICE, "ENVID"),
    BAD(" ENVID=" X100 "x", BAD_PARAMETER, "ENVID"),
    /* SRV-051 */
    BAD(" ENVID=+00", BAD_PARAMETER, "ENVID"),
    BAD(" ENVID=+0D+0A", BAD_PARAMETER, "ENVID"),
    BAD(" ENVID=+ZZ", BAD_PARAMETER, "ENVID"),
    BAD(" ENVID=+", BAD_PARAMETER, "ENVID"),
    BAD(" ENVID=a=b", BAD_PARAMETER, "ENVID"),
    BAD(" ENVID=\xc3\xa9", BAD_PARAMETER, "ENVID"),
    BAD(" NOTIFY=NEVER", NO_PARAMETER, ""),
    BAD(" ORCPT=rfc822;a", NO_PARAMETER, ""),
    GOOD(" REQUIRETLS", 0, BODY_7BIT, false),
    BAD(" REQUIRETLS=1", BAD_PARAMETER, "REQUIRETLS"),
    BAD(" REQUIRETLS REQUIRETLS", TWICE, "REQUIRETLS"),
    BAD(" SIZEX=1", NO_PARAMETER, ""),
#undef GOOD
#undef BAD
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail_params params = { 0 };
        struct bytes keyword = BYTES_NONE;
        enum reply reply = mail_params_parse(rows[i].text, &params, &keyword);
        bool named = reply == REPLY_NONE || bytes_equal(keyword, bytes_of(rows[i].keyword));
        if (reply != rows[i].reply || !named || params.size != rows[i].size
            || params.body != rows[i].body || params.utf8 != rows[i].utf8)
            fail_msg("\"%.*s\": reply %d", (int)rows[i].text.n, rows[i].text.at, (int)reply);
    }
}

/* RFC 6710 */
static void test_priority(void **state)
{
    for (int priority = -9; priority <= 9; priority++) {
        struct mail_params params = { 0 };
        struct bytes keyword = BYTES_NONE;
        char text[32];
        int n = snprintf(text, sizeof(text), " mt-priority=%d", priority);
        struct bytes all = { text, (size_t)n };
        assert_int_equal(mail_params_parse(all, &params, &keyword), REPLY_NONE);
        assert_int_equal(params.priority, priority);
    }
}

/* RFC 2852, 4 */
static void test_by(void **state)
{
    static const struct {
        struct bytes text;
        enum by_mode by;
        bool trace;
        int32_t seconds;
    } good[] = {
        { BYTES_INIT(""), BY_NOT_GIVEN, false, 0 },
        { BYTES_INIT(" BY=60;R"), BY_RETURN, false, 60 },
        { BYTES_INIT(" by=+1;rt"), BY_RETURN, true, 1 },
        { BYTES_INIT(" BY=999999999;RT"), BY_RETURN, true, 999999999 },
        { BYTES_INIT(" BY=000000060;N"), BY_NOTIFY, false, 60 },
        { BYTES_INIT(" BY=0;N"), BY_NOTIFY, false, 0 },
        { BYTES_INIT(" BY=-999999999;nT"), BY_NOTIFY, true, -999999999 },
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        struct mail_params params = { 0 };
        struct bytes keyword = BYTES_NONE;
        if (mail_params_parse(good[i].text, &params, &keyword) != REPLY_NONE
            || params.by != good[i].by || params.by_trace != good[i].trace
            || params.by_s != good[i].seconds)
            fail_msg("\"%.*s\"", (int)good[i].text.n, good[i].text.at);
    }
}

/* Every parameter of the table is taken somewhere above, and is refused when it comes twice. */
static void test_no_row_is_missing(void **state)
{
#define KEYWORD(NAME, keyword, read) keyword,
    static const char *const keywords[] = { PARAM_LIST(KEYWORD) };
#undef KEYWORD

    for (size_t i = 0; i < COUNT(keywords); i++) {
        bool taken = false, twice = false;
        for (size_t j = 0; j < COUNT(rows); j++) {
            struct bytes text = bytes_skip(rows[j].text, 1);
            taken = taken || (rows[j].reply == REPLY_NONE
                              && bytes_begins_nocase(text, bytes_of(keywords[i])));
            twice = twice || (rows[j].reply == REPLY_TWICE
                              && bytes_equal(bytes_of(rows[j].keyword), bytes_of(keywords[i])));
        }
        if (!taken || !twice)
            fail_msg("%s", keywords[i]);
    }
}

static const struct {
    struct bytes text;
    enum reply reply;
    const char *keyword;
    uint8_t notify;
    const char *orcpt;
    bool utf8;
} rcpts[] = {
    { BYTES_INIT(""), REPLY_NONE, "", 0, "", false },
    { BYTES_INIT(" NOTIFY=NEVER"), REPLY_NONE, "", DSN_NEVER, "", false },
    { BYTES_INIT(" notify=success"), REPLY_NONE, "", DSN_SUCCESS, "", false },
    { BYTES_INIT(" NOTIFY=FAILURE"), REPLY_NONE, "", DSN_FAILURE, "", false },
    { BYTES_INIT(" NOTIFY=DELAY"), REPLY_NONE, "", DSN_DELAY, "", false },
    { BYTES_INIT(" NOTIFY=DELAY,FAILURE,SUCCESS"), REPLY_NONE, "", DSN_NOTIFY_MOST, "", false },
    { BYTES_INIT(" NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb@x"), REPLY_NONE, "",
      DSN_FAILURE | DSN_DELAY, "rfc822;a+2Bb@x", false },
    { BYTES_INIT(" ORCPT=rfc822;" X100 X100 X100 X100 X25 X25 X25 "xxxxxxxxxxxxxxxxxx"),
      REPLY_NONE, "", 0, "rfc822;" X100 X100 X100 X100 X25 X25 X25 "xxxxxxxxxxxxxxxxxx", false },
    { BYTES_INIT(" ORCPT=utf-8;\\x{E9}@x"), REPLY_NONE, "", 0, "utf-8;\\x{E9}@x", false },
    { BYTES_INIT(" ORCPT=utf-8;\xc3\xa9@x"), REPLY_NONE, "", 0, "utf-8;\xc3\xa9@x", true },
#define BAD_RCPT(text, reply, keyword) { BYTES_INIT(text), REPLY_##reply, keyword, 0, "", false }
    BAD_RCPT(" NOTIFY", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=", BAD_PARAMETERS, ""),
    BAD_RCPT(" NOTIFY=ALWAYS", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=NEVER,SUCCESS", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=SUCCESS,NEVER", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=SUCCESS,SUCCESS", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=SUCCESS,", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=SUCCESS,FAILURE,DELAY,", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=,SUCCESS", BAD_PARAMETER, "NOTIFY"),
    BAD_RCPT(" NOTIFY=NEVER NOTIFY=NEVER", TWICE, "NOTIFY"),
    BAD_RCPT(" ORCPT=rfc822;a ORCPT=rfc822;a", TWICE, "ORCPT"),
    BAD_RCPT(" ORCPT", BAD_PARAMETER, "ORCPT"),
    BAD_RCPT(" ORCPT=a@x", BAD_PARAMETER, "ORCPT"),
    BAD_RCPT(" ORCPT=utf-8;\xc3\xa9@x", BAD_PARAMETER, "ORCPT"),
    BAD_RCPT(" ORCPT=rfc822;" X100 X100 X100 X100 X25 X25 X25 "xxxxxxxxxxxxxxxxxxx",
             BAD_PARAMETER, "ORCPT"),
    /* SRV-051 */
    BAD_RCPT(" ORCPT=rfc822;+00", BAD_PARAMETER, "ORCPT"),
    BAD_RCPT(" ORCPT=rfc822;+0D+0A", BAD_PARAMETER, "ORCPT"),
    BAD_RCPT(" ORCPT=rfc822;+ZZ", BAD_PARAMETER, "ORCPT"),
    BAD_RCPT(" ORCPT=rfc822;+", BAD_PARAMETER, "ORCPT"),
    BAD_RCPT(" SIZE=1", NO_PARAMETER, ""),
    BAD_RCPT(" RET=FULL", NO_PARAMETER, ""),
    BAD_RCPT("x", BAD_PARAMETERS, ""),
    BAD_RCPT(" =", BAD_PARAMETERS, ""),
#undef BAD_RCPT
};

static void test_rcpt(void **state)
{
    for (size_t i = 0; i < COUNT(rcpts); i++) {
        struct rcpt_params params = { .orcpt = BYTES_NONE };
        struct bytes keyword = BYTES_NONE;
        enum reply reply = rcpt_params_parse(rcpts[i].text, rcpts[i].utf8, &params, &keyword);
        if (reply != rcpts[i].reply || params.notify != rcpts[i].notify
            || !bytes_equal(params.orcpt, bytes_of(rcpts[i].orcpt))
            || (reply != REPLY_NONE && !bytes_equal(keyword, bytes_of(rcpts[i].keyword))))
            fail_msg("\"%.*s\": reply %d", (int)rcpts[i].text.n, rcpts[i].text.at, (int)reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_row_is_missing),
        cmocka_unit_test(test_rcpt),
        cmocka_unit_test(test_by),
        cmocka_unit_test(test_priority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

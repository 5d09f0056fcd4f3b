/* SPDX-License-Identifier: ISC */
#include "bounce/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { H = 3600 * 1000 };

/* NOTIFY, and what is answered to failed, late (5 h), late bulk mail, and delivered. */
static const struct {
    uint8_t notify;
    enum bounce_answer failed, late, late_bulk, delivered;
} rows[] = {
    { 0, BOUNCE_TELL, BOUNCE_TELL, BOUNCE_SILENT, BOUNCE_SILENT },
    { DSN_NEVER, BOUNCE_SILENT, BOUNCE_SILENT, BOUNCE_SILENT, BOUNCE_SILENT },
    { DSN_SUCCESS, BOUNCE_SILENT, BOUNCE_SILENT, BOUNCE_SILENT, BOUNCE_TELL },
    { DSN_FAILURE, BOUNCE_TELL, BOUNCE_SILENT, BOUNCE_SILENT, BOUNCE_SILENT },
    { DSN_DELAY, BOUNCE_SILENT, BOUNCE_TELL, BOUNCE_TELL, BOUNCE_SILENT },
    { DSN_SUCCESS | DSN_FAILURE, BOUNCE_TELL, BOUNCE_SILENT, BOUNCE_SILENT, BOUNCE_TELL },
    { DSN_SUCCESS | DSN_DELAY, BOUNCE_SILENT, BOUNCE_TELL, BOUNCE_TELL, BOUNCE_TELL },
    { DSN_FAILURE | DSN_DELAY, BOUNCE_TELL, BOUNCE_TELL, BOUNCE_TELL, BOUNCE_SILENT },
    { DSN_NOTIFY_MOST, BOUNCE_TELL, BOUNCE_TELL, BOUNCE_TELL, BOUNCE_TELL },
};

static enum bounce_answer decide(enum report_action action, uint8_t notify, bool bulk,
                                 uint64_t age)
{
    return bounce_decide(&(struct bounce_facts){ .action = action, .notify = notify, .bulk = bulk,
                                                 .age_ms = age, .delay_ms = 4 * H });
}

static void test_matrix(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t notify = rows[i].notify;
        assert_int_equal(decide(REPORT_FAILED, notify, true, 0), rows[i].failed);
        assert_int_equal(decide(REPORT_DELAYED, notify, false, 5 * H), rows[i].late);
        assert_int_equal(decide(REPORT_DELAYED, notify, true, 5 * H), rows[i].late_bulk);
        assert_int_equal(decide(REPORT_DELAYED, notify, false, 4 * H - 1), BOUNCE_SILENT);
        assert_int_equal(decide(REPORT_DELIVERED, notify, false, 0), rows[i].delivered);
        assert_int_equal(decide(REPORT_RELAYED, notify, false, 0), rows[i].delivered);
        assert_int_equal(decide(REPORT_EXPANDED, notify, false, 0), rows[i].delivered);
    }
}

/* DSN-007: a report is never answered by another. */
static void test_null_sender(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        for (enum report_action action = REPORT_FAILED; action < REPORT_ACTIONS; action++) {
            struct bounce_facts facts = { .action = action, .notify = rows[i].notify,
                                          .null_sender = true, .age_ms = 9 * H };
            assert_int_equal(bounce_decide(&facts),
                             action == REPORT_FAILED ? BOUNCE_HOLD : BOUNCE_SILENT);
        }
}

static void test_bulk(void **state)
{
    static const struct { struct bytes text; bool bulk; } texts[] = {
        { BYTES_INIT(""), false },
        { BYTES_INIT("Subject: x\r\n\r\nPrecedence: bulk\r\n"), false },
        { BYTES_INIT("Subject: x\r\nPrecedence: bulk\r\n\r\n"), true },
        { BYTES_INIT("precedence:LIST\r\n\r\n"), true },
        { BYTES_INIT("Precedence: junk"), true },
        { BYTES_INIT("Precedence: first-class\r\n\r\n"), false },
        { BYTES_INIT("Precedence:\r\n bulk\r\n\r\n"), true },
        { BYTES_INIT("List-Id: Friends <friends.example.org>\r\n\r\n"), true },
        { BYTES_INIT("X-List-Id: x\r\n\r\n"), false },
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        if (bounce_is_bulk(texts[i].text) != texts[i].bulk)
            fail_msg("%.*s", (int)texts[i].text.n, texts[i].text.at);
}

/* SRV-106: a forged sender hears so often in an hour, whatever is asked for. */
static void test_limit(void **state)
{
    static struct bounce_limit limit;
    char name[] = "s0000@example.org";
    unsigned told = 0;

    for (unsigned i = 0; i < 1000; i++)
        told += bounce_limit_take(&limit, BYTES("forged@example.com"), 5 * H + i, 10);
    assert_int_equal(told, 10);
    assert_true(bounce_limit_take(&limit, BYTES("other@example.com"), 5 * H, 10));
    assert_true(bounce_limit_take(&limit, BYTES("forged@example.com"), 6 * H, 10));
    assert_false(bounce_limit_take(&limit, BYTES("none@example.com"), 6 * H, 0));
    told = 0;
    for (unsigned i = 0; i < 3 * BOUNCE_SENDERS; i++) {
        name[0] = (char)('a' + i / 10000);
        for (unsigned at = 4, rest = i % 10000; at > 0; at--, rest /= 10)
            name[at] = (char)('0' + rest % 10);
        told += bounce_limit_take(&limit, bytes_of(name), 7 * H, 10);
    }
    assert_int_equal(told, BOUNCE_SENDERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_null_sender),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC
 *
 * Every row of reply.def: a registered code, of the class of its basic code, and a line that may
 * be sent.
 */
#include "smtp/reply.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

struct row {
    enum reply reply;
    unsigned basic;
    struct status_code code;
    const char *name, *text;
};

#define ROW_R(NAME, b, c, s, d, text) { REPLY_##NAME, b, { c, s, d }, #NAME, text },
#define ROW_P(NAME, b, text) { REPLY_##NAME, b, { 0, 0, 0 }, #NAME, text },
static const struct row rows[] = { REPLY_LIST(ROW_R, ROW_P) };
#undef ROW_R
#undef ROW_P

static void test_codes(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct status_code code = reply_code(row->reply);
        if (reply_basic(row->reply) != row->basic || row->basic < 200 || row->basic > 599)
            fail_msg("%s: basic code", row->name);
        if (row->code.class == 0)
            continue;
        if (code.class != row->basic / 100)
            fail_msg("%s: %u and class %u", row->name, row->basic, code.class);
        if (status_find(code) == NULL)
            fail_msg("%s: %u.%u.%u is not registered", row->name, code.class, code.subject,
                     code.detail);
    }
}

/* RFC 2034, 4: every 2xx, 4xx and 5xx but the greeting and the answers to HELO and EHLO has a
   code. */
static void test_which_have_none(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool may = rows[i].reply == REPLY_GREETING || rows[i].reply == REPLY_HELO
            || rows[i].reply == REPLY_DATA_GO;
        if (may != (rows[i].code.class == 0))
            fail_msg("%s", rows[i].name);
    }
}

/* Whatever the server says can be looked up. */
static void test_registered(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct status_code code = reply_code(rows[i].reply);

        if (basic_find((uint16_t)reply_basic(rows[i].reply)) == NULL)
            fail_msg("%s: nobody knows its basic code", rows[i].name);
        if (code.class != 0 && status_find(code) == NULL)
            fail_msg("%s: its code is not registered", rows[i].name);
    }
}

/* line-23: at most 512 octets, CRLF at the end and nowhere else, whatever words go in. */
static void test_lines(void **state)
{
    static char word[LIMIT_DOMAIN];
    struct buffer line = buffer_with_most(1 << 16);

    for (size_t i = 0; i < sizeof(word); i++)
        word[i] = 'x';
    for (size_t i = 0; i < COUNT(rows); i++) {
        buffer_clear(&line);
        reply_put(&line, rows[i].reply, (struct reply_words){ { word, sizeof(word) }, UINT64_MAX });
        struct bytes got = buffer_bytes(&line);
        bool framed = got.n <= LIMIT_REPLY_LINE && bytes_ends(got, BYTES("\r\n"))
            && bytes_find(got, '\r') == got.n - 2;
        for (size_t j = 0; j + 2 < got.n; j++)
            framed = framed && got.at[j] >= ' ' && got.at[j] <= '~';
        bool filled = bytes_find(got, '{') == got.n && bytes_find(got, '#') == got.n;
        if (!framed || !filled || bytes_of(rows[i].text).n == 0)
            fail_msg("%s: %.*s", rows[i].name, (int)got.n, got.at);
    }
    buffer_done(&line);
}

static void test_words(void **state)
{
    struct buffer line = buffer_with_most(1 << 16);

    reply_put(&line, REPLY_LETTER_OK, (struct reply_words){ .word = BYTES("06CQ4KZ0R2J8M") });
    reply_put(&line, REPLY_CHUNK_OK, (struct reply_words){ .number = 86 });
    reply_put(&line, REPLY_BARE_LF, (struct reply_words){ .number = 12 });
    assert_true(bytes_equal(buffer_bytes(&line),
        BYTES("250 2.0.0 Ok, on disk as 06CQ4KZ0R2J8M\r\n250 2.0.0 86 octets received\r\n"
              "550 5.5.2 bare LF in line 12 of the text; end each line with CRLF\r\n")));
    buffer_done(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_which_have_none),
        cmocka_unit_test(test_registered),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

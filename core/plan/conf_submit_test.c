/* SPDX-License-Identifier: ISC */
#include "plan/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char file[] =
    "host mx.example\ndomain example.org\ndomain b\xC3\xBC" "cher.example\nmailboxes /m\n"
    "subaddress +\nsubmit-trust www-data\n";

static const struct { uint32_t uid; const char *sender; bool may; } rows[] = {
    { 0, "anybody@elsewhere.example", true }, { 0, "", true },
    { 33, "anybody@elsewhere.example", true },
    { 1000, "ann@example.org", true }, { 1000, "Ann@MX.example", true },
    { 1000, "ann+shop@example.org", true }, { 1000, "ann@b\xC3\xBC" "cher.example", true },
    { 1000, "ann@xn--bcher-kva.example", true }, { 1000, "", true },
    { 1000, "annabel@example.org", false }, { 1000, "an@example.org", false },
    { 1000, "ann-x@example.org", false }, { 1000, "root@example.org", false },
    { 1000, "ann@elsewhere.example", false }, { 1000, "ann@sub.example.org", false },
    { 1000, "ann@[192.0.2.1]", false }, { 1000, "ann", false }, { 1000, "@example.org", false },
    { 10, "bob@example.org", true }, { 10, "ann@example.org", false },
    { 4000, "@example.org", false }, { 4000, "ann@example.org", false }, { 4000, "", true },
    { UINT32_MAX, "ann@example.org", false },
};

static void who_may_send_as_whom(void **state)
{
    struct arena arena = arena_with_ceiling(LIMIT_CONF_MEMORY);
    struct conf_flaw flaw;
    struct conf conf;

    (void)state;
    assert_true(conf_read(bytes_of(file), BYTES("/etc"), &arena, &conf, &flaw));
    conf.accounts_text = BYTES("0 root\n33 www-data\n1000 ann\n10 bob\nx y\n4000\n\n5000 \n");
    for (size_t i = 0; i < COUNT(rows); i++)
        if (conf_may_send_as(&conf, rows[i].uid, bytes_of(rows[i].sender)) != rows[i].may)
            fail_msg("%u as %s", rows[i].uid, rows[i].sender);
    conf.accounts_text = BYTES_NONE;
    assert_false(conf_may_send_as(&conf, 1000, BYTES("ann@example.org")));
    assert_true(conf_may_send_as(&conf, 0, BYTES("ann@example.org")));
    arena_done(&arena);
}

static void the_socket_has_a_place(void **state)
{
    struct conf conf = { .control = BYTES("/run/postern/control") };
    struct buffer path = buffer_with_most(200);

    (void)state;
    conf_submit_put(&path, &conf);
    assert_true(bytes_equal(buffer_bytes(&path), BYTES("/run/postern/submit")));
    buffer_clear(&path);
    conf.submit = BYTES("/run/elsewhere");
    conf_submit_put(&path, &conf);
    assert_true(bytes_equal(buffer_bytes(&path), BYTES("/run/elsewhere")));
    buffer_done(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_send_as_whom),
        cmocka_unit_test(the_socket_has_a_place),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

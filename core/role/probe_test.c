/* SPDX-License-Identifier: ISC */
#include "role/probe.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct checkup_visit visit_of_one(void)
{
    static const uint8_t ip[16] = { [10] = 255, [11] = 255, 192, 0, 2, 1 };

    return checkup_visit_of(ip);
}

static struct tls_context *context(void)
{
    size_t n;
    struct tls_context *tls = tls_context_new_client(BYTES_NONE, &n);

    assert_non_null(tls);
    return tls;
}

static struct probe_want want_of(struct tls_context *tls)
{
    return (struct probe_want){ .hello = BYTES("h"), .host = BYTES("mx.example"), .tls = tls,
                                .now_ms = 1000 };
}

/* What the server says in one piece, or octet by octet; then it hangs up. */
static void call(struct tls_context *tls, struct bytes said, size_t cut, struct buffer *ours,
                 struct checkup_visit *visit)
{
    struct probe_want want = want_of(tls);
    struct probe *probe = probe_new(&want, visit);
    bool goes_on = probe != NULL && probe_step(probe, BYTES_NONE);

    while (goes_on && said.n > 0) {
        goes_on = probe_step(probe, bytes_first(said, cut));
        said = bytes_skip(said, cut);
        buffer_put(ours, probe_output(probe));
        probe_sent(probe);
    }
    if (goes_on)
        probe_lost(probe, BYTES("it hung up"));
    probe_free(probe);
}

#define EHLO "EHLO h\r\n"

static void what_servers_say(void **state)
{
    static const struct {
        const char *said;
        enum checkup_end end;
        const char *why, *greeting, *extensions, *ours;
    } rows[] = {
        { "220 mx.example ESMTP\r\n250-x\r\n250-SIZE 9\r\n250-XFOO\r\n250 PIPELINING\r\n"
          "221 bye\r\n",
          CHECKUP_SPOKEN, "", "220 mx.example ESMTP", "PIPELINING SIZE ", EHLO "QUIT\r\n" },
        { "220 a\r\n250 x\r\n", CHECKUP_SPOKEN, "", "220 a", "", EHLO "QUIT\r\n" },
        { "220 a\r\n502 what\r\n250 x\r\n", CHECKUP_SPOKEN, "", "220 a", "",
          EHLO "HELO h\r\nQUIT\r\n" },
        { "220-a\r\n220 b\r\n250 x\r\n", CHECKUP_SPOKEN, "", "220-a", "", EHLO "QUIT\r\n" },
        { "554 5.7.1 no PTR, no mail\r\n", CHECKUP_REFUSED, "554 5.7.1 no PTR, no mail",
          "554 5.7.1 no PTR, no mail", "", "" },
        { "421 4.3.2 later\r\n", CHECKUP_REFUSED, "421 4.3.2 later", "421 4.3.2 later", "", "" },
        { "220 a\r\n550-5.7.1 You are\r\n550 5.7.1 on a list\r\n550 no\r\n", CHECKUP_REFUSED,
          "550 no", "220 a", "", EHLO "HELO h\r\n" },
        { "", CHECKUP_SILENT, "it hung up", "", "", "" },
        { "220-a\r\n220-b\r\n", CHECKUP_SILENT, "it hung up", "220-a", "", "" },
        { "220 a\r\n250-b\r\n", CHECKUP_SILENT, "it hung up", "220 a", "", EHLO },
        { "220 a\r\n250-b\r\n250 STARTTLS\r\n", CHECKUP_SILENT, "it hung up", "220 a", "",
          EHLO "STARTTLS\r\n" },
        { "220 a\r\n250-b\r\n250 STARTTLS\r\n454 no\r\n", CHECKUP_SPOKEN, "", "220 a",
          "STARTTLS ", EHLO "STARTTLS\r\nQUIT\r\n" },
        /* CLI-044: another protocol */
        { "HTTP/1.1 400 Bad Request\r\n\r\n", CHECKUP_REFUSED,
          "the server answered with something that is no reply", "HTTP/1.1 400 Bad Request", "",
          "" },
        { "SSH-2.0-OpenSSH_9.2\r\n", CHECKUP_REFUSED,
          "the server answered with something that is no reply", "SSH-2.0-OpenSSH_9.2", "", "" },
    };
    struct tls_context *tls = context();

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct checkup_visit visit = visit_of_one();
        struct buffer ours = buffer_with_most(4096);
        call(tls, bytes_of(rows[i / 2].said), i % 2 ? 1 : SIZE_MAX, &ours, &visit);
        if (visit.end != rows[i / 2].end
            || !bytes_equal(buffer_bytes(&visit.why), bytes_of(rows[i / 2].why))
            || !bytes_equal(buffer_bytes(&visit.greeting), bytes_of(rows[i / 2].greeting))
            || !bytes_equal(buffer_bytes(&visit.extensions), bytes_of(rows[i / 2].extensions))
            || (i % 2 && !bytes_equal(buffer_bytes(&ours), bytes_of(rows[i / 2].ours))))
            fail_msg("row %zu: end %d, why %.*s, greeting %.*s, extensions %.*s, ours %.*s", i,
                     visit.end, (int)visit.why.n, visit.why.at, (int)visit.greeting.n,
                     visit.greeting.at, (int)visit.extensions.n, visit.extensions.at,
                     (int)ours.n, ours.at);
        checkup_visit_done(&visit);
        buffer_done(&ours);
    }
    tls_context_free(tls);
}

/* CLI-009: what was said in clear behind STARTTLS is nobody's we know. */
static void nothing_in_clear_counts_after_starttls(void **state)
{
    struct tls_context *tls = context();
    struct checkup_visit visit = visit_of_one();
    struct buffer ours = buffer_with_most(4096);

    (void)state;
    call(tls, BYTES("220 a\r\n250-b\r\n250 STARTTLS\r\n220 go\r\n250 CHUNKING\r\n"), SIZE_MAX,
         &ours, &visit);
    assert_int_equal(visit.end, CHECKUP_REFUSED);
    assert_false(visit.tls);
    assert_int_equal(visit.extensions.n, 0);
    checkup_visit_done(&visit);
    tls_context_free(tls);
    buffer_done(&ours);
}

/* An answer to our ClientHello that is no TLS. */
static void a_handshake_that_breaks_is_told(void **state)
{
    struct tls_context *tls = context();
    struct probe_want want = want_of(tls);
    struct checkup_visit visit = visit_of_one();
    struct probe *probe = probe_new(&want, &visit);

    (void)state;
    assert_true(probe_step(probe, BYTES("220 a\r\n250-b\r\n250 STARTTLS\r\n220 go\r\n")));
    assert_true(probe_output(probe).n > 100);
    probe_sent(probe);
    assert_false(probe_step(probe, BYTES("500 what do you mean\r\n")));
    assert_int_equal(visit.end, CHECKUP_TLS_BROKE);
    assert_true(bytes_begins(buffer_bytes(&visit.why), BYTES("the handshake failed")));
    probe_free(probe);
    checkup_visit_done(&visit);
    tls_context_free(tls);
}

/* A greeting without end, in one line or in many, is cut off. */
static void endless_talk_is_cut_off(void **state)
{
    static const char *const lines[] = { "220-more\r\n", "xxxxxxxx", "220 " };
    struct tls_context *tls = context();

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct probe_want want = want_of(tls);
        struct checkup_visit visit = visit_of_one();
        struct probe *probe = probe_new(&want, &visit);
        size_t said = 0;
        while (said < 1 << 20 && probe_step(probe, bytes_of(lines[i])))
            said += strlen(lines[i]);
        assert_in_range(said, 1, 300 * 1024);
        assert_int_equal(visit.end, CHECKUP_REFUSED);
        assert_true(visit.greeting.n <= CHECKUP_WORDS_MOST && visit.why.n <= CHECKUP_WORDS_MOST);
        probe_free(probe);
        checkup_visit_done(&visit);
    }
    tls_context_free(tls);
}

static void short_memory_is_no_crash(void **state)
{
    struct tls_context *tls = context();

    (void)state;
    for (uint64_t at = 1; at < 30; at++) {
        struct checkup_visit visit = visit_of_one();
        struct buffer ours = buffer_with_most(4096);
        mem_fail_at(at);
        call(tls, BYTES("220 a\r\n250-b\r\n250 STARTTLS\r\n220 go\r\n"), SIZE_MAX, &ours, &visit);
        mem_fail_at(0);
        checkup_visit_done(&visit);
        buffer_done(&ours);
    }
    tls_context_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_servers_say),
        cmocka_unit_test(nothing_in_clear_counts_after_starttls),
        cmocka_unit_test(a_handshake_that_breaks_is_told),
        cmocka_unit_test(endless_talk_is_cut_off), cmocka_unit_test(short_memory_is_no_crash),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

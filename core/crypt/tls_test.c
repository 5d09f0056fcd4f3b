/* SPDX-License-Identifier: ISC
 *
 * The engine with OpenSSL's own client at its other end: who is shown which certificate, every cut
 * of what comes, tickets, memory.
 */
#include "crypt/tls_peer_int.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct server {
    struct tls_context *context;
    struct holder holder;
};

static struct server four_names(void)
{
    static const char *const lists[][3] = {
        { "a.test", "also-a.test", NULL }, { "mx.test", NULL }, { "mx.test", NULL },
        { "*.wild.test", NULL }, { "c.test", NULL },
    };
    static const enum peer_kind kinds[] = { PEER_P256, PEER_P256, PEER_RSA, PEER_P384, PEER_RSA };
    struct server server = { .context = tls_context_new(BYTES("mx.test")) };

    assert_non_null(server.context);
    for (size_t i = 0; i < COUNT(lists); i++)
        holder_add(&server.holder, server.context, kinds[i], lists[i]);
    return server;
}

static void server_done(struct server *server)
{
    tls_context_free(server->context);
    holder_done(&server->holder);
}

static void test_certificate_by_name(void **state)
{
    static const struct {
        const char *asked, *suites, *want;
        bool rsa, known;
        int version;
    } rows[] = {
        { "a.test", NULL, "a.test", false, true, 0 },
        { "ALSO-A.test", NULL, "also-a.test", false, true, 0 },
        { "a.test.", NULL, "a.test", false, true, 0 },
        { "mx.test", NULL, "mx.test", false, true, 0 },
        { "mx.test", "aRSA", "mx.test", true, true, TLS1_2_VERSION },
        { "mx.test", "aECDSA", "mx.test", false, true, TLS1_2_VERSION },
        { "c.test", NULL, "c.test", true, true, 0 },
        { "c.test", NULL, "c.test", true, true, TLS1_2_VERSION },
        { "one.wild.test", NULL, "*.wild.test", false, true, 0 },
        { "one.wild.test", NULL, "*.wild.test", false, true, TLS1_2_VERSION },
        /* none has these: what `host` names is shown, and no alert */
        { "two.one.wild.test", NULL, "mx.test", false, false, 0 },
        { "wild.test", NULL, "mx.test", false, false, 0 },
        { "unknown.test", NULL, "mx.test", false, false, 0 },
        { "unknown.test", NULL, "mx.test", false, false, TLS1_2_VERSION },
        { "unknown.test", "aRSA", "mx.test", true, false, TLS1_2_VERSION },
        { NULL, NULL, "mx.test", false, false, 0 },
        { "*.wild.test", NULL, "*.wild.test", false, true, 0 },
        { "192.0.2.1", NULL, "mx.test", false, false, 0 },
    };
    struct server server = four_names();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        SSL_CTX *ctx = client_new(rows[i].version, rows[i].suites);
        struct pair pair = pair_new(server.context, &server.holder, ctx, rows[i].asked, 0);
        pair_run(&pair, 4096);
        struct tls_facts facts = tls_facts(pair.server);
        if (!pair.opened || !pair_shown(&pair, rows[i].want)
            || pair_shown_rsa(&pair) != rows[i].rsa || facts.name_known != rows[i].known
            || facts.alerted || !SSL_is_init_finished(pair.client))
            fail_msg("row %zu: opened %d rsa %d known %d", i, pair.opened, pair_shown_rsa(&pair),
                     facts.name_known);
        assert_true(bytes_equal(facts.name, bytes_of(rows[i].asked == NULL ? "" : rows[i].asked)));
        assert_true(facts.version.n > 0 && facts.cipher.n > 0 && facts.bits >= 128);
        assert_false(facts.verified);
        pair_done(&pair);
        SSL_CTX_free(ctx);
    }
    server_done(&server);
}

static void test_first_is_default_without_host(void **state)
{
    static const char *const names[] = { "first.test", NULL }, *const more[] = { "b.test", NULL };
    struct tls_context *context = tls_context_new(BYTES("absent.test"));
    struct holder holder = { 0 };
    SSL_CTX *ctx = client_new(TLS1_2_VERSION, "aRSA");

    (void)state;
    holder_add(&holder, context, PEER_P256, names);
    holder_add(&holder, context, PEER_RSA, names);
    holder_add(&holder, context, PEER_RSA, more);
    struct pair pair = pair_new(context, &holder, ctx, "x.test", 0);
    pair_run(&pair, 4096);
    assert_true(pair_shown(&pair, "first.test") && pair_shown_rsa(&pair));
    pair_done(&pair);
    SSL_CTX_free(ctx);
    tls_context_free(context);
    holder_done(&holder);
}

/* Text in both directions, at every cut; the schemes are those of the RFCs. */
static void test_every_cut(void **state)
{
    static const struct {
        int version;
        const char *name, *suites;
        enum sign_scheme scheme;
    } rows[] = {
        { TLS1_3_VERSION, "a.test", NULL, SIGN_ECDSA },
        { TLS1_3_VERSION, "c.test", NULL, SIGN_RSA_PSS },
        { TLS1_2_VERSION, "a.test", NULL, SIGN_ECDSA },
        { TLS1_2_VERSION, "c.test", NULL, SIGN_RSA_PSS },
    };
    static const size_t cuts[] = { 1, 2, 3, 5, 7, 16, 61, 333, 4096 };
    struct server server = four_names();

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * COUNT(cuts); i++) {
        SSL_CTX *ctx = client_new(rows[i % COUNT(rows)].version, NULL);
        struct pair pair = pair_new(server.context, &server.holder, ctx,
                                    rows[i % COUNT(rows)].name, 0);
        char back[6] = { 0 };
        pair_run(&pair, cuts[i / COUNT(rows)]);
        assert_true(pair.opened);
        assert_int_equal(server.holder.scheme, rows[i % COUNT(rows)].scheme);
        assert_int_equal(SSL_write(pair.client, "EHLO x\r\n", 8), 8);
        pair_run(&pair, cuts[i / COUNT(rows)]);
        assert_true(bytes_equal(buffer_bytes(&pair.got), BYTES("EHLO x\r\n")));
        assert_true(tls_write(pair.server, BYTES("250 x\n")));
        pair_feed(&pair, BYTES_NONE);
        assert_int_equal(SSL_read(pair.client, back, 6), 6);
        assert_memory_equal(back, "250 x\n", 6);
        SSL_shutdown(pair.client);
        pair_run(&pair, cuts[i / COUNT(rows)]);
        assert_true(pair.closed && !pair.failed);
        pair_done(&pair);
        SSL_CTX_free(ctx);
    }
    server_done(&server);
}

/* PKCS #1 v1.5, for a TLS 1.2 client that knows no PSS. */
static void test_old_rsa(void **state)
{
    struct server server = four_names();
    SSL_CTX *ctx = client_new(TLS1_2_VERSION, NULL);

    (void)state;
    SSL_CTX_set1_sigalgs_list(ctx, "RSA+SHA384");
    struct pair pair = pair_new(server.context, &server.holder, ctx, "c.test", 0);
    pair_run(&pair, 4096);
    assert_true(pair.opened);
    assert_int_equal(server.holder.scheme, SIGN_RSA_SHA384);
    pair_done(&pair);
    SSL_CTX_free(ctx);
    server_done(&server);
}

static void test_much_text(void **state)
{
    enum { MUCH = 3 * 1024 * 1024 };
    struct server server = four_names();
    SSL_CTX *ctx = client_new(0, NULL);
    struct pair pair = pair_new(server.context, &server.holder, ctx, "a.test", 0);
    static char text[MUCH], back[MUCH];

    (void)state;
    for (size_t i = 0; i < MUCH; i++)
        text[i] = (char)(i * 2654435761u >> 13);
    pair_run(&pair, 4096);
    assert_int_equal(SSL_write(pair.client, text, MUCH), MUCH);
    pair_run(&pair, 4096);
    assert_int_equal(pair.got.n, MUCH);
    assert_memory_equal(pair.got.at, text, MUCH);
    assert_true(tls_write(pair.server, (struct bytes){ text, MUCH }));
    pair_feed(&pair, BYTES_NONE);
    int got = 0, n;
    while ((n = SSL_read(pair.client, back + got, MUCH - got)) > 0)
        got += n;
    assert_int_equal(got, MUCH);
    assert_memory_equal(text, back, MUCH);
    pair_done(&pair);
    SSL_CTX_free(ctx);
    server_done(&server);
}

/* ---- tickets */

static const char secret_a[TLS_TICKET_SECRET + 1] = "0123456789abcdef0123456789abcdef";
static const char secret_b[TLS_TICKET_SECRET + 1] = "fedcba9876543210fedcba9876543210";

static SSL_SESSION *take_ticket(struct server *server, SSL_CTX *ctx, uint32_t listener)
{
    struct pair pair = pair_new(server->context, &server->holder, ctx, "a.test", listener);

    pair_run(&pair, 4096);
    assert_true(pair.opened);
    SSL_SESSION *session = SSL_get1_session(pair.client);
    SSL_shutdown(pair.client);          /* a session cut off is not to be resumed */
    pair_done(&pair);
    return session;
}

static bool resumes(struct server *server, SSL_CTX *ctx, uint32_t listener, SSL_SESSION *session)
{
    struct pair pair = pair_new(server->context, &server->holder, ctx, "a.test", listener);
    unsigned before = server->holder.asked;

    SSL_set_session(pair.client, session);
    pair_run(&pair, 4096);
    assert_true(pair.opened && !pair.failed);
    bool resumed = tls_facts(pair.server).resumed;
    assert_int_equal(server->holder.asked - before, resumed ? 0 : 1);
    assert_true(tls_facts(pair.server).name_known);
    assert_int_equal(resumed, SSL_session_reused(pair.client));
    SSL_shutdown(pair.client);
    pair_done(&pair);
    return resumed;
}

static void test_tickets(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    struct server server = four_names();
    struct bytes a = { secret_a, TLS_TICKET_SECRET }, b = { secret_b, TLS_TICKET_SECRET };

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        SSL_CTX *ctx = client_new(versions[i], NULL);
        tls_context_tickets(server.context, a, BYTES_NONE);
        SSL_SESSION *one = take_ticket(&server, ctx, 3);
        assert_true(resumes(&server, ctx, 3, one));
        assert_false(resumes(&server, ctx, 4, one));            /* another listener (SRV-028) */
        tls_context_tickets(server.context, b, a);
        assert_true(resumes(&server, ctx, 3, one));             /* sealed with the one before */
        tls_context_tickets(server.context, b, BYTES_NONE);
        assert_false(resumes(&server, ctx, 3, one));            /* too old */
        SSL_SESSION_free(one);
        SSL_CTX_free(ctx);
    }
    server_done(&server);
}

static void test_other_server_takes_ticket(void **state)
{
    struct server one = four_names(), other = four_names();
    SSL_CTX *ctx = client_new(0, NULL);

    (void)state;
    tls_context_tickets(one.context, (struct bytes){ secret_a, TLS_TICKET_SECRET }, BYTES_NONE);
    tls_context_tickets(other.context, (struct bytes){ secret_a, TLS_TICKET_SECRET }, BYTES_NONE);
    SSL_SESSION *session = take_ticket(&one, ctx, 0);
    assert_true(resumes(&other, ctx, 0, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    server_done(&one);
    server_done(&other);
}

/* ---- memory */

static void test_idle_session_is_small(void **state)
{
    enum { SESSIONS = 200, MOST = 64 * 1024 };
    struct server server = four_names();
    SSL_CTX *ctx = client_new(0, NULL);
    static struct pair pairs[SESSIONS];
    struct mallinfo2 before, after;

    (void)state;
    for (size_t i = 0; i < SESSIONS; i++)
        pairs[i] = pair_new(server.context, &server.holder, ctx, "a.test", 0);
    for (size_t i = 0; i < SESSIONS; i++)
        pair_run(&pairs[i], 4096);
    before = mallinfo2();
    for (size_t i = 0; i < SESSIONS; i++) {
        assert_true(pairs[i].opened);
        tls_free(pairs[i].server);
        pairs[i].server = NULL;
    }
    after = mallinfo2();
    print_message("# an idle session: %zu octets\n", (before.uordblks - after.uordblks) / SESSIONS);
    assert_true((before.uordblks - after.uordblks) / SESSIONS <= MOST);
    for (size_t i = 0; i < SESSIONS; i++)
        pair_done(&pairs[i]);
    SSL_CTX_free(ctx);
    server_done(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificate_by_name),
        cmocka_unit_test(test_first_is_default_without_host), cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_old_rsa), cmocka_unit_test(test_much_text),
        cmocka_unit_test(test_tickets), cmocka_unit_test(test_other_server_takes_ticket),
        cmocka_unit_test(test_idle_session_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC
 *
 * Relay before a server that asks for a certificate, with keys that sign, refuse, are silent or
 * gone. TLS is real here; the server's side of it is ours.
 */
#include "role/relay_world_int.h"

#include "crypt/sign.h"
#include "crypt/tls.h"
#include "role/relay_present_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct sign_key *our_key, *their_key;
static struct buffer ours, theirs;
static struct tls_context *servers;
static const struct role_name to_relay = { ROLE_RELAY, 0 }, keys = { ROLE_KEYS, 0 };

static void keys_tell_set(bool some)
{
    struct effects fx = effects_none();

    wire_tell_keys_begin(&fx, to_relay, &(struct wire_keys_begin){ 1 });
    tell(&fx, ROLE_KEYS);
    if (some) {
        wire_tell_keys_certificate(&fx, to_relay, &(struct wire_keys_certificate){
            1, 256, buffer_bytes(&ours) });
        tell(&fx, ROLE_KEYS);
    }
    wire_tell_keys_end(&fx, to_relay, &(struct wire_keys_end){ 1 });
    tell(&fx, ROLE_KEYS);
}

/* A letter is on its way to a host whose TLS nobody asked for. */
static void begin_letter(bool configured)
{
    private();
    w.conf.client_certificate = configured ? BYTES("us.example") : BYTES_NONE;
    step((struct event){ .kind = EV_PEER_UP, .peer = keys });
    keys_tell_set(true);
    a_host();
    give(1, "you@a.example");
    answer_names();
}

static void server_says(uint32_t conn, struct bytes bytes)
{
    step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = bytes });
}

static void server_answers(struct tls *server)
{
    struct buffer signature = buffer_with_most(SIGNATURE_MOST);
    struct tls_keyop keyop = tls_keyop(server);

    assert_true(sign_key_sign(their_key, keyop.scheme, keyop.tbs, &signature));
    tls_key_answer(server, buffer_bytes(&signature));
    buffer_done(&signature);
}

/* Octets both ways until nobody has any. */
static void shake(struct tls *server, uint32_t conn)
{
    struct line *line = &w.lines[conn];

    for (unsigned i = 0; i < 20 && line->heard.n > 0 && !line->closing; i++) {
        struct buffer heard = line->heard;
        line->heard = buffer_with_most(1 << 20);
        enum tls_said said = tls_step(server, buffer_bytes(&heard));
        buffer_done(&heard);
        while (said == TLS_KEYOP || said == TLS_OPENED) {
            if (said == TLS_KEYOP)
                server_answers(server);
            said = tls_step(server, BYTES_NONE);
        }
        if (tls_cipher(server).n > 0)
            server_says(conn, tls_cipher(server));
        tls_cipher_sent(server);
    }
}

/* The next connection, up to where its handshake stands still, or is over. */
static uint32_t next(struct tls **ret_server)
{
    uint32_t conn = connect(true);

    buffer_clear(&w.said);
    server_says(conn, BYTES("250-x\r\n250 STARTTLS\r\n"));
    assert_true(said("STARTTLS\r\n"));
    buffer_clear(&w.lines[conn].heard);
    server_says(conn, BYTES("220 go\r\n"));
    *ret_server = tls_new(servers, 0);
    shake(*ret_server, conn);
    return conn;
}

static bool asked(struct wire_keyop *ret_keyop)
{
    uint32_t n;

    if (w.keyops.n == 0)
        return false;
    memcpy(&n, w.keyops.at, sizeof(n));
    assert_int_equal(w.keyops.n, 4 + n);        /* once */
    return wire_read_keyop((struct bytes){ w.keyops.at + 4, n }, ret_keyop);
}

static void keys_answer(uint64_t session, uint32_t conn, struct bytes signature)
{
    struct effects fx = effects_none();

    wire_tell_keyop_done(&fx, to_relay, &(struct wire_keyop_done){ session, conn, signature });
    tell(&fx, ROLE_KEYS);
}

static void keys_sign(const struct wire_keyop *keyop)
{
    struct buffer signature = buffer_with_most(SIGNATURE_MOST);
    struct buffer tbs = buffer_with_most(SIGN_TBS_MOST);

    assert_int_equal(keyop->key, 256);
    buffer_put(&tbs, keyop->tbs);
    assert_true(sign_key_sign(our_key, (enum sign_scheme)keyop->scheme, buffer_bytes(&tbs),
                              &signature));
    keys_answer(keyop->session, keyop->conn, buffer_bytes(&signature));
    buffer_done(&signature);
    buffer_done(&tbs);
}

static void is_open(struct tls *server, bool verified)
{
    assert_true(tls_facts(server).version.n > 0);
    assert_int_equal(tls_facts(server).verified, verified);
    assert_true(bytes_begins(tls_plain(server), BYTES("EHLO us.example")));
    assert_false(said("MAIL"));                 /* in clear */
}

static void who_asks_is_shown_ours(void **state)
{
    struct wire_keyop keyop;
    struct tls *server;

    (void)state;
    begin_letter(true);
    uint32_t conn = next(&server);
    assert_true(asked(&keyop));
    assert_int_equal(keyop.conn, conn);
    assert_int_equal(tls_facts(server).version.n, 0);
    keys_answer(keyop.session + 1, conn, BYTES("of another"));      /* is none of its affair */
    keys_answer(keyop.session, conn + 1, BYTES("of another"));
    keys_answer(0, conn, BYTES("of nobody"));
    keys_sign(&keyop);
    shake(server, conn);
    is_open(server, true);
    keys_answer(keyop.session, conn, BYTES("once more"));
    assert_false(w.lines[conn].closing);
    tls_free(server);
    end();
}

/* Not set; none there; keys gone before it began. */
static void none_is_shown_without(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 3; row++) {
        struct wire_keyop keyop;
        struct tls *server;
        begin_letter(row != 0);
        if (row == 1)
            keys_tell_set(false);
        if (row == 2)
            step((struct event){ .kind = EV_PEER_DOWN, .peer = keys });
        (void)next(&server);
        assert_false(asked(&keyop));
        is_open(server, false);
        tls_free(server);
        end();
    }
}

/* It does not sign: the letter goes with the next connection, inside TLS, without. */
static void keys_that_do_not_sign_keep_no_letter(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 4; row++) {
        struct wire_keyop keyop;
        struct tls *server;
        begin_letter(true);
        uint32_t conn = next(&server);
        assert_true(asked(&keyop));
        if (row == 0)
            step((struct event){ .kind = EV_PEER_DOWN, .peer = keys });
        else if (row == 1)
            keys_answer(keyop.session, conn, BYTES_NONE);
        else if (row == 2)
            pass(RELAY_SIGN_MS);
        else
            step((struct event){ .kind = EV_CLOSED, .conn = conn });
        assert_true(row == 3 || w.lines[conn].closing);
        assert_true(logged("client-certificate-off") && !logged("tls-failed"));
        keys_answer(keyop.session, conn, BYTES("too late"));
        if (row != 3)
            hang_up(conn);
        w.lines[conn].open = false;
        buffer_clear(&w.keyops);
        tls_free(server);
        assert_int_equal(w.results_n, 0);
        (void)next(&server);
        assert_false(asked(&keyop));
        is_open(server, false);
        tls_free(server);
        end();
    }
}

/* Who breaks off before our certificate is not shown it again for a while, nor in clear. */
static void who_refuses_ours_is_met_without(void **state)
{
    struct wire_keyop keyop;
    struct tls *server;

    (void)state;
    begin_letter(true);
    uint32_t conn = next(&server);
    assert_true(asked(&keyop));
    keys_answer(keyop.session, conn, BYTES("rubbish"));
    shake(server, conn);
    assert_true(logged("client-certificate-off"));
    tls_free(server);
    for (uint32_t letter = 2; letter < 4; letter++) {
        hang_up(conn);
        w.lines[conn].open = false;
        buffer_clear(&w.keyops);
        pass(letter == 2 ? RELAY_BARE_MS / 2 : RELAY_BARE_MS);
        give(letter, "you@a.example");
        answer_names();
        conn = next(&server);
        assert_int_equal(asked(&keyop), letter == 3);
        tls_free(server);
    }
    end();
}

static int set_up(void **state)
{
    (void)state;
    ours = theirs = buffer_with_most(65536);
    our_key = sign_key_self_signed(BYTES("us.example"), &ours);
    their_key = sign_key_self_signed(BYTES("mx.a.example"), &theirs);
    servers = tls_context_new(BYTES("mx.a.example"));
    return !tls_context_add(servers, buffer_bytes(&theirs), 0)
        || !tls_context_trust(servers, buffer_bytes(&ours));
}

static int tear_down(void **state)
{
    (void)state;
    tls_context_free(servers);
    sign_key_free(our_key);
    sign_key_free(their_key);
    buffer_done(&ours);
    buffer_done(&theirs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_is_shown_ours), cmocka_unit_test(none_is_shown_without),
        cmocka_unit_test(keys_that_do_not_sign_keep_no_letter),
        cmocka_unit_test(who_refuses_ours_is_met_without),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

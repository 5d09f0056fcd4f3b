/* SPDX-License-Identifier: ISC */
#include "crypt/tls_client.h"

#include "base/arena.h"
#include "crypt/tls_peer_int.h"

#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { HOUR = 3600 * 1000 };

static uint64_t now_ms;

/* A server with one certificate, by an authority of its own; and the TLSA data that fit it. */
struct world {
    struct tls_context *server;
    struct holder holder;
    struct buffer authority;
    char ee[35], ta[35];            /* 3 1 1 of the server's key, 2 0 1 of the authority */
};

static void put_digest(char to[static 35], const char *kind, const unsigned char *der, int n)
{
    unsigned length = 32;

    memcpy(to, kind, 3);
    assert_int_equal(EVP_Digest(der, (size_t)n, (unsigned char *)to + 3, &length, EVP_sha256(),
                                NULL), 1);
}

static void put_records(struct world *world, X509 *leaf, X509 *above)
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);

    put_digest(world->ee, "\3\1\1", der, n);
    OPENSSL_free(der);
    der = NULL;
    n = i2d_X509(above, &der);
    put_digest(world->ta, "\2\0\1", der, n);
    OPENSSL_free(der);
}

static struct world world_new(void)
{
    static const char *const names[] = { "mx.example", "*.wild.example", NULL };
    static const char *const root[] = { "An authority", NULL };
    struct world world = { .server = tls_context_new(BYTES("mx.example")),
                           .authority = buffer_with_most(65536) };
    struct buffer chain = buffer_with_most(65536);
    EVP_PKEY *key = peer_key(PEER_P256), *root_key = peer_key(PEER_P256);
    X509 *above = peer_certificate(root_key, root, NULL, NULL);
    X509 *leaf = peer_certificate(key, names, above, root_key);

    peer_put_pem(&world.authority, above);
    peer_put_pem(&chain, leaf);
    peer_put_pem(&chain, above);
    world.holder.keys[world.holder.n++] = peer_hold(key);
    assert_true(tls_context_add(world.server, buffer_bytes(&chain), 0));
    tls_context_tickets(world.server, BYTES("0123456789abcdef0123456789abcdef"), BYTES_NONE);
    put_records(&world, leaf, above);
    X509_free(leaf);
    X509_free(above);
    EVP_PKEY_free(key);
    EVP_PKEY_free(root_key);
    buffer_done(&chain);
    return world;
}

static void world_done(struct world *world)
{
    tls_context_free(world->server);
    holder_done(&world->holder);
    buffer_done(&world->authority);
}

/* ---- two of ours */

struct ends {
    struct world *world;
    struct tls *server, *client;
    enum tls_said server_said, client_said;
    bool server_opened, client_opened;
};

static void step(struct ends *ends, bool server, struct bytes in)
{
    struct tls *tls = server ? ends->server : ends->client;
    enum tls_said *said = server ? &ends->server_said : &ends->client_said;

    *said = tls_step(tls, in);
    while (*said == TLS_KEYOP || *said == TLS_OPENED) {
        if (*said == TLS_OPENED)
            *(server ? &ends->server_opened : &ends->client_opened) = true;
        if (*said == TLS_KEYOP) {
            struct buffer signature = buffer_with_most(SIGNATURE_MOST);
            struct tls_keyop keyop = tls_keyop(tls);
            bool well = sign_key_sign(ends->world->holder.keys[keyop.key], keyop.scheme, keyop.tbs,
                                      &signature);
            tls_key_answer(tls, well ? buffer_bytes(&signature) : BYTES_NONE);
            buffer_done(&signature);
        }
        *said = tls_step(tls, BYTES_NONE);
    }
}

/* What one has to say to the other, at most `cut` octets at once. */
static bool carry(struct ends *ends, bool to_server, size_t cut)
{
    struct tls *from = to_server ? ends->client : ends->server;
    struct buffer said = buffer_with_most(1 << 20);

    buffer_put(&said, tls_cipher(from));
    tls_cipher_sent(from);
    for (struct bytes left = buffer_bytes(&said); left.n > 0; left = bytes_skip(left, cut))
        step(ends, to_server, bytes_first(left, cut));
    bool any = said.n > 0;
    buffer_done(&said);
    return any;
}

static void run(struct ends *ends, size_t cut)
{
    step(ends, false, BYTES_NONE);
    while (carry(ends, true, cut) || carry(ends, false, cut))
        ;
}

static struct ends ends_new(struct world *world, struct tls_context *clients,
                            const struct tls_want *want)
{
    struct ends ends = { .world = world, .server = tls_new(world->server, 1),
                         .client = tls_client_new(clients, want) };

    assert_non_null(ends.server);
    assert_non_null(ends.client);
    return ends;
}

static void ends_done(struct ends *ends)
{
    tls_free(ends->client);
    tls_free(ends->server);
}

/* ---- rows */

struct row {
    const char *what;
    struct tls_want want;
    bool trusted;               /* its authority is one of ours */
    bool opened, proved;
    enum tls_trouble trouble;
    int depth;
};

static void run_row(struct world *world, const struct row *row, size_t cut)
{
    size_t n = 0;
    struct bytes pem = row->trusted ? buffer_bytes(&world->authority) : BYTES_NONE;
    struct tls_context *clients = tls_context_new_client(pem, &n);
    struct tls_want want = row->want;

    assert_non_null(clients);
    assert_int_equal(n, row->trusted);
    want.now_ms += now_ms;
    struct ends ends = ends_new(world, clients, &want);
    run(&ends, cut);
    struct tls_verdict verdict = tls_client_verdict(ends.client);
    if (ends.client_opened != row->opened || verdict.proved != row->proved
        || verdict.trouble != row->trouble || verdict.depth != row->depth)
        fail_msg("%s: opened %d, proved %d, trouble %d (%s), depth %d", row->what,
                 ends.client_opened, verdict.proved, verdict.trouble, verdict.words, verdict.depth);
    assert_int_equal(verdict.words[0] != '\0', row->trouble != TLS_TROUBLE_NONE);
    assert_true(row->opened || ends.client_said == TLS_FAILED);
    if (row->opened) {
        assert_true(tls_write(ends.client, BYTES("EHLO us\r\n")));
        (void)carry(&ends, true, cut);
        assert_true(bytes_equal(tls_plain(ends.server), BYTES("EHLO us\r\n")));
        assert_string_equal(tls_facts(ends.client).version.at, "TLSv1.3");
    }
    ends_done(&ends);
    tls_context_free(clients);
}

#define NAME(text) .name = BYTES_INIT(text)

static const struct row rows[] = {
    { "nothing wanted, and nobody vouches", { TLS_PROVE_NOTHING, true, NAME("mx.example") },
      false, true, false, TLS_TROUBLE_UNTRUSTED, -1 },
    { "nothing wanted, the name is wrong", { TLS_PROVE_NOTHING, true, NAME("other.example") },
      true, true, false, TLS_TROUBLE_NAME, -1 },
    { "nothing wanted, no name", { .proof = TLS_PROVE_NOTHING }, true, true, false,
      TLS_TROUBLE_NONE, -1 },
    { "vouched for", { TLS_PROVE_NAME, true, NAME("mx.example") }, true, true, true,
      TLS_TROUBLE_NONE, -1 },
    { "by a wildcard", { TLS_PROVE_NAME, true, NAME("a.wild.example") }, true, true, true,
      TLS_TROUBLE_NONE, -1 },
    { "a wildcard is one label", { TLS_PROVE_NAME, true, NAME("a.b.wild.example") }, true, false,
      false, TLS_TROUBLE_NAME, -1 },
    { "by nobody we know", { TLS_PROVE_NAME, true, NAME("mx.example") }, false, false, false,
      TLS_TROUBLE_UNTRUSTED, -1 },
    { "for another name", { TLS_PROVE_NAME, true, NAME("mx2.example") }, true, false, false,
      TLS_TROUBLE_NAME, -1 },
    { "for another name, noted only", { TLS_PROVE_NAME, false, NAME("mx2.example") }, true, true,
      false, TLS_TROUBLE_NAME, -1 },
    { "two hours late", { TLS_PROVE_NAME, true, NAME("mx.example"), .now_ms = 2 * HOUR }, true,
      false, false, TLS_TROUBLE_EXPIRED, -1 },
};

static void whom_a_server_proves_to_be(void **state)
{
    struct world world = world_new();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&world, &rows[i], SIZE_MAX);
        run_row(&world, &rows[i], 1);
    }
    world_done(&world);
}

/* What people are told of it, whoever it is. */
static void what_a_server_shows(void **state)
{
    struct world world = world_new();
    size_t n = 0;
    struct tls_context *clients = tls_context_new_client(BYTES_NONE, &n);
    struct tls_want want = { .name = BYTES("mx.example"), .now_ms = now_ms };
    struct buffer names = buffer_with_most(4096), pem = buffer_with_most(65536);
    struct tls_shown shown;

    (void)state;
    struct ends ends = ends_new(&world, clients, &want);
    assert_false(tls_client_shown(ends.client, want.name, &names, &pem, &shown));
    run(&ends, SIZE_MAX);
    assert_true(tls_client_shown(ends.client, BYTES("a.wild.example"), &names, &pem, &shown));
    assert_int_equal(shown.chain, 2);
    assert_true(shown.names_it);
    assert_true(bytes_equal(buffer_bytes(&names),
                            BYTES("\12\0\0\0mx.example\16\0\0\0*.wild.example")));
    assert_in_range(shown.from_ms, now_ms - 2 * HOUR, now_ms);
    assert_in_range(shown.until_ms, now_ms, now_ms + 2 * HOUR);
    ends_done(&ends);
    /* The chain can be judged anew, for another name. */
    struct tls_want other = { .proof = TLS_PROVE_NAME, .name = BYTES("mx2.example"),
                              .now_ms = now_ms };
    struct tls *tls = tls_client_new(clients, &other);
    assert_int_equal(tls_client_judge(tls, buffer_bytes(&pem)).trouble, TLS_TROUBLE_UNTRUSTED);
    tls_free(tls);
    tls_context_free(clients);
    buffer_done(&names);
    buffer_done(&pem);
    world_done(&world);
}

/* CLI-014 and RFC 7672, 3.1. */
static void what_its_records_prove(void **state)
{
    struct world world = world_new();
    struct bytes ee = { world.ee, 35 }, ta = { world.ta, 35 };
    struct bytes wrong = BYTES("\3\1\1" "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    struct bytes fits[] = { ee }, other[] = { wrong }, second[] = { wrong, ee }, above[] = { ta };
    struct bytes original = BYTES("mx.example");
    const struct row dane[] = {
        { "its key", { TLS_PROVE_DANE, true, NAME("mx.example"), NULL, 0, fits, 1 }, false, true,
          true, TLS_TROUBLE_NONE, 0 },
        { "its key: neither names nor dates count (RFC 7671, 5.1)",
          { TLS_PROVE_DANE, true, NAME("other.example"), NULL, 0, fits, 1, 2 * HOUR }, false, true,
          true, TLS_TROUBLE_NONE, 0 },
        { "another key", { TLS_PROVE_DANE, true, NAME("mx.example"), NULL, 0, other, 1 }, true,
          false, false, TLS_TROUBLE_TLSA, -1 },
        { "the second of two", { TLS_PROVE_DANE, true, NAME("mx.example"), NULL, 0, second, 2 },
          false, true, true, TLS_TROUBLE_NONE, 0 },
        { "its authority", { TLS_PROVE_DANE, true, NAME("mx.example"), NULL, 0, above, 1 }, false,
          true, true, TLS_TROUBLE_NONE, 1 },
        { "its authority, and another name",
          { TLS_PROVE_DANE, true, NAME("other.example"), NULL, 0, above, 1 }, false, false, false,
          TLS_TROUBLE_NAME, -1 },
        { "its authority, and the name before the CNAME",
          { TLS_PROVE_DANE, true, NAME("other.example"), &original, 1, above, 1 }, false, true,
          true, TLS_TROUBLE_NONE, 1 },
        { "its authority, too late",
          { TLS_PROVE_DANE, true, NAME("mx.example"), NULL, 0, above, 1, 2 * HOUR }, false, false,
          false, TLS_TROUBLE_EXPIRED, -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(dane); i++)
        run_row(&world, &dane[i], SIZE_MAX);
    world_done(&world);
}

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* CLI-015: whatever stands in a record, it is usable or not, and no more. */
static const struct { struct bytes record; bool usable; } records[] = {
    { BYTES_INIT("\3\1\1" X32), true }, { BYTES_INIT("\2\0\2" X32 X32), true },
    { BYTES_INIT("\3\1\1" X32 "x"), false }, { BYTES_INIT("\3\1\2" X32), false },
    { BYTES_INIT("\0\1\1" X32), false }, { BYTES_INIT("\1\1\1" X32), false },
    { BYTES_INIT("\4\1\1" X32), false }, { BYTES_INIT("\3\2\1" X32), false },
    { BYTES_INIT("\3\1\377" X32), false }, { BYTES_INIT("\3\0\0" X32), false },
    { BYTES_INIT("\3\1\0" X32), false }, { BYTES_INIT("\3\1\1"), false },
    { BYTES_INIT("\3\1"), false }, { BYTES_INIT(""), false },
};

static void which_records_can_be_used(void **state)
{
    size_t n;
    struct tls_context *clients = tls_context_new_client(BYTES("no certificate at all"), &n);

    (void)state;
    assert_int_equal(n, 0);
    for (size_t i = 0; i < COUNT(records); i++) {
        struct tls_want want = { TLS_PROVE_DANE, true, BYTES("mx.example"), NULL, 0,
                                 &records[i].record, 1, 0, BYTES_NONE, false };
        assert_int_equal(tls_tlsa_usable(&records[i].record, 1), records[i].usable);
        struct tls *tls = tls_client_new(clients, &want);
        assert_int_equal(tls != NULL, records[i].usable);
        tls_free(tls);
    }
    tls_context_free(clients);
}

static void a_session_goes_on_after_another(void **state)
{
    struct world world = world_new();
    struct buffer ticket = buffer_with_most(1 << 16);
    size_t n;
    struct tls_context *clients = tls_context_new_client(buffer_bytes(&world.authority), &n);

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct tls_want want = { TLS_PROVE_NAME, true, BYTES("mx.example"), NULL, 0, NULL, 0,
                                 now_ms, i == 2 ? BYTES("rubbish") : buffer_bytes(&ticket),
                                 false };
        struct ends ends = ends_new(&world, clients, &want);
        run(&ends, SIZE_MAX);
        assert_true(ends.client_opened && ends.server_opened);
        assert_int_equal(tls_facts(ends.client).resumed, i == 1);
        assert_true(tls_client_verdict(ends.client).proved);
        /* A server need not give another ticket to one who shows one: the old one serves on. */
        assert_int_equal(tls_client_ticket(ends.client).n > 0, i != 1);
        if (i == 0)
            buffer_put(&ticket, tls_client_ticket(ends.client));
        ends_done(&ends);
    }
    tls_context_free(clients);
    buffer_done(&ticket);
    world_done(&world);
}

static void short_memory_is_no_crash(void **state)
{
    struct world world = world_new();

    (void)state;
    for (uint64_t at = 1; at < 40; at++) {
        size_t n;
        mem_fail_at(at);
        struct tls_context *clients = tls_context_new_client(buffer_bytes(&world.authority), &n);
        struct tls_want want = { TLS_PROVE_NAME, true, BYTES("mx.example"), NULL, 0, NULL, 0,
                                 now_ms, BYTES_NONE, false };
        struct tls *client = clients == NULL ? NULL : tls_client_new(clients, &want);
        struct ends ends = { .world = &world, .client = client };
        ends.server = tls_new(world.server, 1);
        if (ends.client != NULL && ends.server != NULL)
            step(&ends, false, BYTES_NONE), (void)carry(&ends, true, SIZE_MAX);
        mem_fail_at(0);
        ends_done(&ends);
        tls_context_free(clients);
    }
    world_done(&world);
}

static void names_for_reports(void **state)
{
    (void)state;
    assert_string_equal(tls_trouble_name(TLS_TROUBLE_NONE), "");
    assert_string_equal(tls_trouble_name(TLS_TROUBLE_EXPIRED), "certificate-expired");
    assert_string_equal(tls_trouble_name(TLS_TROUBLE_NAME), "certificate-host-mismatch");
    assert_string_equal(tls_trouble_name(TLS_TROUBLE_UNTRUSTED), "certificate-not-trusted");
    assert_string_equal(tls_trouble_name(TLS_TROUBLE_TLSA), "validation-failure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom_a_server_proves_to_be),
        cmocka_unit_test(what_a_server_shows), cmocka_unit_test(what_its_records_prove),
        cmocka_unit_test(which_records_can_be_used),
        cmocka_unit_test(a_session_goes_on_after_another),
        cmocka_unit_test(short_memory_is_no_crash), cmocka_unit_test(names_for_reports),
    };
    struct timespec now;

    timespec_get(&now, TIME_UTC);
    now_ms = (uint64_t)now.tv_sec * 1000;
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

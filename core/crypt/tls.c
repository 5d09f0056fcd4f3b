/* SPDX-License-Identifier: ISC
 *
 * One session.
 *
 *   SHAKING --tls_step--> OPEN --close_notify--> CLOSED
 *   SHAKING, OPEN --anything the peer may not do--> FAILED
 *
 * While a signature is waited for, the handshake's fibre stands inside tls_sign, below OpenSSL;
 * what comes from the network meanwhile is kept, up to KEPT_MOST octets.
 */
#include "crypt/tls_int.h"

#include <assert.h>
#include <string.h>

enum {
    RECORD_PLAIN = 16 * 1024,
    PLAIN_MOST = 16 * 1024 * 1024,
    CIPHER_MOST = 32 * 1024 * 1024,
    KEPT_MOST = 64 * 1024,
    WARNINGS_MOST = 8,          /* that we say to one peer: it asks for what it cannot have */
    KEPT_WHEN_IDLE = 512,
    TICKET_MOST = 64 * 1024,
};

/* ---- birth and death */

static void on_info(const SSL *ssl, int where, int said)
{
    struct tls *tls = SSL_get_app_data(ssl);
    bool ours = (where & SSL_CB_WRITE) != 0;

    if ((where & SSL_CB_ALERT) == 0)
        return;
    if (said >> 8 == SSL3_AL_WARNING) {
        tls->warnings += ours;
        return;
    }
    if (tls->facts.alerted)
        return;
    tls->facts.alerted = true;
    tls->facts.alert_ours = ours;
    tls->facts.alert = (uint8_t)said;
}

struct tls *tls_begin(struct tls_context *context)
{
    struct tls *tls = mem_new(sizeof(*tls));

    if (tls == NULL)
        return NULL;
    *tls = (struct tls){
        .context = context,
        .kept = buffer_with_most(KEPT_MOST), .plain = buffer_with_most(PLAIN_MOST),
        .cipher = buffer_with_most(CIPHER_MOST), .tbs = buffer_with_most(SIGN_TBS_MOST),
        .signature = buffer_with_most(SIGNATURE_MOST), .ticket = buffer_with_most(TICKET_MOST),
        .facts = { .version = BYTES_NONE, .cipher = BYTES_NONE, .name = BYTES_NONE,
                   .offered = BYTES_NONE },
        .verdict = { .words = "", .depth = -1 },
    };
    context->users++;
    tls->ssl = SSL_new(context->ctx);
    if (tls->ssl == NULL || !tls_bio_attach(tls)) {
        ERR_clear_error();
        tls_free(tls);
        return NULL;
    }
    SSL_set_app_data(tls->ssl, tls);
    SSL_set_info_callback(tls->ssl, on_info);
    return tls;
}

struct tls *tls_new(struct tls_context *context, uint32_t listener)
{
    uint8_t bound_to[4] = { (uint8_t)(listener >> 24), (uint8_t)(listener >> 16),
                            (uint8_t)(listener >> 8), (uint8_t)listener };
    struct tls *tls = tls_begin(context);

    if (tls == NULL)
        return NULL;
    if (SSL_set_session_id_context(tls->ssl, bound_to, sizeof(bound_to)) != 1) {
        ERR_clear_error();
        tls_free(tls);
        return NULL;
    }
    tls->listener = listener;
    SSL_set_accept_state(tls->ssl);
    return tls;
}

static void stop_waiting(struct tls *tls)
{
    if (tls->waits)
        tls->context->jobs--;
    tls->waits = false;
}

/* A fibre that stands still must come to its end before its session may go. */
static void end_fibre(struct tls *tls)
{
    tls->doomed = true;
    tls->context->current = tls;
    stop_waiting(tls);
    buffer_clear(&tls->signature);
    tls->answered = true;
    (void)SSL_do_handshake(tls->ssl);
    tls->context->current = NULL;
    assert(!tls->paused);
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    if (tls->paused)
        end_fibre(tls);
    SSL_free(tls->ssl);
    ERR_clear_error();
    buffer_done(&tls->kept);
    if (tls->plain.room > 0)
        mem_wipe(tls->plain.at, tls->plain.room);
    buffer_done(&tls->plain);
    buffer_done(&tls->cipher);
    buffer_done(&tls->tbs);
    buffer_done(&tls->signature);
    if (tls->ticket.room > 0)
        mem_wipe(tls->ticket.at, tls->ticket.room);
    buffer_done(&tls->ticket);
    tls_context_free(tls->context);
    mem_free(tls);
}

/* ---- signatures */

size_t tls_sign(struct tls_context *context, uint32_t number, enum sign_scheme scheme,
                const uint8_t *tbs, size_t tbs_n, uint8_t *ret_signature, size_t most)
{
    struct tls *tls = context->current;

    if (tls == NULL || tls->doomed || context->jobs >= TLS_JOBS_MOST
        || ASYNC_get_current_job() == NULL)
        return 0;
    buffer_clear(&tls->tbs);
    buffer_put(&tls->tbs, (struct bytes){ (const char *)tbs, tbs_n });
    if (tls->tbs.bad)
        return 0;
    tls->keyop = (struct tls_keyop){ number, scheme, buffer_bytes(&tls->tbs) };
    tls->waits = true;
    tls->answered = false;
    context->jobs++;
    tls->paused = true;
    while (!tls->answered && ASYNC_pause_job() == 1)
        ;
    tls->paused = false;
    if (!tls->answered)
        stop_waiting(tls);
    if (!tls->answered || tls->signature.n == 0 || tls->signature.n > most)
        return 0;
    memcpy(ret_signature, tls->signature.at, tls->signature.n);
    tls->presented = true;
    return tls->signature.n;
}

struct tls_keyop tls_keyop(const struct tls *tls)
{
    return tls->keyop;
}

void tls_key_answer(struct tls *tls, struct bytes signature)
{
    if (!tls->waits || tls->state != TLS_SHAKING)
        return;
    buffer_clear(&tls->signature);
    buffer_put(&tls->signature, signature);
    tls->answered = true;
    stop_waiting(tls);
}

/* ---- stepping */

static enum tls_said fail(struct tls *tls)
{
    tls->state = TLS_IS_FAILED;
    return TLS_FAILED;
}

/* What OpenSSL did not read yet. */
static bool keep_rest(struct tls *tls)
{
    if (tls->kept_at > 0) {
        buffer_drop(&tls->kept, tls->kept_at);
        tls->kept_at = 0;
    }
    if (tls->kept.n == 0)
        buffer_shrink(&tls->kept, KEPT_WHEN_IDLE);
    buffer_put(&tls->kept, tls->in);
    tls->in = BYTES_NONE;
    return !tls->kept.bad;
}

static void note_opened(struct tls *tls)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);
    struct tls_facts *facts = &tls->facts;

    facts->version = bytes_of(SSL_get_version(tls->ssl));
    facts->cipher = bytes_of(SSL_CIPHER_get_name(cipher));
    facts->bits = (unsigned)SSL_CIPHER_get_bits(cipher, NULL);
    facts->resumed = SSL_session_reused(tls->ssl) == 1;
    facts->verified = SSL_get0_peer_certificate(tls->ssl) != NULL
                   && SSL_get_verify_result(tls->ssl) == X509_V_OK;
    /* Of a session that goes on after another, the certificate was not chosen anew. */
    if (facts->resumed)
        facts->name_known = tls_context_serves(tls->context, facts->name);
    tls_client_note(tls);
}

static enum tls_said shake(struct tls *tls)
{
    int done = SSL_do_handshake(tls->ssl);
    int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, done);

    if (why == SSL_ERROR_WANT_X509_LOOKUP) {    /* once: tls_on_asked */
        done = SSL_do_handshake(tls->ssl);
        why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, done);
    }
    if (why == SSL_ERROR_NONE) {
        tls->state = TLS_OPEN;
        SSL_clear_mode(tls->ssl, SSL_MODE_ASYNC);
        buffer_done(&tls->tbs);
        buffer_done(&tls->signature);
        note_opened(tls);
        return TLS_OPENED;
    }
    if (why == SSL_ERROR_WANT_ASYNC && tls->waits)
        return TLS_KEYOP;
    return why == SSL_ERROR_WANT_READ ? TLS_MORE : fail(tls);
}

static enum tls_said take_plain(struct tls *tls)
{
    for (;;) {
        size_t got = 0;
        if (!buffer_reserve(&tls->plain, RECORD_PLAIN))
            return fail(tls);
        int done = SSL_read_ex(tls->ssl, tls->plain.at + tls->plain.n, RECORD_PLAIN, &got);
        if (done == 1) {
            tls->plain.n += got;
            continue;
        }
        int why = SSL_get_error(tls->ssl, done);
        if (tls->plain.n == 0)
            buffer_done(&tls->plain);
        if (why == SSL_ERROR_ZERO_RETURN) {
            tls->state = TLS_IS_CLOSED;
            return TLS_CLOSED;
        }
        return why == SSL_ERROR_WANT_READ && tls->warnings <= WARNINGS_MOST ? TLS_MORE : fail(tls);
    }
}

static enum tls_said go_on(struct tls *tls)
{
    switch (tls->state) {
    case TLS_SHAKING: return tls->waits ? TLS_MORE : shake(tls);
    case TLS_OPEN: return take_plain(tls);
    case TLS_IS_CLOSED: return TLS_CLOSED;
    case TLS_IS_FAILED: break;
    }
    return TLS_FAILED;
}

enum tls_said tls_step(struct tls *tls, struct bytes in)
{
    enum tls_said said;

    tls->in = in;
    tls->context->current = tls;
    ERR_clear_error();
    said = go_on(tls);
    ERR_clear_error();
    tls->context->current = NULL;
    if (said == TLS_CLOSED || said == TLS_FAILED)
        buffer_done(&tls->kept);
    else if (!keep_rest(tls) || tls->cipher.bad)
        said = fail(tls);
    tls->in = BYTES_NONE;
    return said;
}

/* ---- ports */

struct bytes tls_plain(const struct tls *tls)
{
    return buffer_bytes(&tls->plain);
}

void tls_plain_taken(struct tls *tls)
{
    buffer_shrink(&tls->plain, KEPT_WHEN_IDLE);
}

struct bytes tls_cipher(const struct tls *tls)
{
    return buffer_bytes(&tls->cipher);
}

void tls_cipher_sent(struct tls *tls)
{
    buffer_shrink(&tls->cipher, KEPT_WHEN_IDLE);
}

bool tls_write(struct tls *tls, struct bytes plain)
{
    size_t wrote = 0;
    bool opened = tls->state == TLS_OPEN || tls->state == TLS_IS_CLOSED;

    if (!opened || plain.n == 0)
        return opened;
    ERR_clear_error();
    bool done = SSL_write_ex(tls->ssl, plain.at, plain.n, &wrote) == 1 && wrote == plain.n
             && !tls->cipher.bad;
    ERR_clear_error();
    if (!done)
        fail(tls);
    return done;
}

void tls_close(struct tls *tls)
{
    if (tls->state != TLS_OPEN && tls->state != TLS_IS_CLOSED)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

struct tls_facts tls_facts(const struct tls *tls)
{
    return tls->facts;
}

const char *tls_alert_name(uint8_t alert)
{
    static const struct { uint8_t number; const char *name; } rows[] = {
        { 0, "close_notify" }, { 10, "unexpected_message" }, { 20, "bad_record_mac" },
        { 22, "record_overflow" }, { 40, "handshake_failure" }, { 42, "bad_certificate" },
        { 43, "unsupported_certificate" }, { 44, "certificate_revoked" },
        { 45, "certificate_expired" }, { 46, "certificate_unknown" }, { 47, "illegal_parameter" },
        { 48, "unknown_ca" }, { 49, "access_denied" }, { 50, "decode_error" },
        { 51, "decrypt_error" }, { 70, "protocol_version" }, { 71, "insufficient_security" },
        { 80, "internal_error" }, { 86, "inappropriate_fallback" }, { 90, "user_canceled" },
        { 109, "missing_extension" }, { 110, "unsupported_extension" },
        { 112, "unrecognized_name" }, { 116, "certificate_required" },
        { 120, "no_application_protocol" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].number == alert)
            return rows[i].name;
    return "?";
}

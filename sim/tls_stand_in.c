/* SPDX-License-Identifier: ISC
 *
 * The server's side of the stand-in, and what both sides share. */
#include "sim/tls_stand_in.h"

#include "base/arena.h"

#include <string.h>

struct tls_context *tls_context_new(struct bytes host)
{
    struct tls_context *context = mem_new(sizeof(*context));

    (void)host;
    if (context != NULL)
        context->users = 1;
    return context;
}

bool tls_context_add(struct tls_context *context, struct bytes chain, uint32_t key)
{
    if (context->certificates++ == 0)
        context->key = key;
    return chain.n > 0;
}

bool tls_context_trust(struct tls_context *context, struct bytes authority)
{
    (void)context;
    return authority.n > 0;
}

bool tls_context_ready(const struct tls_context *context)
{
    return context->certificates > 0;
}

bool tls_context_serves(const struct tls_context *context, struct bytes name)
{
    return context->certificates > 0 && bytes_begins(name, BYTES("mx."));
}

void tls_context_tickets(struct tls_context *context, struct bytes now, struct bytes before)
{
    (void)context;
    (void)now;
    (void)before;
}

void tls_context_free(struct tls_context *context)
{
    if (context != NULL && --context->users == 0)
        mem_free(context);
}

/* ---- a session */

struct tls *tls_stand_in_new(struct tls_context *context)
{
    struct tls *tls = mem_new(sizeof(*tls));

    if (tls == NULL)
        return NULL;
    context->users++;
    *tls = (struct tls){
        .context = context, .kept = buffer_with_most(64 * 1024),
        .plain = buffer_with_most(16 * 1024 * 1024), .cipher = buffer_with_most(32 * 1024 * 1024),
        .facts = { .version = BYTES_NONE, .cipher = BYTES_NONE, .name = BYTES_NONE,
                   .offered = BYTES_NONE },
    };
    return tls;
}

struct tls *tls_new(struct tls_context *context, uint32_t listener)
{
    (void)listener;
    return tls_stand_in_new(context);
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    buffer_done(&tls->kept);
    buffer_done(&tls->plain);
    buffer_done(&tls->cipher);
    tls_context_free(tls->context);
    mem_free(tls);
}

void tls_stand_in_put(struct tls *tls, char kind, struct bytes text)
{
    buffer_put_char(&tls->cipher, kind);
    buffer_put_u16(&tls->cipher, (uint16_t)text.n);
    buffer_put(&tls->cipher, text);
}

enum tls_said tls_stand_in_fail(struct tls *tls)
{
    tls_stand_in_put(tls, 'A', BYTES("\x0A"));
    tls->facts.alerted = tls->facts.alert_ours = true;
    tls->facts.alert = 10;
    tls->state = FAILED;
    return TLS_FAILED;
}

static enum tls_said on_hello(struct tls *tls, struct bytes text)
{
    text = bytes_first(text, TLS_NAME_MOST);
    if (text.n > 0)
        memcpy(tls->name, text.at, text.n);
    tls->facts.name = (struct bytes){ tls->name, text.n };
    tls->facts.name_known = tls_context_serves(tls->context, text);
    tls->state = WAITS_SIGNATURE;
    return TLS_KEYOP;
}

/* One whole record, by the state it comes in; TLS_MORE: go on with the next. */
static enum tls_said on_record(struct tls *tls, char kind, struct bytes text)
{
    if (tls->state == WAITS_HELLO && kind == 'H')
        return on_hello(tls, text);
    if (tls->state == WAITS_FINISH && kind == 'F') {
        tls->state = OPEN;
        tls->facts.version = BYTES("sim");
        tls->facts.cipher = BYTES("none");
        return TLS_OPENED;
    }
    if (tls->state == WAITS_SERVER && kind == 'h')
        return tls_stand_in_judge(tls, text);
    if (tls->state == OPEN && kind == 'D') {
        buffer_put(&tls->plain, text);
        return tls->plain.bad ? tls_stand_in_fail(tls) : TLS_MORE;
    }
    if (tls->state == OPEN && kind == 'C') {
        tls->state = CLOSED;
        return TLS_CLOSED;
    }
    return tls_stand_in_fail(tls);
}

static bool is_kind(char kind)
{
    return kind == 'H' || kind == 'h' || kind == 'F' || kind == 'D' || kind == 'C' || kind == 'A';
}

/* False: no record is whole. */
static bool take_record(struct tls *tls, enum tls_said *ret_said)
{
    struct bytes kept = buffer_bytes(&tls->kept);

    if (kept.n > 0 && !is_kind(kept.at[0])) {
        *ret_said = tls_stand_in_fail(tls);
        return true;
    }
    if (kept.n < HEAD)
        return false;
    size_t n = (size_t)octet(kept.at[1]) | (size_t)octet(kept.at[2]) << 8;
    if (n > RECORD_MOST) {
        *ret_said = tls_stand_in_fail(tls);
        return true;
    }
    if (kept.n < HEAD + n)
        return false;
    *ret_said = on_record(tls, kept.at[0], bytes_first(bytes_skip(kept, HEAD), n));
    buffer_drop(&tls->kept, HEAD + n);
    return true;
}

static enum tls_said go_on(struct tls *tls)
{
    enum tls_said said = TLS_MORE;

    if (tls->state == CLOSED || tls->state == FAILED)
        return tls->state == CLOSED ? TLS_CLOSED : TLS_FAILED;
    if (tls->state == SIGNED) {
        tls_stand_in_put(tls, 'h', BYTES_NONE);
        tls->state = WAITS_FINISH;
    }
    if (tls->state == SAYS_HELLO) {
        tls_stand_in_put(tls, 'H', bytes_of(tls->name));
        tls->state = WAITS_SERVER;
    }
    while (said == TLS_MORE && tls->state != WAITS_SIGNATURE && take_record(tls, &said))
        ;
    return said;
}

enum tls_said tls_step(struct tls *tls, struct bytes in)
{
    while (in.n > 0 && tls->state != CLOSED && tls->state != FAILED) {
        struct bytes part = bytes_first(in, KEPT_MOST);
        buffer_put(&tls->kept, part);
        in = bytes_skip(in, part.n);
        if (tls->kept.bad)
            return tls_stand_in_fail(tls);
        if (in.n == 0)
            break;
        enum tls_said said = go_on(tls);
        if (said != TLS_MORE) {
            buffer_put(&tls->kept, in);
            return tls->kept.bad ? tls_stand_in_fail(tls) : said;
        }
    }
    return go_on(tls);
}

struct tls_keyop tls_keyop(const struct tls *tls)
{
    return (struct tls_keyop){ tls->context->key, SIGN_ECDSA,
                               BYTES("0123456789abcdef0123456789abcdef") };
}

void tls_key_answer(struct tls *tls, struct bytes signature)
{
    if (tls->state != WAITS_SIGNATURE)
        return;
    tls->state = SIGNED;
    if (signature.n == 0)
        tls_stand_in_fail(tls);
}

struct bytes tls_plain(const struct tls *tls) { return buffer_bytes(&tls->plain); }
void tls_plain_taken(struct tls *tls) { buffer_shrink(&tls->plain, 512); }
struct bytes tls_cipher(const struct tls *tls) { return buffer_bytes(&tls->cipher); }
void tls_cipher_sent(struct tls *tls) { buffer_shrink(&tls->cipher, 512); }

bool tls_write(struct tls *tls, struct bytes plain)
{
    if (tls->state != OPEN && tls->state != CLOSED)
        return false;
    while (plain.n > 0) {
        tls_stand_in_put(tls, 'D', bytes_first(plain, RECORD_MOST));
        plain = bytes_skip(plain, RECORD_MOST);
    }
    return !tls->cipher.bad;
}

void tls_close(struct tls *tls)
{
    if (tls->state == OPEN || tls->state == CLOSED)
        tls_stand_in_put(tls, 'C', BYTES_NONE);
}

struct tls_facts tls_facts(const struct tls *tls) { return tls->facts; }

const char *tls_alert_name(uint8_t alert)
{
    return alert == 10 ? "unexpected_message" : "?";
}

/* ---- keys */

struct sign_key {
    bool there;
};

static struct sign_key *new_key(void)
{
    return mem_new(sizeof(struct sign_key));
}

struct sign_key *sign_key_read(struct bytes pem)
{
    return pem.n == 0 ? NULL : new_key();
}

struct sign_key *sign_key_self_signed(struct bytes host, struct buffer *ret_chain)
{
    buffer_put(ret_chain, BYTES("certificate of "));
    buffer_put(ret_chain, host);
    return new_key();
}

void sign_key_free(struct sign_key *key) { mem_free(key); }

bool sign_key_fits(const struct sign_key *key, struct bytes chain)
{
    (void)key;
    return chain.n > 0;
}

bool sign_chain_names(struct bytes chain, struct bytes host)
{
    return host.n > 0 && bytes_search(chain, host) < chain.n;
}

bool sign_key_sign(const struct sign_key *key, enum sign_scheme scheme, struct bytes tbs,
                   struct buffer *ret_signature)
{
    (void)key;
    if (scheme != SIGN_ECDSA || tbs.n != 32)
        return false;
    buffer_put(ret_signature, tbs);
    return !ret_signature->bad;
}

bool sign_random(struct buffer *ret_octets, size_t n)
{
    buffer_put_chars(ret_octets, 'x', n);
    return !ret_octets->bad;
}

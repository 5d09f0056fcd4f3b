/* SPDX-License-Identifier: ISC */
#include "role/probe.h"

#include "base/arena.h"
#include "smtp/client.h"

enum { PEM_MOST = 256 * 1024, OUT_MOST = 256 * 1024, OCTETS_MOST = 256 * 1024 };

struct probe {
    struct probe_want want;
    struct checkup_visit *visit;
    struct smtp_client *client;
    struct tls *tls;
    struct buffer out;          /* as it goes over the wire */
    size_t octets;              /* that came */
    bool greeted;               /* the greeting's first line is whole */
    bool shaking, over;
};

struct probe *probe_new(const struct probe_want *want, struct checkup_visit *visit)
{
    struct probe *probe = mem_new(sizeof(*probe));

    if (probe == NULL)
        return NULL;
    *probe = (struct probe){ .want = *want, .visit = visit, .out = buffer_with_most(OUT_MOST) };
    probe->client = smtp_client_new(CLIENT_SMTP, probe->want.hello);
    if (probe->client == NULL) {
        mem_free(probe);
        return NULL;
    }
    smtp_client_set_tls(probe->client, CLIENT_TLS_MAY);
    return probe;
}

void probe_free(struct probe *probe)
{
    if (probe == NULL)
        return;
    tls_free(probe->tls);
    smtp_client_free(probe->client);
    buffer_done(&probe->out);
    mem_free(probe);
}

struct bytes probe_output(const struct probe *probe)
{
    return buffer_bytes(&probe->out);
}

void probe_sent(struct probe *probe)
{
    buffer_clear(&probe->out);
}

/* The first end that is known holds. */
static void end(struct probe *probe, enum checkup_end end, struct bytes words)
{
    probe->over = true;
    if (probe->visit->end != CHECKUP_NOT_VISITED)
        return;
    probe->visit->end = end;
    buffer_put(&probe->visit->why, bytes_first(words, CHECKUP_WORDS_MOST));
}

/* ---- what it says */

/* Keep the first line, without its code. */
static void take_greeting(struct probe *probe, struct bytes in)
{
    struct buffer *to = &probe->visit->greeting;
    size_t line = bytes_find(in, '\n');

    if (probe->greeted)
        return;
    probe->greeted = line < in.n;
    buffer_put(to, bytes_first(in, line < CHECKUP_WORDS_MOST - to->n ? line
                                                                    : CHECKUP_WORDS_MOST - to->n));
    if (probe->greeted && to->n > 0 && to->at[to->n - 1] == '\r')
        to->n--;
}

static void take_extensions(struct probe *probe)
{
    static const struct { enum client_extension flag; const char *keyword; } words[] = {
        { CLIENT_PIPELINING, "PIPELINING " }, { CLIENT_CHUNKING, "CHUNKING " },
        { CLIENT_8BITMIME, "8BITMIME " }, { CLIENT_BINARYMIME, "BINARYMIME " },
        { CLIENT_SMTPUTF8, "SMTPUTF8 " }, { CLIENT_SIZE, "SIZE " },
        { CLIENT_STATUS_CODES, "ENHANCEDSTATUSCODES " }, { CLIENT_DSN, "DSN " },
        { CLIENT_REQUIRETLS, "REQUIRETLS " }, { CLIENT_MT_PRIORITY, "MT-PRIORITY " },
        { CLIENT_DELIVERBY, "DELIVERBY " }, { CLIENT_STARTTLS_OFFERED, "STARTTLS " },
    };
    unsigned flags = smtp_client_extensions(probe->client);
    bool offered = probe->visit->tls || (flags & CLIENT_STARTTLS_OFFERED) != 0;

    probe->visit->tls_offered = offered;
    flags |= offered ? CLIENT_STARTTLS_OFFERED : 0u;    /* inside TLS it is not said again */
    for (size_t i = 0; i < COUNT(words); i++)
        if ((flags & words[i].flag) != 0)
            buffer_put_text(&probe->visit->extensions, words[i].keyword);
    if ((flags & (CLIENT_AUTH_PLAIN | CLIENT_AUTH_LOGIN)) != 0)
        buffer_put_text(&probe->visit->extensions, "AUTH ");
}

/* ---- TLS */

static struct checkup_proof judge(struct probe *probe, const struct tls_want *want,
                                  struct bytes chain)
{
    struct tls *tls = tls_client_new(probe->want.tls, want);
    struct checkup_proof proof = { .words = "it could not be judged here" };

    if (tls != NULL) {
        struct tls_verdict verdict = tls_client_judge(tls, chain);
        proof = (struct checkup_proof){ verdict.proved, verdict.words };
    }
    tls_free(tls);
    return proof;
}

static void judge_chain(struct probe *probe, struct bytes chain)
{
    struct bytes more[2] = { probe->want.host, probe->want.domain };
    struct tls_want name = { .proof = TLS_PROVE_NAME, .name = probe->want.host,
                             .now_ms = probe->want.now_ms };
    struct tls_want dane = { .proof = TLS_PROVE_DANE, .name = probe->want.base, .more = more,
                             .more_n = probe->want.domain.n > 0 ? 2 : 1,
                             .tlsa = probe->want.tlsa, .tlsa_n = probe->want.tlsa_n,
                             .now_ms = probe->want.now_ms };

    probe->visit->by_name = judge(probe, &name, chain);
    if (probe->want.tlsa_n > 0)
        probe->visit->by_tlsa = judge(probe, &dane, chain);
}

static void take_session(struct probe *probe)
{
    struct checkup_visit *visit = probe->visit;
    struct buffer chain = buffer_with_most(PEM_MOST);
    struct tls_facts facts = tls_facts(probe->tls);
    struct tls_shown shown;

    probe->shaking = false;
    visit->tls = true;
    buffer_put(&visit->version, facts.version);
    buffer_put(&visit->cipher, facts.cipher);
    if (tls_client_shown(probe->tls, probe->want.host, &visit->names, &chain, &shown)) {
        visit->chain = shown.chain;
        visit->names_it = shown.names_it;
        visit->from_ms = shown.from_ms;
        visit->until_ms = shown.until_ms;
        judge_chain(probe, buffer_bytes(&chain));
    } else {
        visit->by_name.words = visit->by_tlsa.words = "no certificate that can be read";
    }
    buffer_done(&chain);
    smtp_client_secured(probe->client);
}

static void shake(struct probe *probe)
{
    struct bytes sni = probe->want.tlsa_n > 0 ? probe->want.base : probe->want.host;
    struct tls_want want = { .proof = TLS_PROVE_NOTHING, .name = sni,
                             .now_ms = probe->want.now_ms };

    probe->tls = tls_client_new(probe->want.tls, &want);
    probe->shaking = probe->tls != NULL;
    if (probe->tls == NULL)
        end(probe, CHECKUP_TLS_BROKE, BYTES("memory is short"));
    else
        (void)tls_step(probe->tls, BYTES_NONE);
}

static void tls_ended(struct probe *probe)
{
    struct tls_facts facts = tls_facts(probe->tls);
    const char *alert = facts.alerted ? tls_alert_name(facts.alert) : "";

    if (!probe->shaking) {
        end(probe, CHECKUP_SILENT, BYTES("TLS was cut"));
        return;
    }
    end(probe, CHECKUP_TLS_BROKE, BYTES("the handshake failed"));
    if (alert[0] != '\0') {
        buffer_put_text(&probe->visit->why, facts.alert_ours ? ": we said " : ": it said ");
        buffer_put_text(&probe->visit->why, alert);
    }
}

/* ---- the dialogue */

/* QUIT is said, and its answer not waited for long: all is known. */
static void is_ready(struct probe *probe)
{
    take_extensions(probe);
    probe->visit->end = CHECKUP_SPOKEN;
    smtp_client_quit(probe->client);
}

static void is_closed(struct probe *probe)
{
    struct status_code code;

    end(probe, CHECKUP_REFUSED, smtp_client_why(probe->client, &code));
}

/* What the client machine has to say goes out; true when there was any. */
static bool hand_on(struct probe *probe)
{
    struct bytes said = smtp_client_output(probe->client);
    bool any = said.n > 0;

    if (any && probe->tls == NULL)
        buffer_put(&probe->out, said);
    else if (any && !tls_write(probe->tls, said))
        end(probe, CHECKUP_SILENT, BYTES("TLS was cut"));
    smtp_client_sent(probe->client);
    return any;
}

/* Plain octets, from the wire or out of TLS. */
static void speak(struct probe *probe, struct bytes in)
{
    while (!probe->over) {
        struct client_event event = smtp_client_step(probe->client, &in);
        (void)hand_on(probe);
        if (event.kind == CLIENT_READY)
            is_ready(probe);
        else if (event.kind == CLIENT_CLOSE)
            is_closed(probe);
        else if (event.kind == CLIENT_STARTTLS)
            shake(probe);
        if (event.kind == CLIENT_MORE || event.kind == CLIENT_STARTTLS)
            return;
    }
}

static void through_tls(struct probe *probe, struct bytes in)
{
    enum tls_said said = tls_step(probe->tls, in);

    if (said == TLS_OPENED) {
        take_session(probe);
        speak(probe, BYTES_NONE);
        said = tls_step(probe->tls, BYTES_NONE);
    }
    if (!probe->shaking) {
        struct buffer plain = buffer_with_most(OCTETS_MOST);
        buffer_put(&plain, tls_plain(probe->tls));
        tls_plain_taken(probe->tls);
        speak(probe, buffer_bytes(&plain));
        buffer_done(&plain);
    }
    if (!probe->over && (said == TLS_CLOSED || said == TLS_FAILED))
        tls_ended(probe);
}

bool probe_step(struct probe *probe, struct bytes in)
{
    probe->octets += in.n;
    if (probe->octets > OCTETS_MOST) {
        end(probe, CHECKUP_REFUSED, BYTES("it talks without end"));
    } else if (probe->tls != NULL) {
        through_tls(probe, in);
    } else {
        take_greeting(probe, in);
        speak(probe, in);
    }
    if (probe->tls != NULL) {
        buffer_put(&probe->out, tls_cipher(probe->tls));
        tls_cipher_sent(probe->tls);
    }
    return !probe->over;
}

void probe_lost(struct probe *probe, struct bytes words)
{
    end(probe, probe->shaking ? CHECKUP_TLS_BROKE : CHECKUP_SILENT, words);
}

enum channel_policy probe_policy(const struct conf *conf, struct bytes domain)
{
    switch (conf_tls_of(conf, domain)) {
    case CONF_TLS_MAY: return CHANNEL_POLICY_MAY;
    case CONF_TLS_ENCRYPT: return CHANNEL_POLICY_ENCRYPT;
    case CONF_TLS_VERIFY: return CHANNEL_POLICY_VERIFY;
    case CONF_TLS_DANE: return CHANNEL_POLICY_DANE;
    case CONF_TLS_NONE: break;
    }
    return CHANNEL_POLICY_NONE;
}

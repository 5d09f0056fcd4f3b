/* SPDX-License-Identifier: ISC
 *
 * role/store_tlsrpt.c: reports of TLS (RFC 8460): relay counts and says when one is due; here it
 * becomes a letter from the null sender, whose failure nobody is told of. Operators' questions
 * about them are handed on to relay, and its answers back.
 */
#include "role/store_int.h"

#include "dns/name.h"
#include "dns/tlsrpt.h"
#include "mail/address.h"

static const struct role_name to_relay = { ROLE_RELAY, 0 }, to_admin = { ROLE_ADMIN, 0 };

enum { LETTER_MOST = 2 * TLSRPT_GZIP_MOST };

/* What stands in place of a client's address: no client has this one. */
static const struct bytes peer = BYTES_INIT("tlsrpt");

static void say(struct effects *fx, uint32_t token, bool taken)
{
    wire_tell_tlsrpt_taken(fx, to_relay, &(struct wire_tlsrpt_taken){ token, taken });
}

static bool put_text(struct store *store, const struct wire_tlsrpt_letter *wanted,
                     struct moment now, struct buffer *text)
{
    const struct conf *conf = store->conf;
    struct bytes domain = conf->domains.n > 0 ? conf->domains.list[0] : conf->host;
    struct buffer contact = buffer_with_most(LIMIT_PATH);

    buffer_put(&contact, conf->tlsrpt_contact);
    if (contact.n == 0) {
        buffer_put_text(&contact, "postmaster@");
        buffer_put(&contact, domain);
    }
    tlsrpt_letter_put(text, &(struct tlsrpt_letter){
        .domain = wanted->domain, .id = wanted->id, .file = wanted->file,
        .organisation = domain, .contact = buffer_bytes(&contact),
        .host = conf->host_ascii.n > 0 ? conf->host_ascii : conf->host,
        .address = wanted->address, .gzip = wanted->gzip, .now_ms = now.wall_ms });
    bool well = !contact.bad && !text->bad;
    buffer_done(&contact);
    return well;
}

/* What stands in the letter's header is what it may be: relay is a stranger here. */
static bool is_sane(const struct wire_tlsrpt_letter *wanted)
{
    struct address address;

    return dns_name_is_plain(wanted->domain) && envelope_text_safe(wanted->id)
        && envelope_text_safe(wanted->file) && bytes_find(wanted->file, '"') == wanted->file.n
        && wanted->token <= INT32_MAX && wanted->gzip.n <= TLSRPT_GZIP_MOST
        && address_parse(wanted->address, false, &address, NULL);
}

void store_tlsrpt_letter(struct store *store, const struct wire_tlsrpt_letter *wanted,
                         struct moment now, struct effects *fx)
{
    struct buffer text = buffer_with_most(LETTER_MOST);
    struct envelope envelope = {
        .body = BODY_7BIT, .received_ms = now.wall_ms, .protocol = BYTES("LOCAL"),
        .helo = store->conf->host, .peer = peer, .host = store->conf->host,
        .message_id = wanted->id };

    if (is_sane(wanted) && put_text(store, wanted, now, &text)
        && store_put_head(store, &envelope, wanted->address)) {
        struct queue_letter letter = { .head = buffer_bytes(&store->report_head),
                                       .to = buffer_bytes(&store->report_to),
                                       .text = buffer_bytes(&text) };
        queue_put(store->queue,
                  (struct queue_from){ STORE_ITSELF, STORE_TLSRPT_TOKEN + wanted->token },
                  &letter, store_keys(store, letter.head, letter.to), now, fx);
    } else {
        say(fx, wanted->token, false);
    }
    buffer_done(&text);
}

bool store_tlsrpt_is(const struct envelope *envelope)
{
    return envelope->sender.n == 0 && bytes_equal(envelope->peer, peer);
}

void store_tlsrpt_taken(struct store *store, uint32_t token, bool taken, struct effects *fx)
{
    if (store->relay)
        say(fx, token - STORE_TLSRPT_TOKEN, taken);
}

void store_tlsrpt_ask(struct store *store, const struct wire_tlsrpt_ask *ask, struct effects *fx)
{
    enum { NOT_NOW = 2 };

    if (store->relay)
        wire_tell_tlsrpt_ask(fx, to_relay, ask);
    else
        wire_tell_answer_end(fx, to_admin, &(struct wire_answer_end){ ask->token, NOT_NOW });
}

bool store_tlsrpt_told(const struct event *event, struct effects *fx)
{
    struct wire_tlsrpt_row row;
    struct wire_tlsrpt_sent sent;
    struct wire_answer_end end;

    if (wire_read_tlsrpt_row(event->bytes, &row))
        wire_tell_tlsrpt_row(fx, to_admin, &row);
    else if (wire_read_tlsrpt_sent(event->bytes, &sent))
        wire_tell_tlsrpt_sent(fx, to_admin, &sent);
    else if (wire_read_answer_end(event->bytes, &end))
        wire_tell_answer_end(fx, to_admin, &end);
    else
        return false;
    return true;
}

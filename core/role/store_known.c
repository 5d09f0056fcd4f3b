/* SPDX-License-Identifier: ISC
 *
 * Was the letter that a bounce names sent from here, by who got the bounce? The history knows: a
 * letter with that Message-ID or envelope id was accepted from that sender, and went to somebody
 * who has no mailbox here. Only those who may send mail from here get so far, so that nobody
 * outside can make it say yes by sending a letter first.
 *
 * One search at a time; others wait, and beyond KNOWN_MOST the answer is no.
 */
#include "role/store_int.h"

#include "base/arena.h"
#include "base/reader.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "queue/history.h"

#include <string.h>

enum { KNOWN_MOST = LIMIT_JOBS, TARGETS_MOST = 16 * 1024 };

struct known_ask {
    uint32_t token;
    uint8_t by;
    uint16_t mailbox_n, key_n;
    char mailbox[LIMIT_PATH], key[ENVELOPE_ID_MOST];
};

struct store_known {
    struct known_ask asks[KNOWN_MOST];  /* a ring */
    size_t first, n;
    uint32_t search;                    /* token of the one under way, for asks[first]; 0: none */
    uint32_t times;
    bool known;
};

static void answer(uint32_t token, bool known, struct effects *fx)
{
    wire_tell_known_is(fx, (struct role_name){ ROLE_LOCAL, 0 },
                       &(struct wire_known_is){ token, known });
}

static void begin(struct store *store, struct effects *fx)
{
    struct store_known *known = store->known;

    if (known->n == 0 || known->search != 0)
        return;
    const struct known_ask *ask = &known->asks[known->first];
    known->times = (known->times + 1) % STORE_KNOWN_BIT;
    known->search = STORE_KNOWN_BIT | known->times;
    known->known = false;
    queue_trace(store->queue, known->search, ask->by, (struct bytes){ ask->key, ask->key_n }, fx);
}

/* The first was answered, or is not wanted any more. */
static void take_away(struct store_known *known)
{
    known->search = 0;
    known->first = (known->first + 1) % KNOWN_MOST;
    known->n--;
}

void store_known_ask(struct store *store, const struct wire_known_ask *ask, struct effects *fx)
{
    bool well = (ask->by == TRACE_BY_MESSAGE_ID || ask->by == TRACE_BY_ENVID)
             && ask->mailbox.n <= LIMIT_PATH && ask->key.n <= ENVELOPE_ID_MOST && ask->key.n > 0;

    if (store->known == NULL && well)
        store->known = mem_new(sizeof(*store->known));
    if (store->known == NULL || !well || store->known->n == KNOWN_MOST) {
        answer(ask->token, false, fx);
        return;
    }
    struct store_known *known = store->known;
    struct known_ask *place = &known->asks[(known->first + known->n++) % KNOWN_MOST];
    place->token = ask->token;
    place->by = ask->by;
    place->mailbox_n = (uint16_t)ask->mailbox.n;
    place->key_n = (uint16_t)ask->key.n;
    memcpy(place->mailbox, ask->mailbox.at, ask->mailbox.n);
    memcpy(place->key, ask->key.at, ask->key.n);
    begin(store, fx);
}

/* ---- what the history says */

static bool is_same(struct bytes one, struct bytes other)
{
    struct address a, b;
    struct buffer normal[2] = { buffer_with_most(4 * LIMIT_ADDRESS),
                                buffer_with_most(4 * LIMIT_ADDRESS) };
    bool same = false;

    if (address_parse(one, true, &a, NULL) && address_parse(other, true, &b, NULL)) {
        address_put_normal(&normal[0], a);
        address_put_normal(&normal[1], b);
        same = !normal[0].bad && !normal[1].bad
            && bytes_equal(buffer_bytes(&normal[0]), buffer_bytes(&normal[1]));
    }
    buffer_done(&normal[0]);
    buffer_done(&normal[1]);
    return same;
}

/* Is it that sender's mailbox, itself or by an alias? */
static bool is_of(const struct store *store, struct bytes mailbox, struct bytes sender)
{
    struct buffer names = buffer_with_most(TARGETS_MOST);
    bool found = is_same(mailbox, sender);

    if (!found && store_keeps(store, sender)
        && routes_expand(store->routes, sender, false, &names) == ROUTES_CHANGED && !names.bad) {
        struct reader in = reader_of(buffer_bytes(&names));
        while (!found && reader_ok(&in) && !reader_empty(&in))
            found = is_same(mailbox, read_block(&in));
    }
    buffer_done(&names);
    return found;
}

static bool went_out(const struct store *store, struct bytes to)
{
    struct reader in = reader_of(to);
    struct recipient recipient;

    while (reader_ok(&in) && !reader_empty(&in))
        if (recipient_read(read_block(&in), &recipient)
            && routes_place(store->routes, recipient.address, NULL) == ROUTE_ELSEWHERE)
            return true;
    return false;
}

void store_known_event(struct store *store, uint32_t token, struct bytes text)
{
    struct store_known *known = store->known;
    struct history_event event;
    struct envelope envelope;

    if (known == NULL || known->search != token || !history_read(text, &event)
        || event.what != HISTORY_ACCEPTED || !envelope_read(event.head, &envelope))
        return;
    const struct known_ask *ask = &known->asks[known->first];
    struct bytes mailbox = { ask->mailbox, ask->mailbox_n };
    if (envelope.sender.n > 0 && is_of(store, mailbox, envelope.sender)
        && went_out(store, event.to))
        known->known = true;
}

void store_known_end(struct store *store, uint32_t token, struct effects *fx)
{
    struct store_known *known = store->known;

    if (known == NULL || known->search != token)
        return;
    answer(known->asks[known->first].token, known->known, fx);
    take_away(known);
    begin(store, fx);
}

void store_known_lost(struct store *store, struct effects *fx)
{
    if (store->known != NULL && store->known->search != 0)
        store_known_end(store, store->known->search, fx);
}

void store_known_forget(struct store *store)
{
    if (store->known != NULL)
        store->known->n = store->known->search = 0;
}

void store_known_done(struct store *store)
{
    mem_free(store->known);
}

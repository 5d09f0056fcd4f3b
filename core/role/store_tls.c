/* SPDX-License-Identifier: ISC
 *
 * What the owner should know of TLS, from all fronts together: peers whose handshake failed and who
 * came back with their letter in clear, and names that were asked for and stand in no certificate.
 * Both tables are bounded; what was seen last stays. They live as long as this process.
 */
#include "role/store_int.h"

#include "base/arena.h"
#include "mail/envelope.h"

#include <string.h>

enum { FALLEN_MOST = 128, NAMES_MOST = 256, AGAIN_MS = 10 * 60 * 1000, NAME_MOST = 255,
       OFFERED_MOST = 64 };

struct fallen {
    char peer[ENVELOPE_WORD_MOST], name[NAME_MOST], offered[OFFERED_MOST];
    uint8_t peer_n, name_n, offered_n, alert, ours;
    uint64_t failed_ms;         /* monotonic */
    uint64_t letters;           /* in clear, within AGAIN_MS of a failure; 0: it is not told of */
    uint64_t first_ms, last_ms; /* of these; wall clock */
};

struct asked {
    char name[NAME_MOST];
    uint8_t name_n;
    uint64_t times, first_ms, last_ms;
};

struct store_tls {
    struct fallen fallen[FALLEN_MOST];
    struct asked asked[NAMES_MOST];
    size_t fallen_n, asked_n;
};

static uint8_t copy(char *to, struct bytes text, size_t most)
{
    text = bytes_first(text, most);
    if (text.n > 0)
        memcpy(to, text.at, text.n);
    return (uint8_t)text.n;
}

/* The row of that peer; else a new one, in the place of who failed longest ago when all are
   taken. */
static struct fallen *fallen_place(struct store_tls *tls, struct bytes peer)
{
    struct fallen *oldest = &tls->fallen[0];

    for (size_t i = 0; i < tls->fallen_n; i++) {
        struct fallen *row = &tls->fallen[i];
        if (bytes_equal((struct bytes){ row->peer, row->peer_n }, peer))
            return row;
        if (row->failed_ms < oldest->failed_ms)
            oldest = row;
    }
    if (tls->fallen_n < FALLEN_MOST)
        oldest = &tls->fallen[tls->fallen_n++];
    *oldest = (struct fallen){ .peer_n = copy(oldest->peer, peer, sizeof(oldest->peer)) };
    copy(oldest->peer, peer, sizeof(oldest->peer));
    return oldest;
}

static void note_failure(struct store_tls *tls, const struct wire_tls_news *news,
                         struct moment now)
{
    struct fallen *row = fallen_place(tls, bytes_first(news->peer, sizeof(row->peer)));

    row->name_n = copy(row->name, news->name, sizeof(row->name));
    row->offered_n = copy(row->offered, news->offered, sizeof(row->offered));
    row->alert = news->alert;
    row->ours = news->ours;
    row->failed_ms = now.mono_ms;
}

static void note_name(struct store_tls *tls, const struct wire_tls_news *news, struct moment now)
{
    struct bytes name = bytes_first(news->name, NAME_MOST);
    struct asked *row = NULL, *oldest = &tls->asked[0];

    for (size_t i = 0; i < tls->asked_n && row == NULL; i++) {
        if (bytes_equal_nocase((struct bytes){ tls->asked[i].name, tls->asked[i].name_n }, name))
            row = &tls->asked[i];
        if (tls->asked[i].last_ms < oldest->last_ms)
            oldest = &tls->asked[i];
    }
    if (row == NULL) {
        row = tls->asked_n < NAMES_MOST ? &tls->asked[tls->asked_n++] : oldest;
        *row = (struct asked){ .first_ms = now.wall_ms };
        row->name_n = copy(row->name, name, sizeof(row->name));
    }
    row->times++;
    row->last_ms = now.wall_ms;
}

void store_tls_news(struct store *store, const struct wire_tls_news *news, struct moment now)
{
    if (store->tls == NULL)
        store->tls = mem_new(sizeof(*store->tls));
    if (store->tls == NULL)
        return;                 /* it is only known less well */
    if (news->what == TLS_NEWS_FAILED && news->peer.n > 0)
        note_failure(store->tls, news, now);
    else if (news->what == TLS_NEWS_NAME && news->name.n > 0)
        note_name(store->tls, news, now);
}

void store_tls_letter(struct store *store, struct bytes head, struct moment now)
{
    struct envelope envelope;

    if (store->tls == NULL || store->tls->fallen_n == 0 || !envelope_read(head, &envelope)
        || bytes_ends(envelope.protocol, BYTES("S")))
        return;
    for (size_t i = 0; i < store->tls->fallen_n; i++) {
        struct fallen *row = &store->tls->fallen[i];
        if (now.mono_ms - row->failed_ms > AGAIN_MS
            || !bytes_equal((struct bytes){ row->peer, row->peer_n }, envelope.peer))
            continue;
        row->first_ms = row->letters++ == 0 ? now.wall_ms : row->first_ms;
        row->last_ms = now.wall_ms;
    }
}

void store_tls_tell(struct store *store, uint32_t token, struct effects *fx)
{
    const struct role_name admin = { ROLE_ADMIN, 0 };
    const struct store_tls *tls = store->tls;

    for (size_t i = 0; tls != NULL && i < tls->fallen_n; i++) {
        const struct fallen *row = &tls->fallen[i];
        if (row->letters > 0)
            wire_tell_tls_row(fx, admin, &(struct wire_tls_row){
                token, TLS_NEWS_FAILED, row->letters, row->first_ms, row->last_ms, row->alert,
                row->ours, { row->peer, row->peer_n }, { row->name, row->name_n },
                { row->offered, row->offered_n } });
    }
    for (size_t i = 0; tls != NULL && i < tls->asked_n; i++) {
        const struct asked *row = &tls->asked[i];
        wire_tell_tls_row(fx, admin, &(struct wire_tls_row){
            token, TLS_NEWS_NAME, row->times, row->first_ms, row->last_ms, 0, 0, BYTES_NONE,
            { row->name, row->name_n }, BYTES_NONE });
    }
    wire_tell_answer_end(fx, admin, &(struct wire_answer_end){ token, 0 });
}

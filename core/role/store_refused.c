/* SPDX-License-Identifier: ISC
 *
 * The letter that tells postmaster what was refused in a span of time: spans of refused-report,
 * counted from 1970, so that each ends at the same moment whatever was restarted. It is counted
 * from what fronts tell, as long as this process lives; the letter says from when. What was counted
 * before a restart is in the log alone (postern refused), and no letter of it is written twice.
 */
#include "role/store_int.h"

#include "base/arena.h"
#include "base/clock.h"
#include "role/once_refused.h"

#include <string.h>

enum { AGAIN_MS = 10 * 60 * 1000, LOOK_MS = 60 * 60 * 1000, LINE_MOST = 16 * 1024,
       LETTER_MOST = 512 * 1024 };

struct store_refused {
    struct refused *counted;
    uint64_t period, span_ms;   /* which one is counted, and how long it is */
    uint64_t begun_ms;          /* since when; wall clock */
    struct buffer text;         /* a letter that is not on the disk yet */
    uint64_t serial;            /* of it: when its counting began */
    bool asked;                 /* the queue has it */
    uint64_t again_ms, look_ms; /* monotonic: when to send it again; when to look at the clock */
};

void store_refused_done(struct store *store)
{
    if (store->refused == NULL)
        return;
    buffer_done(&store->refused->text);
    mem_free(store->refused->counted);
    mem_free(store->refused);
    store->refused = NULL;
}

static void count_anew(struct store_refused *refused, struct moment now)
{
    memset(refused->counted, 0, sizeof(*refused->counted));
    refused->period = now.wall_ms / refused->span_ms;
    refused->begun_ms = now.wall_ms;
    once_refused_begin(refused->counted, now.wall_ms,
                       (refused->period + 1) * refused->span_ms);
}

static bool begin(struct store *store, struct moment now)
{
    uint64_t span = store->conf->refused_report_ms;
    struct store_refused *refused = mem_new(sizeof(*refused));

    if (refused == NULL)
        return false;
    refused->counted = mem_new(sizeof(*refused->counted));
    refused->text = buffer_with_most(LETTER_MOST);
    store->refused = refused;
    if (refused->counted == NULL) {
        store_refused_done(store);
        return false;
    }
    refused->span_ms = span;
    count_anew(refused, now);
    return true;
}

void store_refused_line(struct store *store, struct bytes line, struct moment now)
{
    struct buffer text = buffer_with_most(LINE_MOST);

    if (store->conf->refused_report_ms == 0 || (store->refused == NULL && !begin(store, now)))
        return;
    clock_put(&text, now.wall_ms);
    buffer_put_char(&text, ' ');
    buffer_put(&text, line);
    if (!text.bad)
        once_refused_line(store->refused->counted, buffer_bytes(&text));
    buffer_done(&text);
}

/* ---- the letter */

static struct bytes host_domain(const struct store *store)
{
    return store->conf->domains.n > 0 ? store->conf->domains.list[0] : store->conf->host;
}

/* Lines of mail end with CRLF. */
static void put_text(struct store *store, struct bytes postmaster, struct bytes id,
                     struct moment now)
{
    struct store_refused *refused = store->refused;
    struct refused_request request = { .letter = true };
    struct buffer lines = buffer_with_most(LETTER_MOST);
    struct bytes rest, line;

    once_refused_put(refused->counted, &request, lang_english(), now.wall_ms, store->conf->host,
                     postmaster, &lines);
    rest = buffer_bytes(&lines);
    buffer_clear(&refused->text);
    buffer_put_text(&refused->text, "Message-ID: <");
    buffer_put(&refused->text, id);
    buffer_put_text(&refused->text, ">\r\n");
    while (bytes_cut(&rest, '\n', &line)) {
        buffer_put(&refused->text, line);
        buffer_put_text(&refused->text, "\r\n");
    }
    refused->text.bad = refused->text.bad || lines.bad;
    buffer_done(&lines);
}

static void put_id(struct store *store)
{
    buffer_clear(&store->report_id);
    buffer_put_text(&store->report_id, "refused.");
    buffer_put_uint(&store->report_id, store->refused->serial);
    buffer_put_char(&store->report_id, '@');
    buffer_put(&store->report_id, store->conf->host);
}

static void put_postmaster(const struct store *store, struct buffer *to)
{
    buffer_put(to, store->conf->postmaster);
    if (to->n > 0)
        return;
    buffer_put_text(to, "postmaster@");
    buffer_put(to, host_domain(store));
}

static void send(struct store *store, struct moment now, struct effects *fx)
{
    struct store_refused *refused = store->refused;
    struct buffer postmaster = buffer_with_most(LIMIT_ADDRESS);

    put_postmaster(store, &postmaster);
    put_id(store);
    if (refused->text.n == 0)
        put_text(store, buffer_bytes(&postmaster), buffer_bytes(&store->report_id), now);
    struct envelope envelope = {
        .body = BODY_8BITMIME, .received_ms = now.wall_ms, .protocol = BYTES("LOCAL"),
        .helo = store->conf->host, .peer = BYTES("report"), .host = store->conf->host,
        .message_id = buffer_bytes(&store->report_id) };
    refused->again_ms = now.mono_ms + AGAIN_MS;
    if (!postmaster.bad && !refused->text.bad && !store->report_id.bad
        && store_put_head(store, &envelope, buffer_bytes(&postmaster))) {
        struct queue_letter letter = { .head = buffer_bytes(&store->report_head),
                                       .to = buffer_bytes(&store->report_to),
                                       .text = buffer_bytes(&refused->text) };
        refused->asked = true;
        queue_put(store->queue, (struct queue_from){ STORE_ITSELF, 1 }, &letter,
                  store_keys(store, letter.head, letter.to), now, fx);
    }
    buffer_done(&postmaster);
}

void store_refused_taken(struct store *store, bool taken)
{
    if (store->refused == NULL)
        return;
    store->refused->asked = false;
    if (taken)
        buffer_shrink(&store->refused->text, 0);
}

/* A period ended: what was counted becomes a letter, and counting begins anew. */
static void turn(struct store *store, struct moment now, struct effects *fx)
{
    struct store_refused *refused = store->refused;

    if (refused->counted->count > 0) {
        refused->serial = refused->begun_ms;
        buffer_clear(&refused->text);
        send(store, now, fx);
    }
    count_anew(refused, now);
}

uint64_t store_refused_go(struct store *store, struct moment now, struct effects *fx)
{
    struct store_refused *refused = store->refused;

    if (refused == NULL || store->end_by != 0)
        return 0;
    if (refused->span_ms != store->conf->refused_report_ms) {
        store_refused_done(store);          /* another span, or none: counted anew */
        return 0;
    }
    if (now.wall_ms / refused->span_ms > refused->period && !refused->asked)
        turn(store, now, fx);
    else if (refused->text.n > 0 && !refused->asked && now.mono_ms >= refused->again_ms)
        send(store, now, fx);
    if (now.mono_ms >= refused->look_ms) {
        uint64_t end_ms = (refused->period + 1) * refused->span_ms;
        uint64_t left_ms = end_ms > now.wall_ms ? end_ms - now.wall_ms : 1;
        /* the clock on the wall may be set meanwhile */
        refused->look_ms = now.mono_ms + (left_ms < LOOK_MS ? left_ms : LOOK_MS);
    }
    bool again = refused->text.n > 0 && !refused->asked && refused->again_ms < refused->look_ms;
    return again ? refused->again_ms : refused->look_ms;
}

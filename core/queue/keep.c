/* SPDX-License-Identifier: ISC */
#include "queue/keep_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/reader.h"

#include <string.h>

static const struct bytes keep_name = BYTES_INIT("kept"), keep_new = BYTES_INIT("kept.new");

void keep_done(struct keep *keep)
{
    buffer_done(&keep->octets);
}

bool keep_is_known(const struct keep *keep)
{
    return keep->stage == KEEP_RESTS || keep->stage == KEEP_WRITING;
}

static void ask(struct queue *q, struct effects *fx, struct io io, bool last)
{
    struct token token = token_of(FOR_KEEP, q->keep.chain.number);

    token.step = !last;
    token.opens = io.kind == IO_OPEN || io.kind == IO_CREATE;
    io.root = IN_SPOOL;
    io.lane = LANE_HOUSE;
    io.file = q->keep.slot;
    io.linked = io.quiet = !last;
    io.token = token_pack(token);
    fx_io(fx, io);
}

/* ---- reading */

void keep_turn(struct queue *q, struct effects *fx)
{
    if (q->keep.stage != KEEP_NOT_READ || !slot_take(q, &q->keep.slot))
        return;
    q->keep.stage = KEEP_READING;
    chain_begin(&q->keep.chain);
    ask(q, fx, (struct io){ .kind = IO_OPEN, .name = keep_name }, false);
    ask(q, fx, (struct io){ .kind = IO_READ, .count = KEEP_CHECK + QUEUE_KEEP_MOST }, true);
}

static void was_read(struct queue *q, struct bytes octets)
{
    q->keep.stage = KEEP_RESTS;
    q->keep.octets = buffer_with_most(QUEUE_KEEP_MOST);
    buffer_put(&q->keep.octets, octets);
    q->bad = q->bad || q->keep.octets.bad;
    news_tell(q, &(struct queue_news){ .kind = NEWS_KEPT, .more = QUEUE_KEPT_READ,
                                       .text = buffer_bytes(&q->keep.octets) });
}

static void on_read(struct queue *q, const struct event *event, struct effects *fx)
{
    struct reader in = reader_of(event->bytes);
    enum fault fault = q->keep.chain.fault;
    uint32_t check = read_u32(&in);
    struct bytes octets = reader_left(&in);

    if (fault == FAULT_GONE) {
        was_read(q, BYTES_NONE);
    } else if (fault == OK && reader_ok(&in) && crc32c(0, octets) == check) {
        was_read(q, octets);
    } else if (++q->keep.tries < KEEP_TRIES) {
        q->keep.stage = KEEP_NOT_READ;
        keep_turn(q, fx);
    } else {
        say_place(fx, LOG_ERROR, "kept_unreadable", 0, event->bytes.n,
                  "the file kept cannot be read: which destinations were suspended is not known");
        was_read(q, BYTES_NONE);
    }
}

/* ---- writing */

bool queue_keep(struct queue *q, struct bytes octets, struct effects *fx)
{
    struct buffer text = buffer_with_most(KEEP_CHECK + QUEUE_KEEP_MOST);
    char *data;

    if (q->keep.stage != KEEP_RESTS || q->log.mode == LOG_DEAD || octets.n > QUEUE_KEEP_MOST)
        return false;
    buffer_put_u32(&text, crc32c(0, octets));
    buffer_put(&text, octets);
    data = text.bad ? NULL : mem_new(text.n);
    if (data == NULL || !slot_take(q, &q->keep.slot)) {
        mem_free(data);
        buffer_done(&text);
        return false;
    }
    memcpy(data, text.at, text.n);
    q->keep.stage = KEEP_WRITING;
    chain_begin(&q->keep.chain);
    fx_io(fx, (struct io){ .kind = IO_UNLINK, .root = IN_SPOOL, .lane = LANE_HOUSE, .quiet = true,
                           .name = keep_new, .token = token_pack(token_of(FOR_NOTHING, 0)) });
    ask(q, fx, (struct io){ .kind = IO_CREATE, .name = keep_new }, false);
    ask(q, fx, (struct io){ .kind = IO_WRITE, .data = data, .data_n = text.n }, false);
    ask(q, fx, (struct io){ .kind = IO_SYNC }, false);
    ask(q, fx, (struct io){ .kind = IO_RENAME, .name = keep_new, .to = keep_name }, false);
    ask(q, fx, (struct io){ .kind = IO_SYNC_DIR, .name = BYTES_NONE }, true);
    buffer_done(&text);
    return true;
}

void keep_io(struct queue *q, struct token token, const struct event *event, struct effects *fx)
{
    struct keep *keep = &q->keep;
    bool reads = keep->stage == KEEP_READING;

    if (!chain_over(&keep->chain, token, event->fault))
        return;
    if (keep->chain.not_open)
        slot_free(q, keep->slot);
    else
        segment_close(fx, LANE_HOUSE, keep->slot);
    if (reads) {
        on_read(q, event, fx);
        return;
    }
    keep->stage = KEEP_RESTS;
    news_tell(q, &(struct queue_news){ .kind = NEWS_KEPT, .more = keep->chain.fault == OK
                                       ? QUEUE_KEPT_WELL : QUEUE_KEPT_NOT });
}

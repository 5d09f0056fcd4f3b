/* SPDX-License-Identifier: ISC */
#include "queue/keep_int.h"
#include "queue/queue_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/reader.h"

#include <string.h>

static const struct {
    struct bytes name, fresh;
    size_t most;
    enum purpose purpose;
    const char *lost;
} files[] = {
    [QUEUE_KEEPS_HELD] = {
        BYTES_INIT("kept"), BYTES_INIT("kept.new"), QUEUE_KEEP_MOST, FOR_KEEP,
        "the file kept cannot be read: which destinations were suspended is not known" },
    [QUEUE_KEEPS_MEMORY] = {
        BYTES_INIT("memory"), BYTES_INIT("memory.new"), QUEUE_MEMORY_MOST, FOR_MEMORY,
        "the file memory cannot be read: what relay knew of other servers is lost" },
};
_Static_assert(COUNT(files) == QUEUE_KEEPS, "one of each");

void keeps_done(struct keep keeps[static QUEUE_KEEPS])
{
    for (size_t i = 0; i < QUEUE_KEEPS; i++)
        buffer_done(&keeps[i].octets);
}

static bool is_known(const struct keep *keep)
{
    return keep->stage == KEEP_RESTS || keep->stage == KEEP_WRITING;
}

bool keeps_are_known(const struct keep keeps[static QUEUE_KEEPS])
{
    bool known = true;

    for (size_t i = 0; i < QUEUE_KEEPS; i++)
        known = known && is_known(&keeps[i]);
    return known;
}

bool keeps_rest(const struct keep keeps[static QUEUE_KEEPS])
{
    bool rest = true;

    for (size_t i = 0; i < QUEUE_KEEPS; i++)
        rest = rest && keeps[i].stage != KEEP_WRITING;
    return rest;
}

static void ask(struct queue *q, enum queue_keeping which, struct effects *fx, struct io io,
                bool last)
{
    struct token token = token_of(files[which].purpose, q->keeps[which].chain.number);

    token.step = !last;
    token.opens = io.kind == IO_OPEN || io.kind == IO_CREATE;
    io.root = IN_SPOOL;
    io.lane = LANE_HOUSE;
    io.file = q->keeps[which].slot;
    io.linked = io.quiet = !last;
    io.token = token_pack(token);
    fx_io(fx, io);
}

/* ---- reading */

static void keep_turn(struct queue *q, enum queue_keeping which, struct effects *fx)
{
    struct keep *keep = &q->keeps[which];

    if (keep->stage != KEEP_NOT_READ || !slot_take(q, &keep->slot))
        return;
    keep->stage = KEEP_READING;
    chain_begin(&keep->chain);
    ask(q, which, fx, (struct io){ .kind = IO_OPEN, .name = files[which].name }, false);
    ask(q, which, fx, (struct io){ .kind = IO_READ, .count = KEEP_CHECK + files[which].most },
        true);
}

void keeps_turn(struct queue *q, struct effects *fx)
{
    for (size_t i = 0; i < QUEUE_KEEPS; i++)
        keep_turn(q, (enum queue_keeping)i, fx);
}

static void was_read(struct queue *q, enum queue_keeping which, struct bytes octets)
{
    struct keep *keep = &q->keeps[which];

    keep->stage = KEEP_RESTS;
    keep->octets = buffer_with_most(files[which].most);
    buffer_put(&keep->octets, octets);
    q->bad = q->bad || keep->octets.bad;
    news_tell(q, &(struct queue_news){ .kind = NEWS_KEPT, .token = which,
                                       .more = QUEUE_KEPT_READ,
                                       .text = buffer_bytes(&keep->octets) });
}

static void on_read(struct queue *q, enum queue_keeping which, const struct event *event,
                    struct effects *fx)
{
    struct keep *keep = &q->keeps[which];
    struct reader in = reader_of(event->bytes);
    enum fault fault = keep->chain.fault;
    uint32_t check = read_u32(&in);
    struct bytes octets = reader_left(&in);

    if (fault == FAULT_GONE) {
        was_read(q, which, BYTES_NONE);
    } else if (fault == OK && reader_ok(&in) && crc32c(0, octets) == check) {
        was_read(q, which, octets);
    } else if (++keep->tries < KEEP_TRIES) {
        keep->stage = KEEP_NOT_READ;
        keep_turn(q, which, fx);
    } else {
        say_place(fx, LOG_ERROR, "kept_unreadable", 0, event->bytes.n,
                  files[which].lost);
        was_read(q, which, BYTES_NONE);
    }
}

/* ---- writing */

bool queue_keep(struct queue *q, enum queue_keeping which, struct bytes octets,
                struct effects *fx)
{
    struct keep *keep = &q->keeps[which];
    struct buffer text = buffer_with_most(KEEP_CHECK + files[which].most);
    char *data;

    if (keep->stage != KEEP_RESTS || q->log.mode == LOG_DEAD || octets.n > files[which].most)
        return false;
    buffer_put_u32(&text, crc32c(0, octets));
    buffer_put(&text, octets);
    data = text.bad ? NULL : mem_new(text.n);
    if (data == NULL || !slot_take(q, &keep->slot)) {
        mem_free(data);
        buffer_done(&text);
        return false;
    }
    memcpy(data, text.at, text.n);
    keep->stage = KEEP_WRITING;
    chain_begin(&keep->chain);
    fx_io(fx, (struct io){ .kind = IO_UNLINK, .root = IN_SPOOL, .lane = LANE_HOUSE, .quiet = true,
                           .name = files[which].fresh,
                           .token = token_pack(token_of(FOR_NOTHING, 0)) });
    ask(q, which, fx, (struct io){ .kind = IO_CREATE, .name = files[which].fresh }, false);
    ask(q, which, fx, (struct io){ .kind = IO_WRITE, .data = data, .data_n = text.n }, false);
    ask(q, which, fx, (struct io){ .kind = IO_SYNC }, false);
    ask(q, which, fx, (struct io){ .kind = IO_RENAME, .name = files[which].fresh,
                                   .to = files[which].name }, false);
    ask(q, which, fx, (struct io){ .kind = IO_SYNC_DIR, .name = BYTES_NONE }, true);
    buffer_done(&text);
    return true;
}

void keep_io(struct queue *q, struct token token, const struct event *event, struct effects *fx)
{
    enum queue_keeping which = token.purpose == FOR_KEEP ? QUEUE_KEEPS_HELD : QUEUE_KEEPS_MEMORY;
    struct keep *keep = &q->keeps[which];
    bool reads = keep->stage == KEEP_READING;

    if (!chain_over(&keep->chain, token, event->fault))
        return;
    if (keep->chain.not_open)
        slot_free(q, keep->slot);
    else
        segment_close(fx, LANE_HOUSE, keep->slot);
    if (reads) {
        on_read(q, which, event, fx);
        return;
    }
    keep->stage = KEEP_RESTS;
    news_tell(q, &(struct queue_news){ .kind = NEWS_KEPT, .token = which,
                                       .more = keep->chain.fault == OK ? QUEUE_KEPT_WELL
                                                                       : QUEUE_KEPT_NOT });
}

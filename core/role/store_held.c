/* SPDX-License-Identifier: ISC
 *
 * role/store_held.c: destinations whose mail waits, as an operator said. They are kept on disk
 * (queue_keep) before he is answered, and told to relay anew each time that it comes up, before it
 * gets a job: nothing leaves for them, whatever dies meanwhile.
 */
#include "role/store_int.h"

#include "base/log.h"
#include "base/reader.h"
#include "role/once.h"

enum { HELD_MOST = 256, HELD_OCTETS_MOST = QUEUE_KEEP_MOST };

static const struct role_name to_relay = { ROLE_RELAY, 0 }, to_admin = { ROLE_ADMIN, 0 };

struct row {
    uint64_t since_ms, until_ms;    /* until 0: for good */
    uint32_t uid;
    struct bytes name, reason;
};

static bool next_row(struct reader *in, struct row *ret_row)
{
    struct reader one = reader_of(read_block(in));

    *ret_row = (struct row){ .since_ms = read_u64(&one) };
    ret_row->until_ms = read_u64(&one);
    ret_row->uid = read_u32(&one);
    ret_row->name = read_block(&one);
    ret_row->reason = reader_left(&one);
    return reader_ok(in) && reader_ok(&one) && ret_row->name.n > 0;
}

static void put_row(struct buffer *to, const struct row *row)
{
    struct buffer one = buffer_with_most(HELD_OCTETS_MOST);

    buffer_put_u64(&one, row->since_ms);
    buffer_put_u64(&one, row->until_ms);
    buffer_put_u32(&one, row->uid);
    buffer_put_block(&one, row->name);
    buffer_put(&one, row->reason);
    buffer_put_block(to, buffer_bytes(&one));
    to->bad = to->bad || one.bad;
    buffer_done(&one);
}

static bool is_over(const struct row *row, uint64_t wall_ms)
{
    return row->until_ms != 0 && row->until_ms <= wall_ms;
}

void store_held_done(struct store *store)
{
    buffer_done(&store->held.rows);
    buffer_done(&store->held.next);
    buffer_done(&store->held.name);
}

/* ---- told */

static void tell_one(const struct store *store, bool on, struct bytes name, struct bytes reason,
                     struct effects *fx)
{
    if (store->relay)
        wire_tell_destination_hold(fx, to_relay, &(struct wire_destination_hold){
            .on = on, .destination = fx_keep(fx, name), .reason = fx_keep(fx, reason) });
}

void store_held_tell(struct store *store, struct effects *fx)
{
    struct reader in = reader_of(buffer_bytes(&store->held.rows));
    struct row row;

    while (!reader_empty(&in) && next_row(&in, &row))
        tell_one(store, true, row.name, row.reason, fx);
}

void store_held_ask(struct store *store, uint32_t token, struct effects *fx)
{
    struct reader in = reader_of(buffer_bytes(&store->held.rows));
    struct row row;

    while (!reader_empty(&in) && next_row(&in, &row))
        wire_tell_hold_row(fx, to_admin, &(struct wire_hold_row){
            .token = token, .since_ms = row.since_ms, .until_ms = row.until_ms, .uid = row.uid,
            .destination = fx_keep(fx, row.name), .reason = fx_keep(fx, row.reason) });
    wire_tell_answer_end(fx, to_admin, &(struct wire_answer_end){ token, 0 });
}

static bool find(const struct store *store, struct bytes name, struct row *ret_row)
{
    struct reader in = reader_of(buffer_bytes(&store->held.rows));

    while (!reader_empty(&in) && next_row(&in, ret_row))
        if (bytes_equal(ret_row->name, name))
            return true;
    return false;
}

static bool find_by_entry(const struct store *store, struct bytes to, struct row *ret_row)
{
    struct recipient recipient;
    struct buffer name = buffer_with_most(LIMIT_PATH);
    bool found = false;

    if (store->held.rows.n > 0 && recipient_read(to, &recipient)) {
        size_t at = bytes_find_last(recipient.address, '@');
        found = once_destination_put(&name, bytes_skip(recipient.address, at + 1)) && !name.bad
             && find(store, buffer_bytes(&name), ret_row);
    }
    buffer_done(&name);
    return found;
}

uint64_t store_held_until(const struct store *store, struct bytes to)
{
    struct row row;

    return !find_by_entry(store, to, &row) ? 0 : row.until_ms == 0 ? UINT64_MAX : row.until_ms;
}

bool store_held_back(struct store *store, const struct queue_news *news, struct effects *fx)
{
    struct buffer *words = fx_draft(fx);
    struct row row;

    if (!find_by_entry(store, news->to, &row))
        return false;
    buffer_put_text(words, "mail for ");
    buffer_put(words, row.name);
    buffer_put_text(words, row.reason.n > 0 ? " is suspended here: " : " is suspended here");
    buffer_put(words, row.reason);
    queue_job_result(store->queue, &(struct queue_result){
        .job = news->job, .outcome = QUEUE_LATER, .stays = true, .class = 4, .subject = 3,
        .detail = 2, .words = fx_keep(fx, buffer_bytes(words)) }, store->now, fx);
    return true;
}

static void say(struct effects *fx, const char *what, const struct row *row)
{
    struct buffer *line = fx_draft(fx);

    log_begin(line, what);
    log_ours(line, "destination", row->name);
    log_uint(line, "uid", row->uid);
    if (row->until_ms != 0)
        log_uint(line, "until-ms", row->until_ms);
    log_theirs(line, "reason", row->reason);
    fx_log(fx, LOG_INFO, fx_keep(fx, buffer_bytes(line)));
}

/* ---- orders */

static void answer(const struct store *store, uint32_t token, enum hold_result result,
                   struct effects *fx)
{
    if (store->admin)
        wire_tell_hold_ordered(fx, to_admin,
                               &(struct wire_hold_ordered){ token, (uint8_t)result });
}

/* The rows as they will be, in held->next. */
static enum hold_result make_next(struct store *store, const struct wire_hold_order *order,
                                  struct moment now)
{
    struct store_held *held = &store->held;
    struct reader in = reader_of(buffer_bytes(&held->rows));
    struct row row;
    size_t n = 0;
    bool was = false;

    held->next = buffer_with_most(HELD_OCTETS_MOST);
    while (!reader_empty(&in) && next_row(&in, &row)) {
        bool same = bytes_equal(row.name, order->destination);
        was = was || same;
        if (same || is_over(&row, now.wall_ms))
            continue;
        put_row(&held->next, &row);
        n++;
    }
    if (order->on == 0 && !was)
        return HOLD_NOT_THERE;
    if (order->on != 0 && n >= HELD_MOST)
        return HOLD_TOO_MANY;
    if (order->on != 0)
        put_row(&held->next, &(struct row){ now.wall_ms, order->until_ms, order->uid,
                                            order->destination, order->reason });
    return held->next.bad ? HOLD_NOT_NOW : HOLD_WELL;
}

void store_held_order(struct store *store, const struct wire_hold_order *order, struct moment now,
                      struct effects *fx)
{
    struct store_held *held = &store->held;
    enum hold_result result = HOLD_NOT_NOW;

    if (!held->writes && order->destination.n > 0 && order->destination.n <= LIMIT_PATH) {
        result = make_next(store, order, now);
        buffer_done(&held->name);
        held->name = buffer_with_most(LIMIT_PATH);
        buffer_put(&held->name, order->destination);
        if (result == HOLD_WELL
            && (held->name.bad || !queue_keep(store->queue, QUEUE_KEEPS_HELD,
                                            buffer_bytes(&held->next), fx)))
            result = HOLD_NOT_NOW;
        if (result != HOLD_WELL)
            buffer_done(&held->next);
    }
    if (result != HOLD_WELL) {
        answer(store, order->token, result, fx);
        return;
    }
    held->writes = held->answers = true;
    held->token = order->token;
    held->on = order->on != 0;
    say(fx, held->on ? "suspended" : "resumed",
        &(struct row){ now.wall_ms, order->until_ms, order->uid, order->destination,
                       order->reason });
}

static void was_read(struct store *store, struct bytes rows, struct effects *fx)
{
    buffer_done(&store->held.rows);
    store->held.rows = buffer_with_most(HELD_OCTETS_MOST);
    buffer_put(&store->held.rows, rows);
    fx->bad = fx->bad || store->held.rows.bad;
    store_held_tell(store, fx);
}

void store_held_kept(struct store *store, const struct queue_news *news, struct effects *fx)
{
    struct store_held *held = &store->held;
    struct row row = { .reason = BYTES_NONE };

    if (news->more == QUEUE_KEPT_READ) {
        was_read(store, news->text, fx);
        return;
    }
    held->writes = false;
    if (news->more == QUEUE_KEPT_WELL && held->answers) {
        struct buffer before = held->rows;
        held->rows = held->next;
        held->next = before;
        if (!held->on || !find(store, buffer_bytes(&held->name), &row))
            row.reason = BYTES_NONE;
        tell_one(store, held->on, buffer_bytes(&held->name), row.reason, fx);
    }
    buffer_done(&held->next);
    if (held->answers)
        answer(store, held->token,
               news->more == QUEUE_KEPT_WELL ? HOLD_WELL : HOLD_NOT_CERTAIN, fx);
    held->answers = false;
}

/* ---- time */

/* Without those whose time is over. That need not be durable: who reads them sees it too. */
static void end_those(struct store *store, struct moment now, struct effects *fx)
{
    struct buffer left = buffer_with_most(HELD_OCTETS_MOST);
    struct reader in = reader_of(buffer_bytes(&store->held.rows));
    struct row row;

    while (!reader_empty(&in) && next_row(&in, &row)) {
        if (!is_over(&row, now.wall_ms)) {
            put_row(&left, &row);
            continue;
        }
        say(fx, "resumed", &row);
        tell_one(store, false, row.name, BYTES_NONE, fx);
    }
    fx->bad = fx->bad || left.bad;
    buffer_done(&store->held.rows);
    store->held.rows = left;
    store->held.writes = queue_keep(store->queue, QUEUE_KEEPS_HELD, buffer_bytes(&left), fx);
}

uint64_t store_held_go(struct store *store, struct moment now, struct effects *fx)
{
    struct reader in = reader_of(buffer_bytes(&store->held.rows));
    uint64_t next = UINT64_MAX;
    struct row row;

    while (!reader_empty(&in) && next_row(&in, &row))
        if (row.until_ms != 0 && row.until_ms < next)
            next = row.until_ms;
    if (next == UINT64_MAX || store->held.writes)
        return 0;                           /* again when it is written */
    if (next > now.wall_ms)
        return now.mono_ms + (next - now.wall_ms);
    end_those(store, now, fx);
    return now.mono_ms + 1;                 /* for the next of them */
}

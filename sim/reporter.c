/* SPDX-License-Identifier: ISC */
#include "sim/reporter.h"

#include "queue/queue.h"
#include "role/wire.h"
#include "sim/ledger.h"

#include <assert.h>

struct reporter {
    struct queue *queue;
    struct buffer head, to, text;       /* of the report asked for last */
};

static const struct role_name to_local = { ROLE_LOCAL, 0 }, to_admin = { ROLE_ADMIN, 0 };

static enum queue_report wants(void *ctx, const struct queue_verdict *verdict)
{
    uint32_t letter;

    return verdict->ends->outcome == QUEUE_FAILED && ledger_number(verdict->text, &letter)
         ? QUEUE_REPORT_WRITTEN : QUEUE_REPORT_NONE;
}

/* The report of letter n is letter n + 1 of the ledger; nothing is reported of reports. */
static enum queue_report report(void *ctx, const struct queue_verdict *verdict,
                                struct queue_letter *ret_letter, struct queue_keys *ret_keys)
{
    struct reporter *reporter = ctx;
    struct buffer one = buffer_with_most(1024);
    uint32_t letter;

    if (!ledger_number(verdict->text, &letter))
        return QUEUE_REPORT_NONE;
    buffer_clear(&reporter->head);
    buffer_clear(&reporter->to);
    buffer_clear(&reporter->text);
    ledger_put_head(letter + 1, &reporter->head);
    ledger_put_recipient(letter + 1, 0, &one);
    buffer_put_block(&reporter->to, buffer_bytes(&one));
    buffer_done(&one);
    ledger_put_sized(letter + 1, LEDGER_REPORT, &reporter->text);
    *ret_letter = (struct queue_letter){ .head = buffer_bytes(&reporter->head),
                                         .to = buffer_bytes(&reporter->to),
                                         .text = buffer_bytes(&reporter->text) };
    *ret_keys = (struct queue_keys){ .list = NULL };
    return QUEUE_REPORT_WRITTEN;
}

/* All recipients of a letter go together, and so they fail. */
static uint64_t way(const void *of, struct bytes to)
{
    return 1;
}

static void *reporter_make(const struct conf *conf, uint32_t index)
{
    struct reporter *reporter = mem_new(sizeof(*reporter));

    assert(reporter != NULL);           /* there is no shortage in the enumerator */
    reporter->head = reporter->to = reporter->text = buffer_with_most(1 << 16);
    reporter->queue = queue_new(&(struct queue_conf){
        .wants = wants, .report = report, .reporter = reporter, .segment_bytes = conf->segment,
        .space_least = conf->space_least, .patience = { { 60 * 1000 }, 1, 0, 0, 0 },
        .history_keep_ms = conf->history_keep_ms, .history_most = conf->history_most,
        .way = way, .jobs = 4,
        .deliver = true });
    assert(reporter->queue != NULL);
    return reporter;
}

static void reporter_free(void *role)
{
    struct reporter *reporter = role;

    queue_free(reporter->queue);
    buffer_done(&reporter->head);
    buffer_done(&reporter->to);
    buffer_done(&reporter->text);
    mem_free(reporter);
}

static void tell(const struct queue_news *news, struct effects *fx)
{
    const struct role_name front = { ROLE_FRONT, news->from.peer };

    if (news->kind == NEWS_STATE)
        wire_tell_store_state(fx, front, &(struct wire_store_state){ (uint8_t)news->state });
    else if (news->kind == NEWS_TAKEN)
        wire_tell_letter_taken(fx, front, &(struct wire_letter_taken){
            news->from.token, news->id });
    else if (news->kind == NEWS_REFUSED)
        wire_tell_letter_refused(fx, front, &(struct wire_letter_refused){
            news->from.token, (uint8_t)news->why });
    else if (news->kind == NEWS_JOB && news->with != 0)
        wire_tell_job_also(fx, to_local, &(struct wire_job_also){
            .job = news->job, .with = news->with, .recipient = news->recipient,
            .attempt = news->attempt, .to = news->to });
    else if (news->kind == NEWS_JOB)
        wire_tell_job_begin(fx, to_local, &(struct wire_job_begin){
            .job = news->job, .letter = news->id, .recipient = news->recipient,
            .attempt = news->attempt, .size = news->size, .head = news->head, .to = news->to });
    else if (news->kind == NEWS_JOB_TEXT)
        wire_tell_job_part(fx, to_local, &(struct wire_job_part){ news->job, news->text });
    else if (news->kind == NEWS_JOB_END)
        wire_tell_job_end(fx, to_local, &(struct wire_job_end){ news->job });
    else if (news->kind == NEWS_ROW)
        wire_tell_queue_row(fx, to_admin, &(struct wire_queue_row){
            .token = news->token, .letter = news->id, .head = BYTES_NONE, .to = BYTES_NONE,
            .note = BYTES_NONE });
    else if (news->kind == NEWS_ORDERED)
        wire_tell_queue_ordered(fx, to_admin, &(struct wire_queue_ordered){
            .token = news->token, .result = news->more, .changed = news->octets,
            .busy = news->attempt });
    else if (news->kind == NEWS_ANSWER_END)
        wire_tell_answer_end(fx, to_admin, &(struct wire_answer_end){ news->token, news->more });
}

static void on_told(struct queue *queue, const struct event *event, struct effects *fx)
{
    struct wire_letter letter;
    struct wire_job_result result;
    struct wire_credit credit;
    struct wire_queue_ask ask;
    struct wire_queue_order order;

    if (wire_read_letter(event->bytes, &letter))
        queue_put(queue, (struct queue_from){ event->peer.index, letter.token },
                  &(struct queue_letter){ .head = letter.head, .to = letter.to,
                                          .text = letter.text },
                  (struct queue_keys){ .list = NULL }, event->now, fx);
    else if (wire_read_credit(event->bytes, &credit))
        queue_job_credit(queue, credit.token, credit.octets, fx);
    else if (wire_read_queue_ask(event->bytes, &ask))
        queue_list(queue, ask.token, ask.after, ask.most, fx);
    else if (wire_read_queue_order(event->bytes, &order))
        queue_order(queue, &(struct queue_order){
            .token = order.token, .verb = (enum queue_verb)order.verb, .letter = order.letter,
            .recipients = order.recipients, .to = order.to, .reason = order.reason },
            event->now, fx);
    else if (wire_read_job_result(event->bytes, &result))
        queue_job_result(queue, &(struct queue_result){
            .job = result.job, .outcome = (enum queue_outcome)result.outcome,
            .class = result.class, .words = result.words }, event->now, fx);
}

static void reporter_step(void *role, const struct event *event, struct effects *fx)
{
    struct reporter *reporter = role;
    struct queue_news news;

    if ((event->kind == EV_PEER_UP || event->kind == EV_PEER_DOWN)
        && event->peer.kind == ROLE_LOCAL)
        queue_deliverer(reporter->queue, 0, event->kind == EV_PEER_UP, fx);
    if (event->kind == EV_TOLD)
        on_told(reporter->queue, event, fx);
    queue_step(reporter->queue, event, fx);
    while (queue_news(reporter->queue, &news))
        tell(&news, fx);
    fx_alarm(fx, queue_alarm(reporter->queue));
}

const struct role_ops reporter_ops = {
    .name = "reporter", .make = reporter_make, .step = reporter_step, .free = reporter_free,
};

/* SPDX-License-Identifier: ISC */
#include "role/store_int.h"

static const struct role_name to_admin = { ROLE_ADMIN, 0 };

static struct role_name deliverer(const struct queue_news *news)
{
    return (struct role_name){ news->deliverer == STORE_RELAY ? ROLE_RELAY : ROLE_LOCAL, 0 };
}

static struct role_name front_of(const struct queue_news *news)
{
    return (struct role_name){ ROLE_FRONT, news->from.peer };
}

_Static_assert((int)QUEUE_CLOSED == STORE_CLOSED && (int)QUEUE_OPEN == STORE_OPEN
               && (int)QUEUE_LOW == STORE_LOW && (int)QUEUE_READ_ONLY == STORE_READ_ONLY,
               "the states are told as they are");
_Static_assert((int)QUEUE_NOT_NOW == REFUSED_NOT_NOW && (int)QUEUE_NO_SPACE == REFUSED_NO_SPACE
               && (int)QUEUE_TOO_LARGE == REFUSED_TOO_LARGE
               && (int)QUEUE_UNKNOWN == REFUSED_UNKNOWN,
               "the refusals are told as they are");

void store_tell_state(struct store *store, struct role_name to, struct effects *fx)
{
    wire_tell_store_state(fx, to,
                          &(struct wire_store_state){ (uint8_t)queue_state(store->queue) });
}

static void tell_state_to_all(struct store *store, struct effects *fx)
{
    for (uint32_t i = 0; i < LIMIT_FRONTS; i++)
        if (store->fronts[i])
            store_tell_state(store, (struct role_name){ ROLE_FRONT, i }, fx);
    if (store->admin)
        store_tell_state(store, to_admin, fx);
}

static void tell_job(const struct queue_news *news, struct effects *fx)
{
    if (news->with != 0) {
        wire_tell_job_also(fx, deliverer(news), &(struct wire_job_also){
            .job = news->job, .with = news->with, .recipient = news->recipient,
            .attempt = news->attempt, .recovered = news->recovered, .to = news->to });
        return;
    }
    wire_tell_job_begin(fx, deliverer(news), &(struct wire_job_begin){
        .job = news->job, .letter = news->id, .recipient = news->recipient,
        .attempt = news->attempt, .recovered = news->recovered, .binary = news->binary,
        .size = news->size, .head = news->head, .to = news->to });
}

static void tell_row(const struct queue_news *news, struct effects *fx)
{
    wire_tell_queue_row(fx, to_admin, &(struct wire_queue_row){
        .token = news->token, .letter = news->id, .recipient = news->recipient,
        .size = news->size, .received_ms = news->received_ms, .attempts = news->attempt,
        .due_ms = news->due_ms, .held = news->failed, .at_work = news->at_work,
        .head = news->head, .to = news->to,
        .note = news->note, .noted_ms = news->noted_ms });
}

/* A letter of our own. */
static void ours_is(struct store *store, const struct queue_news *news, struct effects *fx)
{
    bool taken = news->kind == NEWS_TAKEN;

    if (news->from.token >= STORE_TLSRPT_TOKEN)
        store_tlsrpt_taken(store, news->from.token, taken, fx);
    else
        store_refused_taken(store, taken);
}

static void tell(struct store *store, const struct queue_news *news, struct effects *fx)
{
    switch (news->kind) {
    case NEWS_STATE:
        tell_state_to_all(store, fx);
        break;
    case NEWS_TAKEN:
        store->accepted++;
        if (news->from.peer == STORE_ITSELF) {
            ours_is(store, news, fx);
            break;
        }
        wire_tell_letter_taken(fx, front_of(news),
                               &(struct wire_letter_taken){ news->from.token, news->id });
        break;
    case NEWS_REFUSED:
        if (news->from.peer == STORE_ITSELF) {
            ours_is(store, news, fx);
            break;
        }
        wire_tell_letter_refused(fx, front_of(news),
                                 &(struct wire_letter_refused){ news->from.token,
                                                                (uint8_t)news->why });
        break;
    case NEWS_CREDIT:
        wire_tell_credit(fx, front_of(news),
                         &(struct wire_credit){ news->from.token, news->octets });
        break;
    case NEWS_JOB:
        if (news->deliverer != STORE_LOCAL || !store_held_back(store, news, fx))
            tell_job(news, fx);
        break;
    case NEWS_JOB_TEXT:
        wire_tell_job_part(fx, deliverer(news), &(struct wire_job_part){ news->job, news->text });
        break;
    case NEWS_JOB_END:
        wire_tell_job_end(fx, deliverer(news), &(struct wire_job_end){ news->job });
        break;
    case NEWS_JOB_DROP:
        wire_tell_job_drop(fx, deliverer(news), &(struct wire_job_drop){ news->job });
        break;
    case NEWS_ROW:
        tell_row(news, fx);
        break;
    case NEWS_ORDERED:
        wire_tell_queue_ordered(fx, to_admin, &(struct wire_queue_ordered){
            .token = news->token, .result = news->more, .changed = news->octets,
            .busy = news->attempt });
        break;
    case NEWS_KEPT:
        if (news->token == QUEUE_KEEPS_MEMORY)
            store_memory_kept(store, news, fx);
        else
            store_held_kept(store, news, fx);
        break;
    case NEWS_EVENT:
        if ((news->token & STORE_KNOWN_BIT) != 0)
            store_known_event(store, news->token, news->text);
        else
            wire_tell_trace_row(fx, to_admin, &(struct wire_trace_row){ news->token, news->text });
        break;
    case NEWS_ANSWER_END:
        if ((news->token & STORE_KNOWN_BIT) != 0)
            store_known_end(store, news->token, fx);
        else
            wire_tell_answer_end(fx, to_admin,
                                 &(struct wire_answer_end){ news->token, news->more });
        break;
    }
}

void store_tell_news(struct store *store, struct effects *fx)
{
    struct queue_news news;

    while (queue_news(store->queue, &news))
        tell(store, &news, fx);
}

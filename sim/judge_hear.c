/* SPDX-License-Identifier: ISC */
#include "sim/judge_int.h"

#include "dns/fetch.h"
#include "sim/room.h"

#include <string.h>

enum {
    SECOND = 1000 * 1000,
    GROUPS_MOST = 8,                /* that wait for the disk at once */
    GATHER_MOST = 2 * SECOND,       /* state changes wait no longer for company */
};

/* ---- what is on record */

/* The end of a group of the log: a sync on the writer's lane that nothing follows. */
static bool is_group(enum role_kind who, const struct io *io)
{
    return who == ROLE_STORE && io->kind == IO_SYNC && io->lane == 0 && !io->linked;
}

/* One of the groups that were begun after the store had heard holds it: the first, or, where
   segments end, one of those that waited behind it. When the writer rests, the last one did. */
static bool is_recorded(const struct judge *judge, const struct letter_recipient *recipient)
{
    uint64_t after = judge->groups_safe - recipient->told_groups;
    uint64_t since = judge->rest_us > recipient->told_us ? judge->rest_us : recipient->told_us;
    bool rests = judge->log_asked == judge->log_ended
        && world_now_us(judge->world) - since > GATHER_MOST;

    return judge->groups_safe > recipient->told_groups && (after >= GROUPS_MOST || rests);
}

/* What is on record cannot be asked for again: no fault takes it from now on. */
static void mark_recorded(struct judge *judge)
{
    for (size_t i = 0; i < crowd_letters(judge->crowd); i++) {
        struct letter *letter = crowd_letter(judge->crowd, i);
        for (size_t k = 0; k < letter->recipients_n; k++) {
            struct letter_recipient *recipient = &letter->recipients[k];
            if (recipient->told_us != 0 && is_recorded(judge, recipient))
                recipient->begun_us = recipient->told_us = 0;
        }
    }
}

void judge_asked(void *ctx, enum role_kind who, const struct io *io)
{
    struct judge *judge = ctx;

    if (who != ROLE_STORE || io->lane != 0)
        return;
    if (judge->log_asked == judge->log_ended)
        mark_recorded(judge);
    judge->groups_begun += is_group(who, io);
    judge->log_asked++;
}

void judge_log_ended(struct judge *judge, const struct io *io, enum fault fault)
{
    judge->log_ended++;
    judge->rest_us = world_now_us(judge->world);
    if (is_group(ROLE_STORE, io) && fault == OK) {
        judge->groups_safe++;
        mark_recorded(judge);
    }
}

/* ---- what is overheard between store and local */

static struct overheard *job_of(struct judge *judge, uint32_t job)
{
    for (size_t i = judge->jobs_n; i-- > 0;)
        if (judge->jobs[i].job == job)
            return &judge->jobs[i];
    return NULL;
}

static void hear_begin(struct judge *judge, uint32_t number, uint32_t with, struct bytes entry)
{
    struct recipient to;

    if (judge->jobs_n == JOBS_MOST)
        judge->jobs_n = 0;
    judge->jobs = room_for(judge->jobs, &judge->jobs_room, judge->jobs_n + 1,
                           sizeof(*judge->jobs));
    struct overheard *job = &judge->jobs[judge->jobs_n++];
    *job = (struct overheard){ .job = number, .with = with };
    if (recipient_read(entry, &to) && to.address.n < sizeof(job->to))
        memcpy(job->to, to.address.at, to.address.n);
}

static void open_window(struct judge *judge, struct letter_recipient *recipient)
{
    if (recipient->begun_us == 0 || recipient->hit
        || (recipient->told_us != 0 && is_recorded(judge, recipient)))
        return;
    recipient->hit = true;
    recipient->windows++;
    world_totals(judge->world)->windows++;
}

static struct letter_recipient *recipient_at(struct judge *judge, const struct overheard *job)
{
    struct letter *letter = crowd_letter(judge->crowd, job->letter);

    for (size_t i = 0; i < letter->recipients_n; i++)
        if (strcmp(letter->recipients[i].mailbox->address, job->to) == 0)
            return &letter->recipients[i];
    return NULL;
}

static void is_begun(struct judge *judge, struct overheard *job, const struct letter *letter)
{
    struct letter_recipient *recipient;

    job->known = true;
    job->letter = letter->index;
    recipient = recipient_at(judge, job);
    if (recipient == NULL)
        return;
    recipient->begun_us = world_now_us(judge->world);
    recipient->told_us = 0;
    recipient->hit = recipient->over = false;
    if (world_role(judge->world, (struct role_name){ ROLE_STORE, 0 }) == NULL)
        open_window(judge, recipient);      /* the last words of a store that is dead by now */
}

/* The first part of the text says which letter it is: of all jobs that it comes with. */
static void hear_part(struct judge *judge, const struct wire_job_part *part)
{
    struct overheard *job = job_of(judge, part->job), *end = judge->jobs + judge->jobs_n;
    struct letter *letter = judge_letter_in(judge, part->text);

    if (job == NULL || letter == NULL || job->known)
        return;
    for (; job < end; job++)
        if (!job->known && job->with == part->job)
            is_begun(judge, job, letter);
}

static void hear_failure(struct judge *judge, uint32_t letter, struct letter_recipient *recipient)
{
    if (!judge_may_fail(judge, crowd_letter(judge->crowd, letter), recipient))
        world_break(judge->world, "promise 4: letter %u to %s failed for good, and nobody refused "
                    "it", letter, recipient->mailbox->address);
    recipient->failed = true;
}

static void hear_result(struct judge *judge, const struct wire_job_result *result)
{
    struct overheard *job = job_of(judge, result->job);
    struct letter_recipient *recipient = NULL;

    if (job != NULL && job->known)
        recipient = recipient_at(judge, job);
    if (recipient != NULL && result->outcome == JOB_FAILED)
        hear_failure(judge, job->letter, recipient);
    if (recipient != NULL && (result->outcome == JOB_DELIVERED || result->outcome == JOB_RELAYED
                              || result->outcome == JOB_PASSED)) {
        recipient->told_us = world_now_us(judge->world);
        recipient->told_groups = judge->groups_begun;
    }
    if (recipient != NULL && recipient->mailbox->away
        && (result->outcome == JOB_LATER || result->outcome == JOB_BUSY))
        recipient->over = true;
}

void judge_frame(void *ctx, struct role_name from, struct role_name to, struct bytes frame)
{
    struct judge *judge = ctx;
    struct wire_job_begin begin;
    struct wire_job_also also;
    struct wire_fetch_is fetched;
    struct wire_queue_row row;
    struct wire_queue_order order;
    struct wire_job_part part;
    struct wire_job_result result;

    if (wire_read_job_begin(frame, &begin))
        hear_begin(judge, begin.job, begin.job, begin.to);
    else if (wire_read_job_also(frame, &also))
        hear_begin(judge, also.job, also.with, also.to);
    else if (wire_read_job_part(frame, &part))
        hear_part(judge, &part);
    else if (wire_read_job_result(frame, &result))
        hear_result(judge, &result);
    else if (wire_read_queue_row(frame, &row))
        judge_row(judge, &row);
    else if (wire_read_queue_order(frame, &order))
        judge_order(judge, &order);
    else if (wire_read_fetch_is(frame, &fetched) && fetched.result == FETCH_WELL
             && judge->policy_us == 0)
        judge->policy_us = world_now_us(judge->world);
}

/* A store that begins anew has written no group. */
static void forget_groups(struct judge *judge)
{
    judge->groups_begun = judge->groups_safe = judge->log_asked = judge->log_ended = 0;
}

void judge_fault(void *ctx, enum role_kind who)
{
    struct judge *judge = ctx;

    if (who == ROLE_RELAY)
        judge->policy_us = 0;
    if (who != ROLE_STORE && who != ROLE_LOCAL && who != ROLE_RELAY)
        return;
    for (size_t i = 0; i < crowd_letters(judge->crowd); i++) {
        struct letter *letter = crowd_letter(judge->crowd, i);
        for (size_t k = 0; k < letter->recipients_n; k++) {
            struct letter_recipient *recipient = &letter->recipients[k];
            enum role_kind by = recipient->mailbox->away ? ROLE_RELAY : judge->deliverer;
            if ((who == ROLE_STORE || who == by) && !recipient->over)
                open_window(judge, recipient);
        }
    }
    if (who == ROLE_STORE && world_role(judge->world, (struct role_name){ who, 0 }) == NULL)
        forget_groups(judge);
}

static struct letter_recipient *recipient_in(struct judge *judge, struct bytes text,
                                             const char *to)
{
    struct letter *letter = judge_letter_by(judge, BYTES("\nMessage-ID: <"), text);

    for (size_t i = 0; letter != NULL && i < letter->recipients_n; i++)
        if (strcmp(letter->recipients[i].mailbox->address, to) == 0)
            return &letter->recipients[i];
    return NULL;
}

void judge_reply_lost(void *ctx, struct bytes text, const char *to)
{
    struct letter_recipient *recipient = recipient_in(ctx, text, to);

    if (recipient != NULL)
        open_window(ctx, recipient);
}

/* Within one attempt relay may begin anew, on another connection: each copy has its own window. */
void judge_kept(void *ctx, const struct server_letter *taken, const char *to)
{
    struct judge *judge = ctx;
    struct letter_recipient *recipient = recipient_in(judge, taken->text, to);

    if (recipient == NULL)
        return;
    recipient->hit = false;
    if (recipient->begun_us == 0)
        recipient->begun_us = world_now_us(judge->world);
    if (recipient->mailbox->away)
        judge_took(judge, judge_letter_by(judge, BYTES("\nMessage-ID: <"), taken->text),
                   recipient, taken);
}


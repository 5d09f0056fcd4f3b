/* SPDX-License-Identifier: ISC
 *
 * role/local.c: the role that holds the mail folders: answers whether a mailbox exists, and
 * delivers.
 *
 * Four deliveries go on beside each other, each in its own lane; others wait for a lane with the
 * text that credit let through. A delivery ends in exactly one JOB_RESULT, unless the store that
 * gave it died: then what is under way is ended or cleared away in silence, and the next store
 * asks anew, with `recovered`.
 */
#include "role/local_int.h"

#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "plan/route.h"
#include "role/role.h"

#include <assert.h>
#include <string.h>

/* ---- the table of deliveries */

static struct job *job_of(const struct local *local, uint32_t number)
{
    struct job *job = local->jobs;

    while (job != NULL && (job->orphan || job->number != number))
        job = job->next;
    return job;
}

static void forget(struct local *local, struct job *job)
{
    struct job **at = &local->jobs;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    local->jobs_n--;
    if (job->stage != STAGE_WAITS && local->lanes[job->lane] == job)
        local->lanes[job->lane] = NULL;
    buffer_done(&job->text);
    job_cover_free(job);
    mem_free(job);
}

/* Two attempts of one copy share a name in tmp: the later one waits until the earlier is gone. */
static bool is_in_a_lane(const struct local *local, const struct job *job)
{
    for (size_t i = 0; i < LOCAL_LANES; i++) {
        const struct job *other = local->lanes[i];
        if (other != NULL && other->letter == job->letter && other->recipient == job->recipient)
            return true;
    }
    return false;
}

static struct job *next_waiting(const struct local *local)
{
    struct job *job = local->jobs;

    while (job != NULL && (job->stage != STAGE_WAITS || is_in_a_lane(local, job)))
        job = job->next;
    return job;
}

static void tell_result(struct local *local, const struct job *job, struct effects *fx)
{
    struct buffer *draft = fx_draft(fx);

    buffer_put_text(draft, job->folder);
    buffer_put(draft, BYTES(": "));
    buffer_put_text(draft, job->words);
    struct wire_job_result result = {
        .job = job->number, .outcome = job->outcome, .class = job->code.class,
        .subject = job->code.subject, .detail = job->code.detail,
        .words = fx_keep(fx, buffer_bytes(draft)),
    };
    local->answered = true;
    wire_tell_job_result(fx, local->boss, &result);
}

static void log_result(const struct job *job, struct effects *fx)
{
    struct buffer *line = fx_draft(fx);
    char id[ID_TEXT];
    struct buffer code = buffer_with_most(16);

    id_write(job->letter, id);
    status_put(&code, job->code);
    log_begin(line, job->outcome == JOB_DELIVERED ? "delivered" : "delivery-waits");
    log_ours(line, "letter", (struct bytes){ id, ID_TEXT });
    log_uint(line, "recipient", job->recipient);
    log_ours(line, "mailbox", bytes_of(job->folder));
    log_uint(line, "attempt", job->attempt);
    log_ours(line, "code", buffer_bytes(&code));
    log_ours(line, "why", bytes_of(job->words));
    buffer_done(&code);
    fx_log(fx, job->outcome == JOB_DELIVERED ? LOG_INFO : LOG_WARN,
           fx_keep(fx, buffer_bytes(line)));
}

/* Where to remember that the names of a mailbox, or of a domain, are durable; what to put there. */
static uint64_t *sure_place(struct local *local, struct bytes folder, uint64_t *ret_hash)
{
    static const uint8_t key[16];   /* nobody outside chooses what mailboxes there are */

    *ret_hash = siphash(key, folder) | 1;
    return &local->sure[*ret_hash % LOCAL_SURE];
}

static bool is_sure(struct local *local, struct bytes folder)
{
    uint64_t hash;
    const uint64_t *place = sure_place(local, folder, &hash);

    return *place == hash;
}

static void remember_sure(struct local *local, struct bytes folder)
{
    uint64_t hash;
    uint64_t *place = sure_place(local, folder, &hash);

    *place = hash;
}

/* After anything happened to a job: if it is over, tell so and forget it. */
static void conclude(struct local *local, struct job *job, struct effects *fx)
{
    if (!job_is_over(job))
        return;
    if (!job->orphan)
        tell_result(local, job, fx);
    if (job->sure) {
        remember_sure(local, bytes_of(job->folder));
        remember_sure(local, bytes_upto(bytes_of(job->folder), '/'));
    }
    log_result(job, fx);
    forget(local, job);
}

static void fill_lanes(struct local *local, struct effects *fx)
{
    struct job *job;

    for (uint8_t i = 0; i < LOCAL_LANES; i++) {
        while (local->lanes[i] == NULL && (job = next_waiting(local)) != NULL) {
            local->lanes[i] = job;
            job->lane = i;
            job_start(job, fx);
            conclude(local, job, fx);
        }
    }
    bool ends = local->stopping || (local->is_user && local->answered);
    if (ends && !local->over && local->jobs == NULL && local->errands.list == NULL) {
        local->over = true;
        fx_exit(fx, 0);
    }
}

/* Nobody waits for it any more. A chain under way is ended first. */
static void give_up(struct local *local, struct job *job, struct effects *fx)
{
    job->orphan = true;
    if (job->stage == STAGE_WAITS) {
        forget(local, job);
        return;
    }
    job_pump(job, fx);
    conclude(local, job, fx);
}

/* ---- frames */

static void refuse_as(struct local *local, struct effects *fx, uint32_t number,
                      struct status_code code, struct bytes words)
{
    struct wire_job_result result = {
        .job = number, .outcome = code.class == 5 ? JOB_FAILED : JOB_LATER, .class = code.class,
        .subject = code.subject, .detail = code.detail, .words = words };

    local->answered = true;
    wire_tell_job_result(fx, local->boss, &result);
}

/* What could not even be begun: 4.3.0. */
static void refuse(struct local *local, struct effects *fx, uint32_t number, struct bytes words)
{
    refuse_as(local, fx, number, STATUS(4, 3, 0), words);
}

static bool fill_job(struct local *local, struct job *job, const struct wire_job_begin *begin)
{
    struct buffer folder = buffer_with_most(LOCAL_FOLDER_MOST);
    struct envelope envelope;
    struct recipient recipient;
    bool well = envelope_read(begin->head, &envelope) && recipient_read(begin->to, &recipient)
             && (local->is_user || local_folder(recipient.address, local_home(local), &folder));

    if (local->is_user)
        buffer_put(&folder, BYTES("Maildir"));
    if (well && !folder.bad) {
        job->own = local->is_user;
        memcpy(job->folder, folder.at, folder.n);
        job->sure = is_sure(local, bytes_of(job->folder));
        job->sure_above = is_sure(local, bytes_upto(bytes_of(job->folder), '/'));
        job_name(job, &envelope);
        local_put_top(&job->text, &envelope, recipient.address, begin->letter, begin->binary != 0);
        if (local->conf->explain_bounces)
            job_cover_begin(job, &envelope, begin);
    }
    buffer_done(&folder);
    return well && job->name[0] != '\0';
}

/* A letter for a system user is another's to write. True when it was seen to. */
static bool begin_for_user(struct local *local, const struct wire_job_begin *begin,
                           struct bytes frame, struct effects *fx)
{
    struct buffer name = buffer_with_most(LIMIT_USER_NAME);
    struct recipient recipient;
    bool theirs = recipient_read(begin->to, &recipient)
               && routes_place(local->routes, recipient.address, NULL) == ROUTE_SYSTEM;

    if (theirs && routes_user(local->routes, recipient.address, &name))
        errands_letter(&local->errands, buffer_bytes(&name), begin, frame, fx);
    else if (theirs)
        refuse_as(local, fx, begin->job, name.bad ? STATUS(4, 3, 2) : STATUS(5, 1, 1),
                  BYTES("no user of the system can have that name"));
    buffer_done(&name);
    return theirs;
}

static void on_begin(struct local *local, const struct wire_job_begin *begin, struct bytes frame,
                     struct effects *fx)
{
    struct job *job;

    if (local->stopping || job_of(local, begin->job) != NULL)
        return;
    if (local->is_user && local->home != HOME_WELL) {
        struct status_code code;
        struct bytes words = home_words(local->home, &code);
        refuse_as(local, fx, begin->job, code, words);
        return;
    }
    if (!local->is_user && begin_for_user(local, begin, frame, fx))
        return;
    job = local->jobs_n < LIMIT_JOBS ? mem_new(sizeof(*job)) : NULL;
    if (job == NULL) {
        refuse(local, fx, begin->job, BYTES("too many deliveries at once, or memory is short"));
        return;
    }
    *job = (struct job){
        .number = begin->job, .letter = begin->letter, .recipient = begin->recipient,
        .attempt = begin->attempt, .recovered = begin->recovered != 0, .binary = begin->binary != 0,
        .serial = ++local->serial, .text = buffer_with_most(LOCAL_TEXT_MOST),
    };
    if (!fill_job(local, job, begin)) {
        refuse(local, fx, begin->job,
               BYTES("the recipient's address does not lead to a mailbox folder"));
        buffer_done(&job->text);
        job_cover_free(job);
        mem_free(job);
        return;
    }
    struct job **end = &local->jobs;
    while (*end != NULL)
        end = &(*end)->next;
    *end = job;
    local->jobs_n++;
}

static void on_part(struct local *local, const struct wire_job_part *part, struct effects *fx)
{
    struct job *job = job_of(local, part->job);

    if (job == NULL || job->ended)
        return;
    job->taken += part->text.n;
    if (job->outcome != 0)
        return;
    if (job->cover != NULL)
        job_cover_part(job, part->text);
    else if (job->binary)
        buffer_put(&job->text, part->text);
    else
        line_ends_put(&job->ends, part->text, &job->text);
    job_pump(job, fx);
    conclude(local, job, fx);
}

static struct rules *rules_of(struct local *local)
{
    if (local->rules == NULL)
        local->rules = rules_builtin();
    return local->rules;
}

static void on_end(struct local *local, const struct wire_job_end *end, struct effects *fx)
{
    struct job *job = job_of(local, end->job);

    if (job == NULL || job->ended)
        return;
    job->ended = true;
    if (job->cover != NULL)
        job_cover_end(job, rules_of(local), local->boss, local->now.mono_ms, fx);
    else
        line_ends_finish(&job->ends, &job->text);
    job_pump(job, fx);
    conclude(local, job, fx);
}

static void cover_known(struct local *local, struct job *job, bool known, struct effects *fx)
{
    job_cover_known(job, rules_of(local), known);
    job_pump(job, fx);
    conclude(local, job, fx);
}

static void on_known(struct local *local, const struct wire_known_is *is, struct effects *fx)
{
    struct job *job = job_of(local, is->token);

    if (job != NULL && job->cover != NULL && job->cover->due_ms != 0)
        cover_known(local, job, is->known != 0, fx);
}

/* Whom the store has not answered in time: the letter does not wait for a card. */
static void end_asks(struct local *local, struct effects *fx)
{
    struct job *next;

    for (struct job *job = local->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->cover != NULL && job->cover->due_ms != 0
            && job->cover->due_ms <= local->now.mono_ms)
            cover_known(local, job, false, fx);
    }
}

/* Its text cannot be read on: deliver nothing of it. */
static void on_drop(struct local *local, const struct wire_job_drop *drop, struct effects *fx)
{
    struct job *job = job_of(local, drop->job);

    if (job != NULL && !job->ended)
        give_up(local, job, fx);
}

/* False: a frame that does not read, or is not ours to get. */
static bool on_frame(struct local *local, struct bytes frame, struct effects *fx)
{
    struct wire_mailbox_ask ask;
    struct wire_job_begin begin;
    struct wire_job_part part;
    struct wire_job_end end;
    struct wire_job_drop drop;
    struct wire_known_is known;

    if (wire_read_job_part(frame, &part)) {
        if (!errands_more(&local->errands, part.job, frame, &local->now, fx))
            on_part(local, &part, fx);
    } else if (wire_read_job_begin(frame, &begin)) {
        on_begin(local, &begin, frame, fx);
    } else if (wire_read_job_end(frame, &end)) {
        if (!errands_more(&local->errands, end.job, frame, &local->now, fx))
            on_end(local, &end, fx);
    } else if (wire_read_job_drop(frame, &drop)) {
        errands_drop(&local->errands, drop.job, fx);
        on_drop(local, &drop, fx);
    } else if (wire_read_known_is(frame, &known)) {
        if (!errands_more(&local->errands, known.token, frame, &local->now, fx))
            on_known(local, &known, fx);
    } else if (wire_read_mailbox_ask(frame, &ask)) {
        local_on_ask(local, &ask, frame, fx);
    } else {
        return false;
    }
    return true;
}

static void on_told(struct local *local, const struct event *event, struct effects *fx)
{
    if (event->peer.kind == local->boss.kind && on_frame(local, event->bytes, fx))
        return;
    if (event->peer.kind == ROLE_USER
        && errands_told(&local->errands, event->peer.index, event->bytes, &local->now, fx))
        return;
    struct buffer *line = fx_draft(fx);
    log_begin(line, "bad-frame");
    log_ours(line, "kind", bytes_of(wire_name(wire_kind_of(event->bytes))));
    log_uint(line, "octets", event->bytes.n);
    fx_log(fx, LOG_ERROR, fx_keep(fx, buffer_bytes(line)));
}

/* ---- the rest */

static void on_io(struct local *local, const struct event *event, struct effects *fx)
{
    size_t lane = (event->token >> 8) & 0xFF, credit = 0;
    struct job *job = lane < LOCAL_LANES ? local->lanes[lane] : NULL;

    if ((event->token & LOCAL_ASK_BIT) != 0) {
        local_on_stat(local, event, fx);
        return;
    }
    if (job == NULL || job->serial != (uint32_t)(event->token >> 16))
        return;
    job_on_io(job, event, fx, &credit);
    if (credit > 0 && !job->orphan && job->outcome == 0)
        wire_tell_credit(fx, local->boss, &(struct wire_credit){ job->number, (uint32_t)credit });
    conclude(local, job, fx);
}

/* Those that wait for a lane, and those whose end has not come (`all`: each). */
static void give_up_some(struct local *local, bool all, struct effects *fx)
{
    struct job *next;

    for (struct job *job = local->jobs; job != NULL; job = next) {
        next = job->next;
        if (all || !job->ended || job->stage == STAGE_WAITS)
            give_up(local, job, fx);
    }
}

/* Who gave the letters is no more: nobody waits for them. */
static void boss_down(struct local *local, struct effects *fx)
{
    local->asker = (local->asker + 1) % LOCAL_ASKERS;
    give_up_some(local, true, fx);
    errands_forget(&local->errands, true, fx);
    local->answered = true;
}

/* Whoever read the tables found that they make sense: only memory can be short. */
static void on_reload(struct local *local, const struct conf *conf, struct effects *fx)
{
    struct route_flaw flaw;
    struct routes *routes = local->is_user ? NULL : routes_new(conf, &flaw);

    local->conf = conf;
    if (local->is_user)
        return;
    if (routes == NULL) {
        fx->bad = true;
        return;
    }
    routes_free(local->routes);
    local->routes = routes;
}

static void set_alarm(struct local *local, struct effects *fx)
{
    uint64_t due = errands_due(&local->errands);

    for (const struct job *job = local->jobs; job != NULL; job = job->next)
        if (job->cover != NULL && job->cover->due_ms != 0
            && (due == 0 || job->cover->due_ms < due))
            due = job->cover->due_ms;

    if (due != local->alarm_ms)
        fx_alarm(fx, due);
    local->alarm_ms = due;
}

static void local_step(void *role, const struct event *event, struct effects *fx)
{
    struct local *local = role;

    local->now = event->now;
    switch (event->kind) {
    case EV_START:
        if (local->is_user)
            local->home = event->number < HOME_STATES ? (enum home_state)event->number
                                                      : HOME_UNKNOWN;
        break;
    case EV_TOLD:
        on_told(local, event, fx);
        break;
    case EV_IO:
        on_io(local, event, fx);
        break;
    case EV_PEER_DOWN:
        if (event->peer.kind == local->boss.kind)
            boss_down(local, fx);
        else if (event->peer.kind == ROLE_USER)
            errands_child(&local->errands, event->peer.index, false, &event->now, fx);
        break;
    case EV_PEER_UP:
        if (event->peer.kind == ROLE_USER)
            errands_child(&local->errands, event->peer.index, true, &event->now, fx);
        break;
    case EV_STOP:
        local->stopping = true;
        give_up_some(local, false, fx);
        errands_forget(&local->errands, false, fx);
        break;
    case EV_RELOAD:
        on_reload(local, event->conf, fx);
        break;
    case EV_ALARM:
        local->alarm_ms = 0;
        break;
    case EV_TURN:
    case EV_ACCEPT: case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED: case EV_CHILD:
    case EV_CONNECTED: case EV_ASKED: case EV_RESOLVED: case EV_FETCHED:
        break;
    }
    end_asks(local, fx);
    errands_go(&local->errands, &event->now, fx);
    fill_lanes(local, fx);
    set_alarm(local, fx);
}

static void *user_make(const struct conf *conf, uint32_t index)
{
    struct local *local = mem_new(sizeof(*local));

    if (local == NULL)
        return NULL;
    local->conf = conf;
    local->boss = (struct role_name){ ROLE_LOCAL, 0 };
    local->is_user = true;
    local->home = HOME_UNKNOWN;
    return local;
}

static void *local_make(const struct conf *conf, uint32_t index)
{
    struct local *local = user_make(conf, index);
    struct route_flaw flaw;

    if (local == NULL)
        return NULL;
    local->boss = (struct role_name){ ROLE_STORE, 0 };
    local->is_user = false;
    local->routes = routes_new(conf, &flaw);
    if (local->routes == NULL) {
        mem_free(local);
        return NULL;
    }
    return local;
}

static void local_free(void *role)
{
    struct local *local = role;

    if (local == NULL)
        return;
    while (local->jobs != NULL)
        forget(local, local->jobs);
    errands_done(&local->errands);
    routes_free(local->routes);
    rules_free(local->rules);
    mem_free(local);
}

const struct role_ops local_ops = { "local", local_make, local_step, local_free };
const struct role_ops user_ops = { "user", user_make, local_step, local_free };

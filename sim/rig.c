/* SPDX-License-Identifier: ISC */
#include "sim/rig_int.h"

#include "base/reader.h"
#include "role/wire.h"
#include "sim/room.h"
#include "sim/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART = 8 * 1024, OPERATIONS_MOST = 100000 };

static const struct role_name the_front = { ROLE_FRONT, 0 }, the_local = { ROLE_LOCAL, 0 },
                              the_admin = { ROLE_ADMIN, 0 };

static void step(struct rig *rig, struct event event);

static void flaw(struct rig *rig, const char *words)
{
    if (rig->flaw == NULL)
        rig->flaw = words;
}

/* ---- effects */

static void show(const struct rig *rig, const char *what, struct bytes frame)
{
    if (!rig->plan.trace)
        return;
    printf("%8" PRIu64 ".%06" PRIu64 " %s %s", rig->now_us / 1000000, rig->now_us % 1000000, what,
           wire_name(wire_kind_of(frame)));
    trace_print_text(frame);
    putchar('\n');
}

static void keep_frame(struct rig *rig, const struct effect *effect)
{
    show(rig, "tells", effect->bytes);
    buffer_put_u8(&rig->frames, (uint8_t)effect->to.kind);
    buffer_put_u32(&rig->frames, (uint32_t)(effect->bytes.n + effect->more.n));
    buffer_put(&rig->frames, effect->bytes);
    buffer_put(&rig->frames, effect->more);
}

static void do_effects(struct rig *rig)
{
    for (size_t i = 0; i < rig->fx.n; i++) {
        struct effect *effect = &rig->fx.list[i];
        if (effect->kind == FX_IO)
            lanes_put(rig->lanes, &effect->io);
        else if (effect->kind == FX_TELL)
            keep_frame(rig, effect);
        else if (effect->kind == FX_ALARM)
            rig->alarm_us = effect->number * 1000;
        else if (effect->kind == FX_LOG)
            rig->alarms += effect->level == LOG_ERROR;
        else if (effect->kind == FX_EXIT)
            rig->ended = true;
    }
    rig->ended = rig->ended || rig->fx.bad;
    lanes_step(rig->lanes);
}

static void step(struct rig *rig, struct event event)
{
    if (rig->ended || rig->stopped)
        return;
    event.now = (struct moment){ .mono_ms = rig->now_us / 1000,
                                 .wall_ms = 1767225600000 + rig->now_us / 1000 };
    effects_clear(&rig->fx);
    rig->plan.store->step(rig->role, &event, &rig->fx);
    do_effects(rig);
}

struct effects *rig_tell_begin(struct effects *fx)
{
    *fx = effects_none();
    return fx;
}

void rig_tell_end(struct rig *rig, struct role_name from, struct effects *fx)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    if (fx->n != 1 || fx->bad)
        abort();
    buffer_put(&frame, fx->list[0].bytes);
    buffer_put(&frame, fx->list[0].more);
    show(rig, "is told", buffer_bytes(&frame));
    step(rig, (struct event){ .kind = EV_TOLD, .peer = from, .bytes = buffer_bytes(&frame) });
    buffer_done(&frame);
    effects_done(fx);
}

/* ---- as a front */

static void put_to(uint32_t letter, uint32_t to_n, struct buffer *to)
{
    for (uint32_t i = 0; i < to_n; i++) {
        struct buffer one = buffer_with_most(1024);
        ledger_put_recipient(letter, i, &one);
        buffer_put_block(to, buffer_bytes(&one));
        buffer_done(&one);
    }
}

static void send_parts(struct rig *rig, uint32_t letter, struct bytes head, struct bytes to,
                       struct bytes text)
{
    struct effects fx;
    struct bytes rest = text;

    wire_tell_letter_begin(rig_tell_begin(&fx), the_front, &(struct wire_letter_begin){
        .token = letter, .size = text.n });
    rig_tell_end(rig, the_front, &fx);
    wire_tell_letter_to(rig_tell_begin(&fx), the_front, &(struct wire_letter_to){ letter, to });
    rig_tell_end(rig, the_front, &fx);
    while (rest.n > 0) {
        wire_tell_letter_part(rig_tell_begin(&fx), the_front, &(struct wire_letter_part){
            letter, bytes_first(rest, PART) });
        rig_tell_end(rig, the_front, &fx);
        rest = bytes_skip(rest, PART);
        step(rig, (struct event){ .kind = EV_TURN });
    }
    wire_tell_letter_end(rig_tell_begin(&fx), the_front, &(struct wire_letter_end){
        .token = letter, .size = text.n, .head = head });
    rig_tell_end(rig, the_front, &fx);
}

void rig_send(struct rig *rig, uint32_t letter)
{
    struct ledger_letter *entry = &rig->plan.ledger->letters[letter];
    struct buffer head = buffer_with_most(4096), to = buffer_with_most(4096);
    struct buffer text = buffer_with_most(1 << 20);
    struct effects fx;

    entry->sent = true;
    ledger_put_head(letter, &head);
    put_to(letter, entry->to_n, &to);
    ledger_put_text(rig->plan.ledger, letter, &text);
    if (entry->parts) {
        send_parts(rig, letter, buffer_bytes(&head), buffer_bytes(&to), buffer_bytes(&text));
    } else {
        wire_tell_letter(rig_tell_begin(&fx), the_front, &(struct wire_letter){
            .token = letter, .head = buffer_bytes(&head), .to = buffer_bytes(&to),
            .text = buffer_bytes(&text) });
        rig_tell_end(rig, the_front, &fx);
    }
    buffer_done(&head);
    buffer_done(&to);
    buffer_done(&text);
}

static void hear_as_front(struct rig *rig, struct bytes frame)
{
    struct ledger *ledger = rig->plan.ledger;
    struct wire_letter_taken taken;
    struct wire_letter_refused refused;
    struct wire_store_state state;

    if (wire_read_letter_taken(frame, &taken) && taken.token < ledger->n) {
        ledger->letters[taken.token].taken = true;
        ledger->letters[taken.token].id = taken.id;
    } else if (wire_read_letter_refused(frame, &refused) && refused.token < ledger->n) {
        ledger->letters[refused.token].refused = refused.why != REFUSED_UNKNOWN;
    } else if (wire_read_store_state(frame, &state)) {
        rig->open = state.state == STORE_OPEN || state.state == STORE_LOW;
    }
}

/* ---- as local */

static struct rig_job *job_of(struct rig *rig, uint32_t job, bool make)
{
    for (size_t i = 0; i < RIG_JOBS; i++)
        if (rig->jobs[i].used && rig->jobs[i].job == job)
            return &rig->jobs[i];
    for (size_t i = 0; make && i < RIG_JOBS; i++)
        if (!rig->jobs[i].used)
            return &rig->jobs[i];
    return NULL;
}

static void forget_job(struct rig_job *job)
{
    buffer_done(&job->text);
    room_free((void *)(uintptr_t)job->to.at);
    *job = (struct rig_job){ .used = false };
}

static void hear_begin(struct rig *rig, const struct wire_job_begin *begin)
{
    struct rig_job *job = job_of(rig, begin->job, true);

    if (job == NULL)
        return;
    if (job->used)
        forget_job(job);
    *job = (struct rig_job){
        .job = begin->job, .recipient = begin->recipient, .used = true,
        .text = buffer_with_most(1 << 20), .to = { room_copy(begin->to), begin->to.n } };
}

static void hear_also(struct rig *rig, const struct wire_job_also *also)
{
    hear_begin(rig, &(struct wire_job_begin){ .job = also->job, .recipient = also->recipient,
                                              .to = also->to });
    struct rig_job *job = job_of(rig, also->job, false);
    if (job != NULL)
        job->with = also->with;
}

static enum job_outcome outcome_of(const struct rig *rig, uint32_t letter, uint32_t recipient)
{
    bool keeps = rig->plan.local == RIG_KEEPS_SOME && letter < 4 && recipient < LEDGER_TO - 1;

    if (rig->plan.local == RIG_DEFERS || keeps)
        return JOB_LATER;
    if (rig->plan.local == RIG_FAILS && rig->plan.ledger->letters[letter].reported)
        return JOB_FAILED;
    return JOB_DELIVERED;
}

static void tell_result(struct rig *rig, const struct rig_job *job, uint32_t letter)
{
    enum job_outcome outcome = outcome_of(rig, letter, job->recipient);
    struct effects fx;

    if (rig->plan.local == RIG_HOLDS)
        return;
    if (outcome == JOB_DELIVERED) {
        struct ledger_to *to = &rig->plan.ledger->letters[letter].to[job->recipient];
        to->told = to->lately = true;
    }
    wire_tell_job_result(rig_tell_begin(&fx), the_local, &(struct wire_job_result){
        .job = job->job, .outcome = (uint8_t)outcome,
        .class = outcome == JOB_DELIVERED ? 2 : outcome == JOB_LATER ? 4 : 5,
        .words = BYTES("as the script says") });
    rig_tell_end(rig, the_local, &fx);
}

static bool right_recipient(const struct rig *rig, uint32_t letter, const struct rig_job *job)
{
    const struct ledger_letter *is = &rig->plan.ledger->letters[letter];
    bool right = false;

    if (job->recipient >= is->to_n)
        return false;
    for (unsigned other = 0; other < 2; other++) {
        struct buffer want = buffer_with_most(1024);
        bool may = is->to[job->recipient].moved != (other == 0 ? TO_OTHER : TO_SAME);
        ledger_put_recipient(letter, other == 0 ? job->recipient : LEDGER_TO, &want);
        right = right || (may && bytes_equal(buffer_bytes(&want), job->to));
        buffer_done(&want);
    }
    return right;
}

static void handed(struct rig *rig, struct rig_job *job, uint32_t letter)
{
    if (!right_recipient(rig, letter, job)) {
        flaw(rig, "a letter is handed out for a recipient it does not have");
    } else if (rig->plan.ledger->letters[letter].to[job->recipient].held) {
        flaw(rig, "a recipient is handed out that is held");
    } else {
        rig->handed[letter][job->recipient]++;
        tell_result(rig, job, letter);
    }
    if (job->used)
        forget_job(job);
}

static void hear_end(struct rig *rig, uint32_t number)
{
    struct rig_job *job = job_of(rig, number, false);
    uint32_t letter;

    if (job == NULL)
        return;
    if (!ledger_find(rig->plan.ledger, buffer_bytes(&job->text), &letter)) {
        flaw(rig, "a text is handed out that nobody sent");
        forget_job(job);
        return;
    }
    handed(rig, job, letter);
    for (size_t i = 0; i < RIG_JOBS; i++)
        if (rig->jobs[i].used && rig->jobs[i].with == number)
            handed(rig, &rig->jobs[i], letter);
}

static void hear_as_local(struct rig *rig, struct bytes frame)
{
    struct wire_job_begin begin;
    struct wire_job_part part;
    struct wire_job_end end;
    struct wire_job_also also;
    struct effects fx;

    if (wire_read_job_begin(frame, &begin)) {
        hear_begin(rig, &begin);
    } else if (wire_read_job_also(frame, &also)) {
        hear_also(rig, &also);
    } else if (wire_read_job_part(frame, &part)) {
        struct rig_job *job = job_of(rig, part.job, false);
        if (job != NULL)
            buffer_put(&job->text, part.text);
        wire_tell_credit(rig_tell_begin(&fx), the_local, &(struct wire_credit){
            part.job, (uint32_t)part.text.n });
        rig_tell_end(rig, the_local, &fx);
    } else if (wire_read_job_end(frame, &end)) {
        hear_end(rig, end.job);
    }
}

/* Frames that the store has sent, in order; what they bring about may add more. */
static void hear(struct rig *rig)
{
    while (rig->frames.n > 0) {
        struct buffer all = rig->frames;
        struct reader in = reader_of(buffer_bytes(&all));
        rig->frames = buffer_with_most(64 << 20);
        while (!reader_empty(&in)) {
            enum role_kind to = (enum role_kind)read_u8(&in);
            struct bytes frame = read_block(&in);
            if (to == ROLE_FRONT)
                hear_as_front(rig, frame);
            else if (to == ROLE_LOCAL)
                hear_as_local(rig, frame);
            else
                rig_hear_as_admin(rig, frame);
        }
        buffer_done(&all);
    }
}

/* ---- one thing after another */

static bool take_report(struct rig *rig)
{
    struct lane_report report;

    if (!lanes_report(rig->lanes, &report))
        return false;
    step(rig, (struct event){ .kind = EV_IO, .token = report.token, .fault = report.fault,
                              .number = report.number, .bytes = report.bytes });
    room_free((void *)(uintptr_t)report.bytes.at);
    return true;
}

static uint64_t pick_first(void *ctx, uint64_t n) { return 0; }

/* One operation, of whichever lane. */
static bool operate(struct rig *rig)
{
    enum lane_luck luck = LUCK_GOOD;

    uint64_t first = dice_below(&rig->dice, LIMIT_IO_LANES);

    for (uint64_t i = 0; i < LIMIT_IO_LANES; i++) {
        unsigned lane = (unsigned)((first + i) % LIMIT_IO_LANES);
        const struct io *io = lanes_next(rig->lanes, lane);
        if (io == NULL)
            continue;
        if (rig->plan.before != NULL && !rig->plan.before(rig->plan.ctx, rig, io)) {
            rig->stopped = true;
            return false;
        }
        if ((io->kind == IO_SYNC || io->kind == IO_SYNC_DIR) && ++rig->syncs == rig->plan.fail_at)
            luck = LUCK_FAILS;
        rig->operations++;
        rig->now_us += 100;
        lanes_begin(rig->lanes, lane);
        if (rig->plan.trace) {
            printf("%8" PRIu64 ".%06" PRIu64 " %s", rig->now_us / 1000000, rig->now_us % 1000000,
                   luck == LUCK_GOOD ? "does" : "fails");
            trace_print_io(io);
            putchar('\n');
        }
        (void)lanes_end(rig->lanes, lane, luck, (struct chooser){ pick_first, NULL });
        return true;
    }
    return false;
}

static bool ring(struct rig *rig, uint64_t until_us)
{
    if (rig->alarm_us == 0 || rig->alarm_us > until_us)
        return false;
    if (rig->now_us < rig->alarm_us)
        rig->now_us = rig->alarm_us;
    rig->alarm_us = 0;
    step(rig, (struct event){ .kind = EV_ALARM });
    return true;
}

static void settle(struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->n; i++)
        for (uint32_t k = 0; k < LEDGER_TO; k++)
            if (ledger->letters[i].to[k].lately)
                ledger->letters[i].to[k].settled = true;
}

/* What a life before this one was told may never have been written down. */
static void new_life(struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->n; i++)
        for (uint32_t k = 0; k < LEDGER_TO; k++)
            ledger->letters[i].to[k].lately = false;
}

static bool run(struct rig *rig, uint64_t patience_ms, bool to_opening)
{
    uint64_t until_us = rig->now_us + patience_ms * 1000;

    while (!rig->ended && !rig->stopped && rig->operations < OPERATIONS_MOST) {
        bool some = false;
        if (to_opening && rig->open)
            return true;
        hear(rig);
        while (take_report(rig)) {
            some = true;
            hear(rig);
        }
        step(rig, (struct event){ .kind = EV_TURN });
        hear(rig);
        if (operate(rig) || some || rig->frames.n > 0 || rig->stopped || ring(rig, until_us))
            continue;
        if (lanes_count(rig->lanes) == 0) {
            settle(rig->plan.ledger);
            return true;
        }
    }
    if (rig->operations >= OPERATIONS_MOST)
        flaw(rig, "it never comes to rest");
    return false;
}

bool rig_run(struct rig *rig, uint64_t patience_ms)
{
    return run(rig, patience_ms, false);
}

bool rig_run_to_opening(struct rig *rig, uint64_t patience_ms)
{
    return run(rig, patience_ms, true);
}

static bool ask(struct rig *rig)
{
    struct effects fx;

    rig->asked = true;
    rig->counting = 0;
    wire_tell_queue_ask(rig_tell_begin(&fx), the_admin, &(struct wire_queue_ask){ 1, 0, 1000 });
    rig_tell_end(rig, the_admin, &fx);
    return rig_run(rig, 2000) && !rig->asked;
}

/* Each wait is for the letters that were deferred once, twice, and so on. */
bool rig_drain(struct rig *rig)
{
    static const uint64_t waits_s[] = { 2, 90, 600, 3600, 4 * 3600, 4 * 3600 };

    for (size_t i = 0; i < COUNT(waits_s); i++) {
        if (!rig_run(rig, waits_s[i] * 1000) || !ask(rig))
            return false;
        if (rig->rows == 0)
            return true;
    }
    return false;
}

struct rig *rig_new(const struct rig_plan *plan)
{
    struct rig *rig = room_new(sizeof(*rig));
    static const char secret[32] = "octets that a real start draws.";

    rig->plan = *plan;
    new_life(plan->ledger);
    rig->dice = dice_of(plan->seed, 5);
    rig->lanes = lanes_new(plan->disk);
    rig->now_us = 1000 * (uint64_t)1000 * 1000;
    rig->fx = effects_none();
    rig->frames = buffer_with_most(64 << 20);
    rig->role = rig->plan.store->make(plan->conf, 0);
    if (rig->role == NULL)
        abort();
    step(rig, (struct event){ .kind = EV_START, .bytes = { secret, sizeof(secret) } });
    step(rig, (struct event){ .kind = EV_PEER_UP, .peer = the_front });
    step(rig, (struct event){ .kind = EV_PEER_UP, .peer = the_admin });
    rig_set_local(rig, plan->local);
    return rig;
}

void rig_set_local(struct rig *rig, enum rig_local local)
{
    bool there = local != RIG_AWAY;

    rig->plan.local = local;
    if (there != rig->local_up)
        step(rig, (struct event){ .kind = there ? EV_PEER_UP : EV_PEER_DOWN, .peer = the_local });
    rig->local_up = there;
}

void rig_free(struct rig *rig)
{
    lanes_free(rig->lanes, NULL);
    rig->plan.store->free(rig->role);
    effects_done(&rig->fx);
    buffer_done(&rig->frames);
    for (size_t i = 0; i < RIG_JOBS; i++)
        if (rig->jobs[i].used)
            forget_job(&rig->jobs[i]);
    room_free(rig);
}

bool rig_open(const struct rig *rig) { return rig->open; }
uint64_t rig_operations(const struct rig *rig) { return rig->operations; }
uint64_t rig_syncs(const struct rig *rig) { return rig->syncs; }
uint64_t rig_rows(const struct rig *rig) { return rig->rows; }
unsigned rig_alarms(const struct rig *rig) { return rig->alarms; }
const char *rig_flaw(const struct rig *rig) { return rig->flaw; }

unsigned rig_handed(const struct rig *rig, uint32_t letter, uint32_t recipient)
{
    return rig->handed[letter][recipient];
}

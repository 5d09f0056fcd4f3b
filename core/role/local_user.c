/* SPDX-License-Identifier: ISC
 *
 * role/local_user.c: letters for system users. local asks for a child that already is that user
 * (role user in local.c), hands it the store's frames of one letter as they are, and passes its
 * answer back; then the child ends. The same child says whether there is such a user at all, for
 * the tables of users are read by what is run for a moment, not by what is shut in for good.
 *
 *   FREE -> STARTS -> WORKS -> ENDS -> FREE
 *
 * At most LIMIT_USERS at once, USERS_EACH for one user, so that one whose home does not answer
 * cannot hold up the others. A child that is silent for too long is ended from outside, and its
 * letter tried again: what it did lies under a name that the next attempt finds.
 */
#include "role/local_int.h"

#include "base/reader.h"

#include <string.h>

enum {
    USER_START_MS = 30 * 1000,      /* the system's tables may be on another machine */
    USER_WORK_MS = 5 * 60 * 1000,   /* without a word from either side */
    USER_END_MS = 5 * 1000,
    ERRANDS_MOST = 4 * LIMIT_JOBS,
    HELD_MOST = LOCAL_TEXT_MOST + 128 * 1024,
};

struct errand {
    struct errand *next;
    bool ask;
    uint32_t number;                /* the store's; of a question its token */
    uint64_t letter;
    uint32_t recipient;
    struct user_place *place;       /* NULL: it waits for one */
    struct buffer held;             /* blocks: the store's frames, until the child is there */
    char name[LIMIT_USER_NAME + 1];
};

static const struct role_name to_store = { ROLE_STORE, 0 };

static uint32_t index_of(const struct errands *errands, const struct user_place *place)
{
    return (uint32_t)(place - errands->places);
}

static struct role_name child_of(const struct errands *errands, const struct user_place *place)
{
    return (struct role_name){ ROLE_USER, index_of(errands, place) };
}

/* Out of the list. What its place does now the caller sees to. */
static void errand_free(struct errands *errands, struct errand *errand)
{
    struct errand **at = &errands->list;

    while (*at != errand)
        at = &(*at)->next;
    *at = errand->next;
    errands->n--;
    if (errand->place != NULL)
        errand->place->errand = NULL;
    buffer_done(&errand->held);
    mem_free(errand);
}

static void tell_later(const struct errand *errand, struct status_code code, struct bytes words,
                       struct effects *fx)
{
    if (errand->ask)
        wire_tell_mailbox_is(fx, to_store, &(struct wire_mailbox_is){ errand->number,
                                                                      MAILBOX_UNKNOWN });
    else
        wire_tell_job_result(fx, to_store, &(struct wire_job_result){
            .job = errand->number, .outcome = JOB_LATER, .class = code.class,
            .subject = code.subject, .detail = code.detail, .words = words });
}

/* ---- what comes from the store */

static struct errand *errand_new(struct errands *errands, struct bytes name, struct bytes frame)
{
    struct errand *errand = errands->n < ERRANDS_MOST ? mem_new(sizeof(*errand)) : NULL;
    struct errand **end = &errands->list;

    if (errand == NULL)
        return NULL;
    *errand = (struct errand){ .held = buffer_with_most(HELD_MOST) };
    memcpy(errand->name, name.at, name.n < LIMIT_USER_NAME ? name.n : LIMIT_USER_NAME);
    buffer_put_block(&errand->held, frame);
    if (errand->held.bad) {
        buffer_done(&errand->held);
        mem_free(errand);
        return NULL;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = errand;
    errands->n++;
    return errand;
}

void errands_letter(struct errands *errands, struct bytes name, const struct wire_job_begin *begin,
                    struct bytes frame, struct effects *fx)
{
    struct errand *errand = errand_new(errands, name, frame);
    struct errand nobody = { .number = begin->job };

    if (errand == NULL) {
        tell_later(&nobody, STATUS(4, 3, 2), BYTES("too many deliveries at once, or memory is "
                                                   "short"), fx);
        return;
    }
    errand->number = begin->job;
    errand->letter = begin->letter;
    errand->recipient = begin->recipient;
}

void errands_ask(struct errands *errands, struct bytes name, const struct wire_mailbox_ask *ask,
                 struct bytes frame, struct effects *fx)
{
    struct errand *errand = errand_new(errands, name, frame);
    struct errand nobody = { .ask = true, .number = ask->token };

    if (errand == NULL) {
        tell_later(&nobody, STATUS(4, 3, 2), BYTES_NONE, fx);
        return;
    }
    errand->ask = true;
    errand->number = ask->token;
}

static struct errand *letter_of(const struct errands *errands, uint32_t number)
{
    struct errand *errand = errands->list;

    while (errand != NULL && (errand->ask || errand->number != number))
        errand = errand->next;
    return errand;
}

bool errands_more(struct errands *errands, uint32_t number, struct bytes frame,
                  const struct moment *now, struct effects *fx)
{
    struct errand *errand = letter_of(errands, number);

    if (errand == NULL)
        return false;
    if (errand->place != NULL && errand->place->state == PLACE_WORKS) {
        fx_tell(fx, child_of(errands, errand->place), frame, BYTES_NONE);
        errand->place->due_ms = now->mono_ms + USER_WORK_MS;
        return true;
    }
    buffer_put_block(&errand->held, frame);
    return true;
}

/* Its child is ended from outside; the place is free when its channel is down. */
static void break_off(struct errands *errands, struct user_place *place, struct effects *fx)
{
    if (place->errand != NULL)
        errand_free(errands, place->errand);
    place->state = PLACE_ENDS;
    place->due_ms = 0;
    fx_user(fx, index_of(errands, place), BYTES_NONE);
}

void errands_drop(struct errands *errands, uint32_t number, struct effects *fx)
{
    struct errand *errand = letter_of(errands, number);

    if (errand == NULL)
        return;
    if (errand->place != NULL)
        break_off(errands, errand->place, fx);
    else
        errand_free(errands, errand);
}

void errands_forget(struct errands *errands, bool begun_too, struct effects *fx)
{
    struct errand *next;

    for (struct errand *errand = errands->list; errand != NULL; errand = next) {
        next = errand->next;
        if (errand->place == NULL)
            errand_free(errands, errand);
        else if (begun_too)
            break_off(errands, errand->place, fx);
    }
}

/* ---- children */

static void ends_by_itself(struct user_place *place, const struct moment *now)
{
    place->state = PLACE_ENDS;
    place->due_ms = now->mono_ms + USER_END_MS;
}

static void hand_over(struct errands *errands, struct user_place *place, const struct moment *now,
                      struct effects *fx)
{
    struct buffer *held = &place->errand->held;
    struct reader in = reader_of(fx_keep(fx, buffer_bytes(held)));

    if (held->bad) {
        tell_later(place->errand, STATUS(4, 3, 2), BYTES("memory is short"), fx);
        break_off(errands, place, fx);
        return;
    }
    place->state = PLACE_WORKS;
    place->due_ms = now->mono_ms + USER_WORK_MS;
    while (!reader_empty(&in))
        fx_tell(fx, child_of(errands, place), read_block(&in), BYTES_NONE);
    buffer_done(held);
}

void errands_child(struct errands *errands, uint32_t index, bool up, const struct moment *now,
                   struct effects *fx)
{
    struct user_place *place = index < LIMIT_USERS ? &errands->places[index] : NULL;

    if (place == NULL)
        return;
    if (up && place->state == PLACE_STARTS)
        hand_over(errands, place, now, fx);
    if (up)
        return;
    if (place->errand != NULL) {
        tell_later(place->errand, STATUS(4, 3, 0),
                   BYTES("the process that delivers as this user could not be started, or ended "
                         "before it was done; the letter is tried again"), fx);
        errand_free(errands, place->errand);
    }
    *place = (struct user_place){ .state = PLACE_FREE };
}

static bool pass_result(struct errands *errands, struct user_place *place,
                        const struct wire_job_result *result, const struct moment *now,
                        struct effects *fx)
{
    if (place->errand->ask || result->job != place->errand->number
        || result->outcome < JOB_DELIVERED || result->outcome > JOB_FAILED)
        return false;
    wire_tell_job_result(fx, to_store, result);
    errand_free(errands, place->errand);
    ends_by_itself(place, now);
    return true;
}

bool errands_told(struct errands *errands, uint32_t index, struct bytes frame,
                  const struct moment *now, struct effects *fx)
{
    struct user_place *place = index < LIMIT_USERS ? &errands->places[index] : NULL;
    struct wire_mailbox_is is;
    struct wire_job_result result;
    struct wire_credit credit;
    struct wire_known_ask known;

    if (place == NULL || place->state == PLACE_FREE || place->state == PLACE_STARTS)
        return false;
    if (place->errand == NULL)
        return true;                /* too late: nobody waits for it */
    place->due_ms = now->mono_ms + USER_WORK_MS;
    if (wire_read_job_result(frame, &result))
        return pass_result(errands, place, &result, now, fx);
    if (wire_read_credit(frame, &credit) && !place->errand->ask
        && credit.token == place->errand->number) {
        wire_tell_credit(fx, to_store, &credit);
        return true;
    }
    if (wire_read_known_ask(frame, &known) && !place->errand->ask
        && known.token == place->errand->number) {
        wire_tell_known_ask(fx, to_store, &known);
        return true;
    }
    if (!wire_read_mailbox_is(frame, &is) || !place->errand->ask
        || is.token != place->errand->number || is.verdict > MAILBOX_UNKNOWN)
        return false;
    wire_tell_mailbox_is(fx, to_store, &is);
    errand_free(errands, place->errand);
    ends_by_itself(place, now);
    return true;
}

/* ---- beginning and ending */

/* May it begin beside what is under way? Two attempts of one letter share names in tmp. */
static bool may_begin(const struct errands *errands, const struct errand *errand)
{
    size_t same = 0;

    for (size_t i = 0; i < LIMIT_USERS; i++) {
        const struct user_place *place = &errands->places[i];
        if (place->state == PLACE_FREE
            || !bytes_equal(bytes_of(place->name), bytes_of(errand->name)))
            continue;
        same++;
        if (!errand->ask && place->letter == errand->letter
            && place->recipient == errand->recipient)
            return false;
    }
    return same < USERS_EACH;
}

static void begin(struct errands *errands, struct user_place *place, struct errand *errand,
                  const struct moment *now, struct effects *fx)
{
    *place = (struct user_place){
        .state = PLACE_STARTS, .errand = errand, .letter = errand->letter,
        .recipient = errand->recipient, .due_ms = now->mono_ms + USER_START_MS };
    memcpy(place->name, errand->name, sizeof(place->name));
    errand->place = place;
    fx_user(fx, index_of(errands, place), bytes_of(place->name));
}

static struct user_place *free_place(struct errands *errands)
{
    for (size_t i = 0; i < LIMIT_USERS; i++)
        if (errands->places[i].state == PLACE_FREE)
            return &errands->places[i];
    return NULL;
}

static void end_late(struct errands *errands, struct user_place *place, struct effects *fx)
{
    if (place->errand != NULL)
        tell_later(place->errand, STATUS(4, 3, 2),
                   BYTES("the user's home does not answer; the letter is tried again"), fx);
    break_off(errands, place, fx);
}

void errands_go(struct errands *errands, const struct moment *now, struct effects *fx)
{
    struct user_place *place;

    for (size_t i = 0; i < LIMIT_USERS; i++) {
        place = &errands->places[i];
        if (place->state != PLACE_FREE && place->due_ms != 0 && place->due_ms <= now->mono_ms)
            end_late(errands, place, fx);
    }
    for (struct errand *errand = errands->list; errand != NULL; errand = errand->next)
        if (errand->place == NULL && may_begin(errands, errand)
            && (place = free_place(errands)) != NULL)
            begin(errands, place, errand, now, fx);
}

uint64_t errands_due(const struct errands *errands)
{
    uint64_t due = 0;

    for (size_t i = 0; i < LIMIT_USERS; i++) {
        const struct user_place *place = &errands->places[i];
        if (place->state != PLACE_FREE && place->due_ms != 0
            && (due == 0 || place->due_ms < due))
            due = place->due_ms;
    }
    return due;
}

void errands_done(struct errands *errands)
{
    while (errands->list != NULL)
        errand_free(errands, errands->list);
}

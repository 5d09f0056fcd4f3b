/* SPDX-License-Identifier: ISC
 *
 * role/relay_ask.c: is that mailbox there? The server that keeps it is asked by RCPT, without a
 * letter; what it said is remembered for the times when it cannot be asked.
 */
#include "role/relay_int.h"

#include "base/hash.h"

static const struct role_name to_store = { ROLE_STORE, 0 };

static void answer(struct relay *relay, uint32_t token, enum mailbox_is verdict)
{
    wire_tell_mailbox_is(relay->fx, to_store,
                         &(struct wire_mailbox_is){ token, (uint8_t)verdict });
}

/* The server cannot say now. Who was there before may get letters, which wait here; of others it
   is not known, so that no letter is taken that would come back. */
static enum mailbox_is guess(const struct relay *relay, struct bytes address)
{
    uint64_t hash = siphash(relay->key, address);

    return relay->known[hash % RELAY_KNOWN] == hash ? MAILBOX_YES : MAILBOX_UNKNOWN;
}

static void learn(struct relay *relay, struct bytes address, enum mailbox_is verdict)
{
    uint64_t hash = siphash(relay->key, address), *place = &relay->known[hash % RELAY_KNOWN];

    if (verdict == MAILBOX_YES)
        *place = hash;
    else if (verdict == MAILBOX_NO && *place == hash)
        *place = 0;
}

/* A full mailbox is there. "No" is only what the server says of the address itself. */
static enum mailbox_is verdict_of(const struct client_result *result)
{
    if (result->outcome == CLIENT_TAKEN || result->code.subject == 2)
        return MAILBOX_YES;
    if (result->outcome == CLIENT_FAILED
        && (result->code.subject == 1 || result->code.subject == 0))
        return MAILBOX_NO;
    return MAILBOX_UNKNOWN;
}

void relay_ask_result(struct relay *relay, struct relay_job *job,
                      const struct client_result *result)
{
    enum mailbox_is verdict = verdict_of(result);

    learn(relay, job->to[0].address, verdict);
    answer(relay, job->rcpts[0].number,
           verdict == MAILBOX_UNKNOWN ? guess(relay, job->to[0].address) : verdict);
}

void relay_ask_guess(struct relay *relay, struct relay_job *job)
{
    job->rcpts[0].told = true;
    job->left = 0;
    answer(relay, job->rcpts[0].number, guess(relay, job->to[0].address));
}

static struct relay_job *begin(struct relay *relay, struct place *place,
                               const struct wire_mailbox_ask *ask)
{
    struct relay_job *job = relay->asks < RELAY_ASKS ? relay_job_new(relay, place) : NULL;
    struct buffer entry = buffer_with_most(RECIPIENT_MOST);

    recipient_put(&entry, &(struct recipient){ .address = ask->address });
    if (job != NULL) {
        relay->asks++;
        place->letters--;
        relay->letters--;
        job->ask = true;
        if (entry.bad || !relay_job_add(job, &(struct relay_rcpt){ .number = ask->token },
                                        buffer_bytes(&entry))) {
            relay_job_free(relay, job);
            job = NULL;
        }
    }
    buffer_done(&entry);
    return job;
}

void relay_ask(struct relay *relay, const struct wire_mailbox_ask *ask)
{
    struct conf_route route = { 0 };
    enum route_place where = routes_place(relay->routes, ask->address, &route);
    struct place *place = where == ROUTE_LMTP ? relay_place_ours(relay, &route) : NULL;

    if (place == NULL) {        /* the store asks for our domains alone: memory is short */
        answer(relay, ask->token, MAILBOX_UNKNOWN);
        return;
    }
    if (place->rests_until_ms > relay->now.mono_ms || relay_is_stalled(relay, place)) {
        answer(relay, ask->token, guess(relay, ask->address));
        return;
    }
    struct relay_job *job = begin(relay, place, ask);
    if (job == NULL) {
        answer(relay, ask->token, MAILBOX_UNKNOWN);
        return;
    }
    for (size_t i = 0; i < ask->address.n; i++)
        job->smtputf8 = job->smtputf8 || octet(ask->address.at[i]) > 127;
    relay_place_turn(relay, place);
}

/* SPDX-License-Identifier: ISC
 *
 * role/relay_held.c: destinations that are suspended, as the store says. A name is a recipient's
 * domain, whatever way its mail goes, or a destination's own name. Text that is on its way to a
 * server already goes on; nothing else does.
 */
#include "role/relay_int.h"

#include "mail/domain.h"

#include <string.h>

static struct relay_held *find(struct relay *relay, struct bytes name)
{
    for (size_t i = 0; i < relay->held_n; i++)
        if (bytes_equal_nocase(relay->held[i].name, name))
            return &relay->held[i];
    return NULL;
}

static struct relay_held *by_domain(struct relay *relay, struct bytes address)
{
    size_t at = bytes_find_last(address, '@');
    struct bytes domain = bytes_skip(address, at + 1);
    struct buffer name = buffer_with_most(LIMIT_PATH);
    struct relay_held *held = NULL;

    if (at < address.n && bytes_begins(domain, BYTES("[")))
        held = find(relay, domain);
    else if (at < address.n && domain_to_ascii(domain, &name) && !name.bad)
        held = find(relay, buffer_bytes(&name));
    buffer_done(&name);
    return held;
}

bool relay_is_held(struct relay *relay, const struct place *place, struct bytes address,
                   struct bytes *ret_words)
{
    struct relay_held *held = relay->held_n == 0 ? NULL : find(relay, place->name);
    struct buffer *words = fx_draft(relay->fx);

    if (held == NULL && relay->held_n > 0)
        held = by_domain(relay, address);
    if (held == NULL)
        return false;
    buffer_put_text(words, "mail for ");
    buffer_put(words, held->name);
    buffer_put_text(words, held->reason.n > 0 ? " is suspended here: " : " is suspended here");
    buffer_put(words, held->reason);
    *ret_words = fx_keep(relay->fx, buffer_bytes(words));
    return true;
}

/* Those of its recipients that are suspended go back to the store. */
static void give_back(struct relay *relay, struct relay_job *job)
{
    for (size_t i = 0; i < job->n; i++) {
        struct bytes words;
        if (job->rcpts[i].told || !relay_is_held(relay, job->place, job->to[i].address, &words))
            continue;
        job->rcpts[i].told = true;
        job->left--;
        relay_tell(relay, job->rcpts[i].number, JOB_WAITS, STATUS(4, 3, 2), words);
    }
    if (job->left == 0)
        relay_job_free(relay, job);
}

static void give_all_back(struct relay *relay)
{
    for (struct place *place = relay->busy; place != NULL; place = place->next_busy) {
        struct relay_job *next;
        for (struct relay_job *job = place->jobs; job != NULL; job = next) {
            next = job->next;
            if (!job->ask && job->link == NULL && job->left > 0)
                give_back(relay, job);
        }
    }
}

static void add(struct relay *relay, struct bytes name, struct bytes reason)
{
    char *kept = relay->held_n == RELAY_HELD ? NULL : mem_new(name.n + reason.n + 1);

    if (kept == NULL) {             /* the next relay is told of all of them anew */
        relay->fx->bad = true;
        return;
    }
    memcpy(kept, name.at, name.n);
    if (reason.n > 0)
        memcpy(kept + name.n, reason.at, reason.n);
    relay->held[relay->held_n++] = (struct relay_held){
        .name = { kept, name.n }, .reason = { kept + name.n, reason.n }, .kept = kept };
}

void relay_hold(struct relay *relay, const struct wire_destination_hold *hold)
{
    struct relay_held *held = find(relay, hold->destination);

    if (held != NULL) {
        mem_free(held->kept);
        *held = relay->held[--relay->held_n];
    }
    if (hold->on == 0 || hold->destination.n == 0)
        return;
    add(relay, hold->destination, bytes_first(hold->reason, LIMIT_PATH));
    give_all_back(relay);
}

void relay_held_done(struct relay *relay)
{
    for (size_t i = 0; i < relay->held_n; i++)
        mem_free(relay->held[i].kept);
    relay->held_n = 0;
}

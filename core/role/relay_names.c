/* SPDX-License-Identifier: ISC
 *
 * role/relay_names.c: questions to the role names. Each has one answer, sooner or later; when the
 * role dies, all have failed.
 */
#include "role/relay_told_int.h"

enum { TURN_SHIFT = 16 };

static const struct role_name to_names = { ROLE_NAMES, 0 };

static const uint16_t types[] = {
    [ASK_MX] = DNS_MX, [ASK_A] = DNS_A, [ASK_AAAA] = DNS_AAAA, [ASK_TLSA] = DNS_TLSA,
    [ASK_TLSA_ALIAS] = DNS_TLSA,
    [ASK_STS] = DNS_TXT, [ASK_REPORT] = DNS_TXT,
};

static struct question *free_question(struct relay *relay)
{
    for (size_t i = 0; i < RELAY_QUESTIONS; i++)
        if (!relay->questions[i].waits)
            return &relay->questions[i];
    return NULL;
}

/* `asked` without its turn. False: not now. */
static bool ask(struct relay *relay, struct question asked, struct bytes name)
{
    struct question *question = relay->names ? free_question(relay) : NULL;

    if (question == NULL || !dns_name_is_plain(name))
        return false;
    asked.waits = true;
    asked.turn = (uint16_t)(question->turn + 1);
    *question = asked;
    wire_tell_name_ask(relay->fx, to_names, &(struct wire_name_ask){
        .token = (uint32_t)(question - relay->questions) | (uint32_t)question->turn << TURN_SHIFT,
        .type = types[asked.kind], .name = fx_keep(relay->fx, name) });
    return true;
}

bool relay_names_ask(struct relay *relay, struct place *place, enum question_kind kind,
                     size_t host, struct bytes name)
{
    if (!ask(relay, (struct question){ .kind = (uint8_t)kind, .host = (uint8_t)host,
                                       .place = place, .age = place->dest->age }, name))
        return false;
    place->questions++;
    place->asked_ms = relay->now.mono_ms;
    return true;
}

bool relay_names_ask_report(struct relay *relay, uint32_t token, struct bytes name)
{
    return ask(relay, (struct question){ .kind = ASK_REPORT, .token = token }, name);
}

static void answer(struct relay *relay, struct question *question, const struct dns_answer *said)
{
    struct question asked = *question;

    question->waits = false;
    question->place = NULL;
    if (asked.place == NULL) {
        relay_tlsrpt_record(relay, asked.token, said);
        return;
    }
    asked.place->questions--;
    dest_answer(relay, &asked, said);
}

static const struct dns_answer nothing = { .verdict = DNS_FAILED };

void relay_names_is(struct relay *relay, const struct wire_name_is *is)
{
    uint32_t at = is->token & ((1 << TURN_SHIFT) - 1);
    struct dns_answer said;

    if (at >= RELAY_QUESTIONS || !relay->questions[at].waits
        || relay->questions[at].turn != is->token >> TURN_SHIFT)
        return;
    answer(relay, &relay->questions[at],
           dns_answer_read(is->answer, &said) ? &said : &nothing);
}

void relay_names_peer(struct relay *relay, bool up)
{
    relay->names = up;
    for (size_t i = 0; i < RELAY_QUESTIONS && !up; i++)
        if (relay->questions[i].waits)
            answer(relay, &relay->questions[i], &nothing);
}

/* SPDX-License-Identifier: ISC
 *
 * role/names.c: the role that asks the DNS. The world under it resolves and validates; here the
 * questions are bounded, each has an answer within its time, and what comes back is held to its
 * form before it is told.
 */
#include "base/arena.h"
#include "base/log.h"
#include "dns/answer.h"
#include "role/role.h"
#include "role/wire.h"

#include <string.h>

enum {
    NAMES_ASKS = 4096,              /* under way; more are answered "failed" at once */
    NAMES_PATIENCE_MS = 20 * 1000,
};

/* The token of a question: its place, and a number that another question there will not have. */
struct question {
    bool waits;
    uint32_t number;
    uint32_t token;                 /* of who asked */
    struct role_name asker;
    uint64_t due_ms;
};

struct names {
    struct question questions[NAMES_ASKS];
    size_t n;                       /* of those that wait */
    uint32_t next;                  /* where a free place is sought first */
    uint64_t alarm_ms;
    struct moment now;
    struct effects *fx;
};

static void tell(struct names *names, struct role_name asker, uint32_t token, struct bytes answer)
{
    wire_tell_name_is(names->fx, asker, &(struct wire_name_is){ token, answer });
}

static void tell_failed(struct names *names, struct role_name asker, uint32_t token)
{
    struct buffer *text = fx_draft(names->fx);

    dns_answer_put(text, &(struct dns_answer){ .verdict = DNS_FAILED, .canonical = BYTES_NONE,
                                               .records = BYTES_NONE });
    tell(names, asker, token, fx_keep(names->fx, buffer_bytes(text)));
}

static void log_event(struct names *names, enum log_level level, const char *event, uint64_t count)
{
    struct buffer *line = fx_draft(names->fx);

    log_begin(line, event);
    log_uint(line, "questions", count);
    fx_log(names->fx, level, fx_keep(names->fx, buffer_bytes(line)));
}

/* ---- questions */

static struct question *free_place(struct names *names)
{
    for (uint32_t i = 0; i < NAMES_ASKS; i++) {
        uint32_t at = (names->next + i) % NAMES_ASKS;
        if (!names->questions[at].waits) {
            names->next = (at + 1) % NAMES_ASKS;
            return &names->questions[at];
        }
    }
    return NULL;
}

static bool is_asked_for(uint16_t type)
{
    return type == DNS_A || type == DNS_AAAA || type == DNS_MX || type == DNS_TLSA
        || type == DNS_TXT || type == DNS_CNAME || type == DNS_PTR;
}

static void ask(struct names *names, struct role_name asker, const struct wire_name_ask *wanted)
{
    struct question *question = free_place(names);

    if (question == NULL || !is_asked_for(wanted->type) || !dns_name_is_plain(wanted->name)) {
        if (question == NULL)
            log_event(names, LOG_WARN, "too-many-questions", names->n);
        tell_failed(names, asker, wanted->token);
        return;
    }
    question->waits = true;
    question->number++;
    question->token = wanted->token;
    question->asker = asker;
    question->due_ms = names->now.mono_ms + NAMES_PATIENCE_MS;
    names->n++;
    uint64_t place = (uint64_t)(question - names->questions);
    fx_resolve(names->fx, place << 32 | question->number, wanted->type, wanted->name);
}

static void end(struct names *names, struct question *question)
{
    question->waits = false;
    names->n--;
}

/* ---- events */

static void on_told(struct names *names, const struct event *event)
{
    struct wire_name_ask wanted;

    if (wire_read_name_ask(event->bytes, &wanted))
        ask(names, event->peer, &wanted);
    else
        log_event(names, LOG_ERROR, "bad-frame", names->n);
}

/* What comes for a question that was given up, or for nobody, is forgotten. */
static void on_resolved(struct names *names, const struct event *event)
{
    uint64_t place = event->token >> 32;
    struct dns_answer answer;

    if (place >= NAMES_ASKS)
        return;
    struct question *question = &names->questions[place];
    if (!question->waits || question->number != (uint32_t)event->token)
        return;
    end(names, question);
    if (dns_answer_read(event->bytes, &answer))
        tell(names, question->asker, question->token, event->bytes);
    else
        tell_failed(names, question->asker, question->token);
}

static void on_alarm(struct names *names)
{
    uint64_t late = 0;

    for (size_t i = 0; i < NAMES_ASKS; i++) {
        struct question *question = &names->questions[i];
        if (!question->waits || question->due_ms > names->now.mono_ms)
            continue;
        end(names, question);
        tell_failed(names, question->asker, question->token);
        late++;
    }
    if (late > 0)
        log_event(names, LOG_INFO, "no-answer-in-time", late);
}

static void on_peer_down(struct names *names, struct role_name peer)
{
    for (size_t i = 0; i < NAMES_ASKS; i++) {
        struct question *question = &names->questions[i];
        if (question->waits && question->asker.kind == peer.kind
            && question->asker.index == peer.index)
            end(names, question);
    }
}

static void set_alarm(struct names *names)
{
    uint64_t due = 0;

    if (names->alarm_ms != 0 || names->n == 0)      /* one that rings too early is set again */
        return;
    for (size_t i = 0; i < NAMES_ASKS; i++)
        if (names->questions[i].waits && (due == 0 || names->questions[i].due_ms < due))
            due = names->questions[i].due_ms;
    names->alarm_ms = due;
    fx_alarm(names->fx, due);
}

static void names_step(void *role, const struct event *event, struct effects *fx)
{
    struct names *names = role;

    names->now = event->now;
    names->fx = fx;
    switch (event->kind) {
    case EV_TOLD: on_told(names, event); break;
    case EV_RESOLVED: on_resolved(names, event); break;
    case EV_PEER_DOWN: on_peer_down(names, event->peer); break;
    case EV_ALARM:
        names->alarm_ms = 0;
        on_alarm(names);
        break;
    case EV_STOP: fx_exit(fx, 0); break;
    case EV_START: case EV_ACCEPT: case EV_BYTES: case EV_END: case EV_CLOSED: case EV_DRAINED:
    case EV_PEER_UP: case EV_IO: case EV_TURN: case EV_RELOAD: case EV_CONNECTED: case EV_ASKED:
    case EV_CHILD: case EV_FETCHED:
        break;
    }
    set_alarm(names);
    names->fx = NULL;
}

static void *names_make(const struct conf *conf, uint32_t index)
{
    (void)conf;
    (void)index;
    return mem_new(sizeof(struct names));
}

static void names_free(void *role)
{
    mem_free(role);
}

const struct role_ops names_ops = { "names", names_make, names_step, names_free };

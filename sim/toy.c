/* SPDX-License-Identifier: ISC */
#include "sim/toy.h"

#include "base/reader.h"
#include "role/wire.h"

enum { TOY_LETTERS = 4096 };

struct toy_letter {
    struct role_name front;
    uint32_t token;
    bool binary, used;
    struct buffer head, to, text;
    size_t sent;
    uint32_t recipients, done;      /* delivered one after another */
    bool begun, ended;              /* the delivery under way */
    uint64_t credit;
};

struct toy {
    struct toy_letter letters[TOY_LETTERS];
    size_t n;
    bool local_up;
};

static const struct role_name to_local = { ROLE_LOCAL, 0 };

static void *toy_make(const struct conf *conf, uint32_t index)
{
    return mem_new(sizeof(struct toy));
}

static void toy_free(void *role)
{
    struct toy *toy = role;

    for (size_t i = 0; i < toy->n; i++) {
        buffer_done(&toy->letters[i].head);
        buffer_done(&toy->letters[i].to);
        buffer_done(&toy->letters[i].text);
    }
    mem_free(toy);
}

static struct toy_letter *new_letter(struct toy *toy, struct role_name front, uint32_t token)
{
    struct toy_letter *letter = &toy->letters[toy->n++ % TOY_LETTERS];

    *letter = (struct toy_letter){
        .front = front, .token = token, .used = true, .head = buffer_with_most(1 << 20),
        .to = buffer_with_most(1 << 20), .text = buffer_with_most(64 << 20) };
    return letter;
}

static struct toy_letter *find(struct toy *toy, struct role_name front, uint32_t token)
{
    for (size_t i = toy->n; i-- > 0;)
        if (toy->letters[i].used && toy->letters[i].token == token
            && toy->letters[i].front.index == front.index)
            return &toy->letters[i];
    return NULL;
}

/* The recipient that is next, as local wants it. */
static struct bytes entry(const struct toy_letter *letter)
{
    struct reader in = reader_of(buffer_bytes(&letter->to));
    struct bytes text = BYTES_NONE;

    for (uint32_t i = 0; i <= letter->done; i++)
        text = read_block(&in);
    return text;
}

static void pump(struct toy *toy, struct effects *fx)
{
    for (size_t i = 0; i < toy->n && toy->local_up; i++) {
        struct toy_letter *letter = &toy->letters[i];
        struct bytes text = buffer_bytes(&letter->text);
        if (letter->used || letter->done == letter->recipients)
            continue;
        if (!letter->begun) {
            letter->begun = true;
            letter->ended = false;
            letter->sent = 0;
            letter->credit = LIMIT_LETTER_CREDIT;
            wire_tell_job_begin(fx, to_local, &(struct wire_job_begin){
                .job = (uint32_t)i, .letter = i + 1, .recipient = letter->done, .attempt = 1,
                .binary = letter->binary, .size = text.n, .head = buffer_bytes(&letter->head),
                .to = entry(letter) });
        }
        while (letter->sent < text.n && letter->credit > WIRE_TAIL_MOST) {
            struct bytes part = bytes_first(bytes_skip(text, letter->sent), WIRE_TAIL_MOST);
            letter->sent += part.n;
            letter->credit -= part.n;
            wire_tell_job_part(fx, to_local, &(struct wire_job_part){ (uint32_t)i, part });
        }
        if (letter->sent == text.n && !letter->ended) {
            letter->ended = true;
            wire_tell_job_end(fx, to_local, &(struct wire_job_end){ (uint32_t)i });
        }
    }
}

static void taken(struct toy_letter *letter, uint64_t id, struct effects *fx)
{
    struct reader in = reader_of(buffer_bytes(&letter->to));

    while (!reader_empty(&in) && reader_ok(&in)) {
        (void)read_block(&in);
        letter->recipients++;
    }
    letter->used = false;
    wire_tell_letter_taken(fx, letter->front, &(struct wire_letter_taken){ letter->token, id });
}

static void on_letter(struct toy *toy, const struct event *event, struct effects *fx)
{
    struct wire_letter whole;
    struct wire_letter_begin begin;
    struct wire_letter_to to;
    struct wire_letter_part part;
    struct wire_letter_end end;
    struct wire_letter_drop drop;
    struct toy_letter *letter;

    if (wire_read_letter(event->bytes, &whole)) {
        letter = new_letter(toy, event->peer, whole.token);
        letter->binary = whole.binary != 0;
        buffer_put(&letter->head, whole.head);
        buffer_put(&letter->to, whole.to);
        buffer_put(&letter->text, whole.text);
        taken(letter, toy->n, fx);
    } else if (wire_read_letter_begin(event->bytes, &begin)) {
        new_letter(toy, event->peer, begin.token)->binary = begin.binary != 0;
    } else if (wire_read_letter_to(event->bytes, &to)) {
        if ((letter = find(toy, event->peer, to.token)) != NULL)
            buffer_put(&letter->to, to.to);
    } else if (wire_read_letter_part(event->bytes, &part)) {
        if ((letter = find(toy, event->peer, part.token)) != NULL)
            buffer_put(&letter->text, part.text);
        wire_tell_credit(fx, event->peer, &(struct wire_credit){
            part.token, (uint32_t)part.text.n });
    } else if (wire_read_letter_end(event->bytes, &end)) {
        if ((letter = find(toy, event->peer, end.token)) != NULL) {
            buffer_put(&letter->head, end.head);
            taken(letter, (uint64_t)(letter - toy->letters) + 1, fx);
        }
    } else if (wire_read_letter_drop(event->bytes, &drop)) {
        if ((letter = find(toy, event->peer, drop.token)) != NULL)
            letter->used = false;
    }
}

static void on_local(struct toy *toy, const struct event *event, struct effects *fx)
{
    struct wire_mailbox_is is;
    struct wire_credit credit;
    struct wire_job_result result;

    if (wire_read_mailbox_is(event->bytes, &is)) {
        /* the upper half of the token is the front's number */
        wire_tell_mailbox_is(fx, (struct role_name){ ROLE_FRONT, is.token >> 24 },
                             &(struct wire_mailbox_is){ is.token & 0xffffff, is.verdict });
    } else if (wire_read_credit(event->bytes, &credit)) {
        toy->letters[credit.token].credit += credit.octets;
    } else if (wire_read_job_result(event->bytes, &result)) {
        toy->letters[result.job].begun = false;
        toy->letters[result.job].done += result.outcome != JOB_LATER;
    }
}

static void on_ask(struct toy *toy, const struct event *event, struct effects *fx)
{
    struct wire_mailbox_ask ask;
    struct wire_queue_ask queue;

    if (wire_read_mailbox_ask(event->bytes, &ask)) {
        ask.token |= event->peer.index << 24;
        wire_tell_mailbox_ask(fx, to_local, &ask);
    } else if (wire_read_queue_ask(event->bytes, &queue)) {
        for (size_t i = 0; i < toy->n; i++)
            if (toy->letters[i].done < toy->letters[i].recipients)
                wire_tell_queue_row(fx, event->peer, &(struct wire_queue_row){
                    .token = queue.token, .letter = i + 1, .head = BYTES_NONE, .to = BYTES_NONE,
                    .note = BYTES_NONE });
        wire_tell_answer_end(fx, event->peer, &(struct wire_answer_end){ queue.token, 0 });
    }
}

static void toy_step(void *role, const struct event *event, struct effects *fx)
{
    struct toy *toy = role;

    if (event->kind == EV_PEER_UP
        && (event->peer.kind == ROLE_FRONT || event->peer.kind == ROLE_ADMIN))
        wire_tell_store_state(fx, event->peer, &(struct wire_store_state){ STORE_OPEN });
    if ((event->kind == EV_PEER_UP || event->kind == EV_PEER_DOWN)
        && event->peer.kind == ROLE_LOCAL) {
        toy->local_up = event->kind == EV_PEER_UP;
        for (size_t i = 0; i < toy->n; i++)
            toy->letters[i].begun = false;
    }
    if (event->kind == EV_TOLD && event->peer.kind == ROLE_LOCAL)
        on_local(toy, event, fx);
    else if (event->kind == EV_TOLD) {
        on_letter(toy, event, fx);
        on_ask(toy, event, fx);
    }
    pump(toy, fx);
}

const struct role_ops toy_store_ops = {
    .name = "toy-store", .make = toy_make, .step = toy_step, .free = toy_free,
};

/* SPDX-License-Identifier: ISC */
#include "role/once_send_int.h"

#include "base/safe.h"

#include <assert.h>

enum { IN_MOST = 4 * 1024 * 1024, WHY_MOST = 4096, MEMORY_MOST = 4 * 1024 * 1024 };

struct sender *sender_new(const struct send_means *means)
{
    struct sender *sender = mem_new(sizeof(*sender));

    if (sender == NULL)
        return NULL;
    sender->means = means;
    sender->order = means->order;
    sender->answer = answer_new();
    sender->reply = buffer_with_most(SEND_REPLY_MOST);
    sender->in = buffer_with_most(IN_MOST);
    sender->out = buffer_with_most(2u * SEND_TEXT_MOST + SEND_LINE_MOST);
    sender->why = buffer_with_most(WHY_MOST);
    sender->show = buffer_with_most(SEND_SHOW_MOST);
    sender->raw = buffer_with_most(SEND_TEXT_MOST);
    sender->tls_line = buffer_with_most(WHY_MOST);
    sender->memory = arena_with_ceiling(MEMORY_MOST);
    for (size_t i = 0; i < SEND_SECRETS; i++)
        sender->secrets[i] = buffer_with_most(4 * SEND_SECRET_MOST + SEND_LINE_MOST);
    send_know_secrets(sender);
    sender->json = json_to(&sender->show);
    return sender;
}

void sender_free(struct sender *sender)
{
    if (sender == NULL)
        return;
    for (size_t i = 0; i < SEND_SECRETS; i++) {
        if (sender->secrets[i].room > 0)
            mem_wipe(sender->secrets[i].at, sender->secrets[i].room);
        buffer_done(&sender->secrets[i]);
    }
    bounce_reader_free(sender->reader);
    rules_free(sender->rules);
    answer_done(&sender->answer);
    buffer_done(&sender->reply);
    buffer_done(&sender->in);
    buffer_done(&sender->out);
    buffer_done(&sender->why);
    buffer_done(&sender->show);
    buffer_done(&sender->raw);
    buffer_done(&sender->tls_line);
    arena_done(&sender->memory);
    mem_free(sender);
}

/* ---- out */

void send_expect(struct sender *sender, enum send_about about, size_t recipient)
{
    size_t at = (sender->expects_at + sender->expects_n) % SEND_EXPECTS;

    assert(sender->expects_n < SEND_EXPECTS);
    sender->expects[at] = (struct send_expect){ about, recipient, sender->now_us };
    sender->expects_n++;
}

void send_put_line(struct sender *sender, struct bytes line, struct bytes shown)
{
    buffer_put(&sender->out, line);
    buffer_put(&sender->out, BYTES("\r\n"));
    send_show_said(sender, shown);
}

void send_say(struct sender *sender, struct bytes line, enum send_about about, size_t recipient)
{
    send_put_line(sender, line, line);
    send_expect(sender, about, recipient);
}

struct bytes sender_output(const struct sender *sender) { return buffer_bytes(&sender->out); }

void sender_sent(struct sender *sender, uint64_t now_us)
{
    buffer_shrink(&sender->out, SEND_LINE_MOST);
    sender->now_us = sender->patient_from_us = now_us;
}

void send_begin_clock(struct sender *sender, uint64_t began_us)
{
    if (!sender->begun)
        sender->began_us = sender->now_us = began_us;
    sender->begun = true;
}

/* ---- how it ends */

int send_status_of(unsigned code)
{
    switch (code / 100) {
    case 2: case 3: return ONCE_WELL;
    case 4: return ONCE_NOT_NOW;
    case 5: return ONCE_UNAVAILABLE;
    }
    return ONCE_PROTOCOL;
}

void send_fail(struct sender *sender, int status, const char *words)
{
    if (sender->status == 0)
        sender->status = status;
    if (sender->why.n == 0)
        buffer_put_text(&sender->why, words);
    if (words[0] != '\0') {
        send_show_note(sender, bytes_of(words), 0);
        send_result_all(sender, status == ONCE_NOT_NOW ? OUTCOME_LATER : OUTCOME_NONE,
                        bytes_of(words));
    }
    sender->place = sender->connected ? PLACE_QUIT : PLACE_OVER;
}

/* Nothing more can be said here. */
static void give_up(struct sender *sender)
{
    sender->place = PLACE_OVER;
    sender->expects_n = 0;
    sender->wants_tls = false;
    buffer_clear(&sender->out);
    buffer_clear(&sender->in);
}

void send_fail_as_said(struct sender *sender)
{
    unsigned code = sender->answer.code;

    send_result_all(sender, code / 100 == 4 ? OUTCOME_LATER : OUTCOME_REFUSED,
                    buffer_bytes(&sender->reply));
    send_fail(sender, code / 100 <= 3 ? ONCE_PROTOCOL : send_status_of(code), "");
}

void sender_lost(struct sender *sender, uint64_t now_us, int status, struct bytes words)
{
    struct buffer line = buffer_with_most(WHY_MOST);
    bool window = sender->text_over && !sender->mail_refused && sender->expects_n > 0;

    send_begin_clock(sender, now_us);
    sender->now_us = now_us;
    sender->connected = false;
    if (sender->place != PLACE_OVER
        && !(sender->place == PLACE_SCRIPT && send_script_lost(sender))) {
        safe_put_plain(&line, words);
        if (window)
            buffer_put(&line, BYTES("; whether the letter was taken nobody can tell"));
        buffer_put_char(&line, '\0');
        send_fail(sender, status, line.bad ? "the connection is gone" : line.at);
    }
    give_up(sender);
    buffer_done(&line);
}

bool sender_may_go_on(const struct sender *sender)
{
    return sender->status != 0 && !sender->envelope && sender->order->script.n == 0
        && sender->raw_said == 0;
}

/* ---- in */

/* Nothing is known of this server yet, and nothing was said. */
static void begin_anew(struct sender *sender, const struct send_peer *peer, uint64_t began_us,
                       uint64_t now_us)
{
    send_begin_clock(sender, began_us);
    answer_done(&sender->answer);
    sender->answer = answer_new();
    buffer_clear(&sender->in);
    buffer_clear(&sender->out);
    buffer_clear(&sender->reply);
    buffer_clear(&sender->why);
    buffer_clear(&sender->tls_line);
    memset(sender->results, 0, sizeof(sender->results));
    sender->peer = *peer;
    sender->now_us = sender->patient_from_us = now_us;
    sender->spoke = sender->secure = sender->proved = sender->signed_in = false;
    sender->extensions = 0;
    sender->expects_n = sender->rcpt_said = 0;
    sender->status = 0;
    sender->script.said_us = now_us;
    sender->place = PLACE_BEGIN;
}

void sender_unreached(struct sender *sender, const struct send_peer *peer, uint64_t began_us,
                      uint64_t now_us, struct bytes words)
{
    struct buffer line = buffer_with_most(WHY_MOST);

    begin_anew(sender, peer, began_us, now_us);
    send_put_peer(&line, peer);
    buffer_put(&line, BYTES(": "));
    safe_put_plain(&line, words);
    send_show_note(sender, buffer_bytes(&line), now_us - began_us);
    send_result_all(sender, OUTCOME_LATER, buffer_bytes(&line));
    buffer_put(&sender->why, buffer_bytes(&line));
    sender->status = ONCE_NOT_NOW;
    sender->place = PLACE_OVER;
    buffer_done(&line);
}

void sender_connected(struct sender *sender, const struct send_peer *peer, uint64_t began_us,
                      uint64_t now_us)
{
    struct buffer line = buffer_with_most(WHY_MOST);

    begin_anew(sender, peer, began_us, now_us);
    sender->connected = sender->spoke = true;
    buffer_put(&line, BYTES("connected to "));
    send_put_peer(&line, peer);
    send_show_note(sender, buffer_bytes(&line), now_us - began_us);
    buffer_done(&line);
}

void sender_input(struct sender *sender, struct bytes octets)
{
    buffer_put(&sender->in, octets);
}

static void dispatch(struct sender *sender, struct send_expect expect)
{
    switch (expect.about) {
    case ABOUT_GREETING: case ABOUT_HELLO: case ABOUT_HELO: case ABOUT_STARTTLS:
    case ABOUT_AUTH:
        send_on_hello(sender, expect.about);
        break;
    case ABOUT_RAW:
        if (sender->answer.code >= 400 && sender->status != ONCE_UNAVAILABLE)
            sender->status = send_status_of(sender->answer.code);
        break;
    case ABOUT_MAIL: case ABOUT_RCPT: case ABOUT_DATA: case ABOUT_CHUNK: case ABOUT_END:
        send_on_mail(sender, expect);
        break;
    case ABOUT_SCRIPT:
        send_on_script(sender);
        break;
    case ABOUT_QUIT:
        break;
    }
}

/* A line of a reply; true: it is whole. */
static bool take_line(struct sender *sender, enum answer_state state, uint64_t took_us)
{
    bool first = sender->reply.n == 0;
    struct bytes line = buffer_bytes(&sender->answer.line);
    struct bytes masked;

    while (line.n > 0 && (line.at[line.n - 1] == '\n' || line.at[line.n - 1] == '\r'))
        line.n--;
    if (!first)
        buffer_put_char(&sender->reply, '\n');
    size_t at = sender->reply.n;
    send_put_masked(sender, &sender->reply, line);
    masked = bytes_skip(buffer_bytes(&sender->reply), at);
    send_show_heard(sender, masked, first, took_us);
    return state == ANSWER_WHOLE;
}

static void cannot_understand(struct sender *sender)
{
    struct bytes line = bytes_first(buffer_bytes(&sender->answer.line), 300);

    buffer_clear(&sender->reply);
    send_put_masked(sender, &sender->reply, bytes_trim(line));
    if (line.n > 0)
        send_show_heard(sender, buffer_bytes(&sender->reply), true, 0);
    send_fail(sender, ONCE_PROTOCOL, sender->answer.line.bad
              ? "the server's line does not end" : "this is no reply of a mail server");
    give_up(sender);
}

/* One line of what came; false: more is needed. */
static bool take(struct sender *sender)
{
    struct bytes in = buffer_bytes(&sender->in);
    struct send_expect expect = sender->expects[sender->expects_at];
    enum answer_state state = answer_step(&sender->answer, &in);
    uint64_t took_us = sender->now_us - expect.said_us;

    buffer_drop(&sender->in, sender->in.n - in.n);
    if (state == ANSWER_MORE)
        return false;
    if (state == ANSWER_FLAW) {
        cannot_understand(sender);
        return true;
    }
    if (expect.about == ABOUT_HELLO && sender->answer.lines > 1)
        send_take_extension(sender, sender->answer.text);
    if (take_line(sender, state, took_us)) {
        sender->expects_at = (sender->expects_at + 1) % SEND_EXPECTS;
        sender->expects_n--;
        sender->patient_from_us = sender->now_us;
        sender->about = expect.about == ABOUT_MAIL ? sender->means->from
                      : expect.about == ABOUT_RCPT ? sender->order->to.list[expect.recipient]
                      : BYTES_NONE;
        send_show_reply(sender, took_us);
        dispatch(sender, expect);
        buffer_clear(&sender->reply);
    }
    return true;
}

/* ---- what is next */

static void plan(struct sender *sender)
{
    switch (sender->place) {
    case PLACE_BEGIN: case PLACE_GREETED: case PLACE_READY: case PLACE_RAW:
        send_next_hello(sender);
        break;
    case PLACE_MAIL: case PLACE_RCPT: case PLACE_TEXT:
        send_next_mail(sender);
        break;
    case PLACE_QUIT:
        send_say(sender, BYTES("QUIT"), ABOUT_QUIT, 0);
        sender->place = PLACE_OVER;
        break;
    case PLACE_SCRIPT:
        send_next_script(sender);
        break;
    case PLACE_OVER:
        break;
    }
}

/* All is done when QUIT was said: its answer is waited for a little. */
static uint64_t patience_s(const struct sender *sender)
{
    uint64_t wait_s = sender->order->wait_s;

    return sender->place == PLACE_OVER && wait_s > SEND_QUIT_WAIT_S ? SEND_QUIT_WAIT_S : wait_s;
}

enum send_need sender_step(struct sender *sender, uint64_t now_us)
{
    sender->now_us = now_us;
    for (;;) {
        if (sender->out.bad || sender->in.bad) {
            send_fail(sender, ONCE_PROTOCOL, "memory is short, or the server says too much");
            give_up(sender);
        }
        if (sender->out.n > 0)
            return SEND_NEED_OUT;
        if (sender->place == PLACE_OVER && sender->expects_n == 0)
            return SEND_NEED_CLOSE;
        sender->until_us = sender->patient_from_us + patience_s(sender) * 1000000;
        if (sender->wants_tls)
            return SEND_NEED_TLS;
        if (sender->rests_until_us > now_us) {
            sender->until_us = sender->rests_until_us;
            return SEND_NEED_REST;
        }
        if (sender->expects_n == 0)
            plan(sender);
        else if (!take(sender))
            return SEND_NEED_IN;
    }
}

uint64_t sender_until_us(const struct sender *sender) { return sender->until_us; }

struct bytes sender_show(const struct sender *sender)
{
    return sender->order->json ? BYTES_NONE : buffer_bytes(&sender->show);
}

struct bytes sender_all(const struct sender *sender) { return buffer_bytes(&sender->show); }

void sender_shown(struct sender *sender)
{
    if (!sender->order->json)
        buffer_clear(&sender->show);
}

/* SPDX-License-Identifier: ISC */
#include "base/arena.h"
#include "base/limits.h"
#include "smtp/server_int.h"

#include <assert.h>

struct smtp_server *smtp_server_new(const struct smtp_settings *settings)
{
    struct smtp_server *server = mem_new(sizeof(*server));

    if (server == NULL)
        return NULL;
    *server = (struct smtp_server){
        .settings = settings,
        .line = line_none(),
        .outbox = outbox_none(),
        .transaction = transaction_none(settings->recipients_most),
        .helo = buffer_with_most(LIMIT_DOMAIN),
        .errors_most = LIMIT_HARD_ERRORS, .bad_recipients_most = LIMIT_BAD_RECIPIENTS,
    };
    return server;
}

void smtp_server_free(struct smtp_server *server)
{
    if (server == NULL)
        return;
    line_done(&server->line);
    outbox_done(&server->outbox);
    transaction_done(&server->transaction);
    buffer_done(&server->helo);
    mem_free(server);
}

void server_say(struct smtp_server *server, enum reply reply, struct reply_words words)
{
    outbox_say(&server->outbox, reply, words);
    server->note.reply = reply_basic(reply);
    server->note.code = reply_code(reply);
    server->due |= DUE_NOTE;
}

void server_say_and_close(struct smtp_server *server, enum reply reply, struct reply_words words)
{
    server_say(server, reply, words);
    server_close(server);
}

void server_refuse(struct smtp_server *server, enum reply reply, struct reply_words words)
{
    if (++server->errors > server->errors_most)
        server_say_and_close(server, REPLY_TOO_MANY_ERRORS, NO_WORDS);
    else
        server_say(server, reply, words);
}

void server_reset(struct smtp_server *server, enum smtp_state state)
{
    if (server->transaction.given)
        server->due |= DUE_DROP;
    transaction_reset(&server->transaction);
    server->state = state;
}

void server_close(struct smtp_server *server)
{
    server_reset(server, STATE_READY);
    server->mode = MODE_CLOSING;
}

/* What is ready to be told, one at a time. The note comes first: its text may borrow from the input
   of this very step. */
static bool take_due(struct smtp_server *server, struct smtp_event *ret_event)
{
    static const struct { uint8_t due; enum smtp_event_kind kind; } order[] = {
        { DUE_NOTE, SMTP_NOTE }, { DUE_DROP, SMTP_DROP }, { DUE_ASK, SMTP_ASK_RCPT },
        { DUE_END, SMTP_END }, { DUE_XCLIENT, SMTP_XCLIENT },
    };

    if (!server->settings->notes)
        server->due &= (uint8_t)~DUE_NOTE;
    for (size_t i = 0; i < COUNT(order) && server->due != 0; i++) {
        if ((server->due & order[i].due) == 0)
            continue;
        server->due &= (uint8_t)~order[i].due;
        *ret_event = (struct smtp_event){ .kind = order[i].kind, .token = server->tokens };
        if (order[i].due == DUE_ASK)
            ret_event->address = server->asked;
        if (order[i].due == DUE_END) {
            server->tokens++;
            server->letter_told = true;
        }
        return true;
    }
    return false;
}

/* A line that is no command. */
static void bad_line(struct smtp_server *server, enum reply reply, uint64_t number)
{
    server->note = (struct smtp_note){ .verb = BYTES_NONE, .text = BYTES_NONE };
    server_refuse(server, reply, (struct reply_words){ .number = number });
}

static void end_by_line(struct smtp_server *server, enum reply reply, struct reply_words words)
{
    server->note = (struct smtp_note){ .verb = BYTES_NONE, .text = BYTES_NONE };
    server_say_and_close(server, reply, words);
}

/* False when no line has ended yet. */
static bool take_line(struct smtp_server *server, struct bytes *in)
{
    struct bytes line;

    switch (line_take(&server->line, in, &line)) {
    case LINE_MORE: return false;
    case LINE_WHOLE: server_command(server, line); break;
    case LINE_LONG: bad_line(server, REPLY_LINE_LONG, LIMIT_COMMAND_LINE); break;
    case LINE_BARE_LF: bad_line(server, REPLY_LINE_BARE_LF, 0); break;
    case LINE_NOT_TEXT: bad_line(server, REPLY_LINE_NOT_TEXT, 0); break;
    case LINE_FLOOD:
        end_by_line(server, REPLY_FLOOD, (struct reply_words){ .number = LIMIT_COMMAND_FLOOD });
        break;
    case LINE_TLS: end_by_line(server, REPLY_NOT_MAIL, NO_WORDS); break;
    case LINE_NO_MEMORY:
        end_by_line(server, REPLY_NO_MEMORY,
                    (struct reply_words){ .word = server->settings->host });
        break;
    }
    return true;
}

/* A letter under way by BDAT is let come to its end. */
static bool must_stop(const struct smtp_server *server)
{
    return server->stopping && server->state != STATE_CHUNKS;
}

/* Each of the next three: true when something came of it and the loop is to go on. */
static bool go_command(struct smtp_server *server, struct bytes *in)
{
    if (must_stop(server)) {
        end_by_line(server, REPLY_STOPPING,
                    (struct reply_words){ .word = server->settings->host });
        return true;
    }
    return outbox_has_room(&server->outbox) && take_line(server, in);
}

static struct smtp_event close_event(struct smtp_server *server, struct bytes *in)
{
    bool over = server->outbox.count == 0 || server->outbox.shut;

    *in = bytes_skip(*in, in->n);
    return (struct smtp_event){ .kind = over ? SMTP_CLOSE : SMTP_MORE };
}

/* Once, and only when no reply is held back: the 220 is to be the last octets in clear. */
static bool tell_starttls(struct smtp_server *server, struct smtp_event *ret_event)
{
    if (server->starttls_told || server->outbox.count > 0)
        return false;
    server->starttls_told = true;
    *ret_event = (struct smtp_event){ .kind = SMTP_STARTTLS };
    return true;
}

/* True when *ret_event is to be told; false: go round again, unless *ret_stuck. */
static bool go_on(struct smtp_server *server, struct bytes *in, struct smtp_event *ret_event,
                  bool *ret_stuck)
{
    size_t before = in->n;
    bool told = false, moved = false;

    switch (server->mode) {
    case MODE_UNGREETED:
    case MODE_ASKING:
    case MODE_CLOSING: break;
    case MODE_COMMAND: moved = go_command(server, in); break;
    case MODE_TEXT: told = server_take_text(server, in, ret_event); break;
    case MODE_SECURING: told = tell_starttls(server, ret_event); break;
    case MODE_CHUNK:
        moved = server->left == 0;
        told = server_take_chunk(server, in, ret_event);
        break;
    }
    *ret_stuck = !told && !moved && in->n == before;
    return told;
}

/* Reasons to end that come from outside the dialogue. */
static void look_around(struct smtp_server *server, const struct bytes *in)
{
    if (server->mode == MODE_CLOSING)
        return;
    const struct outbox *outbox = &server->outbox;
    bool waits = server->mode == MODE_ASKING || server->mode == MODE_UNGREETED;
    bool input_over = server->input_over && in->n == 0 && server->due == 0;
    if (outbox_broken(outbox) || outbox->shut || outbox->hushed || (input_over && !waits))
        server_close(server);
}

struct smtp_event smtp_server_step(struct smtp_server *server, struct bytes *in)
{
    struct smtp_event event;
    bool stuck = false;

    if (server->letter_told) {
        server->letter_told = false;
        transaction_reset(&server->transaction);
    }
    for (;;) {
        if (take_due(server, &event))
            return event;
        if (stuck)
            return (struct smtp_event){ .kind = SMTP_MORE };
        look_around(server, in);
        if (server->due != 0)
            continue;
        if (server->mode == MODE_CLOSING)
            return close_event(server, in);
        if (go_on(server, in, &event, &stuck))
            return event;
    }
}

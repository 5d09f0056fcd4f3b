/* SPDX-License-Identifier: ISC */
#include "base/limits.h"
#include "base/number.h"
#include "smtp/server_int.h"

/* RFC 3030, 2 and 3: where BDAT has begun, or the text is BINARYMIME, DATA spoils the
   transaction. */
static void spoil(struct smtp_server *server, enum reply reply)
{
    server_reset(server, STATE_STUCK);
    server_refuse(server, reply, NO_WORDS);
}

static void begin_text(struct smtp_server *server)
{
    server->transaction.dot = dot_for_data();
    server->mode = MODE_TEXT;
    server_say(server, REPLY_DATA_GO, NO_WORDS);
}

void run_data(struct smtp_server *server, struct bytes argument)
{
    bool binary = server->transaction.params.body == BODY_BINARYMIME;

    (void)argument;
    server->data_refused = true;        /* until a case below says otherwise */
    switch (server->state) {
    case STATE_NEW: server_refuse(server, REPLY_NEED_EHLO, NO_WORDS); break;
    case STATE_READY: server_refuse(server, REPLY_NEED_MAIL, NO_WORDS); break;
    case STATE_SENDER: server_refuse(server, REPLY_NO_RECIPIENTS, NO_WORDS); break;
    case STATE_CHUNKS: spoil(server, REPLY_CHUNKS_BEGUN); break;
    case STATE_REFUSED:
    case STATE_STUCK: server_refuse(server, REPLY_NEED_RSET, NO_WORDS); break;
    case STATE_RCPTS:
        server->data_refused = binary;
        if (binary)
            spoil(server, REPLY_NOT_BY_DATA);
        else
            begin_text(server);
        break;
    case STATE_COUNT: break;
    }
}

enum reply server_flaw_reply(enum text_flaw flaw)
{
    switch (flaw) {
    case TEXT_FINE: break;
    case TEXT_BARE_CR: return REPLY_BARE_CR;
    case TEXT_BARE_LF: return REPLY_BARE_LF;
    case TEXT_NUL: return REPLY_NUL;
    }
    return REPLY_NONE;
}

struct reply_words server_text_words(const struct smtp_server *server, enum reply reply)
{
    uint64_t number = server->transaction.dot.flaw_line;

    if (reply == REPLY_TEXT_TOO_BIG)
        number = server->settings->size_most;
    if (reply == REPLY_TOO_MANY_CHUNKS)
        number = LIMIT_CHUNKS;
    return (struct reply_words){ .number = number };
}

void server_refuse_text(struct smtp_server *server, enum reply reply)
{
    struct transaction *transaction = &server->transaction;

    transaction->refusal = reply;
    if (transaction->given)
        server->due |= DUE_DROP;
    transaction->given = false;
}

static bool too_big(const struct smtp_server *server)
{
    uint64_t most = server->settings->size_most;

    return most > 0 && server->transaction.size > most;
}

/* Nobody will wait for the end of a refused text for ever: say now what was to be said there. */
static void lose_patience(struct smtp_server *server)
{
    enum reply refusal = server->transaction.refusal;

    server->note.octets = server->transaction.size;
    server_say_and_close(server, refusal, server_text_words(server, refusal));
}

bool server_text(struct smtp_server *server, struct bytes text, struct smtp_event *ret_event)
{
    struct transaction *transaction = &server->transaction;

    if (!add_fits(transaction->size, text.n, &transaction->size))
        transaction->size = UINT64_MAX;
    if (transaction->refusal == REPLY_NONE && transaction->dot.flaw != TEXT_FINE)
        server_refuse_text(server, server_flaw_reply(transaction->dot.flaw));
    if (transaction->refusal == REPLY_NONE && too_big(server))
        server_refuse_text(server, REPLY_TEXT_TOO_BIG);
    if (transaction->refusal == REPLY_NONE) {
        transaction->given = true;
        *ret_event = (struct smtp_event){ .kind = SMTP_TEXT, .text = text };
        return true;
    }
    transaction->dropped += text.n;
    if (transaction->dropped > LIMIT_DROPPED_TEXT)
        lose_patience(server);
    return false;
}

void server_letter(struct smtp_server *server)
{
    if (!outbox_hole(&server->outbox, server->tokens)) {
        server_reset(server, STATE_READY);
        server_say(server, REPLY_NOT_NOW, NO_WORDS);
        return;
    }
    server->note.reply = 0;
    server->note.token = server->tokens;
    server->transaction.given = false;      /* it is the caller's from now on */
    server->errors = server->junk = 0;
    server->state = STATE_READY;
    server->due |= DUE_NOTE | DUE_END;
}

/* The end of the text was met. */
static void end_text(struct smtp_server *server)
{
    struct transaction *transaction = &server->transaction;
    enum reply refusal = transaction->refusal;

    server->mode = MODE_COMMAND;
    server->note = (struct smtp_note){ .verb = BYTES("DATA"), .text = BYTES_NONE,
                                       .octets = transaction->size, .last = true };
    if (refusal == REPLY_NONE)
        refusal = server_flaw_reply(transaction->dot.flaw);
    if (refusal == REPLY_NONE) {
        server_letter(server);
        return;
    }
    struct reply_words words = server_text_words(server, refusal);
    server_reset(server, STATE_READY);
    server_refuse(server, refusal, words);
}

bool server_take_text(struct smtp_server *server, struct bytes *in, struct smtp_event *ret_event)
{
    bool ended = false;
    struct bytes text = dot_take(&server->transaction.dot, in, &ended);

    if (text.n > 0)
        return server_text(server, text, ret_event);
    if (ended)
        end_text(server);
    return false;
}

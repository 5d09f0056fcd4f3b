/* SPDX-License-Identifier: ISC
 *
 * BDAT (RFC 3030). Whatever is wrong, the octets of a chunk are stepped over exactly and each
 * chunk gets its reply; only when nobody can say how many they are, or they are more than anybody
 * will wait for, the session ends instead.
 */
#include "base/limits.h"
#include "base/number.h"
#include "smtp/server_int.h"

/* The first chunk of a letter. False: no memory. */
static bool begin_chunks(struct smtp_server *server)
{
    struct transaction *transaction = &server->transaction;

    server->state = STATE_CHUNKS;
    transaction->dot = dot_for_chunks();
    if (transaction->params.recipe == 0)
        return true;
    transaction->restore = restore_new(transaction->params.recipe);
    return transaction->restore != NULL;
}

/* What speaks against a chunk by the state alone. */
static enum reply judge_state(const struct smtp_server *server)
{
    switch (server->state) {
    case STATE_NEW: return REPLY_NEED_EHLO;
    case STATE_READY: return REPLY_NEED_MAIL;
    case STATE_SENDER: return REPLY_NO_RECIPIENTS;
    case STATE_STUCK: return REPLY_NEED_RSET;
    case STATE_REFUSED: return server->transaction.refusal;
    case STATE_RCPTS:
    case STATE_CHUNKS:
    case STATE_COUNT: break;
    }
    return server->esmtp ? REPLY_NONE : REPLY_NEED_EHLO;
}

static bool over_size(const struct smtp_server *server, uint64_t octets)
{
    uint64_t most = server->settings->size_most, sum;

    if (!add_fits(server->transaction.size, octets, &sum))
        return true;
    return most > 0 && sum > most;
}

static enum reply judge_chunk(struct smtp_server *server, bool malformed)
{
    if (malformed)
        return REPLY_BAD_CHUNK;
    if (server->transaction.chunks > LIMIT_CHUNKS)
        return REPLY_TOO_MANY_CHUNKS;
    return over_size(server, server->chunk.octets) ? REPLY_TEXT_TOO_BIG : REPLY_NONE;
}

/* The letter is refused: so is every chunk until its last. */
static void refuse_letter(struct smtp_server *server, enum reply refusal)
{
    server_refuse_text(server, refusal);
    server->state = STATE_REFUSED;
    server->chunk_refusal = refusal;
}

/* More to step over than anybody will wait for, or chunks without end: say so now and close. */
static bool beyond_patience(const struct smtp_server *server)
{
    const struct transaction *transaction = &server->transaction;
    uint64_t dropped;

    if (server->chunk_refusal == REPLY_NONE)
        return false;
    return !add_fits(transaction->dropped, server->left, &dropped) || dropped > LIMIT_DROPPED_TEXT
        || transaction->chunks > 2 * LIMIT_CHUNKS;
}

void run_bdat(struct smtp_server *server, struct bytes argument)
{
    enum chunk_kind kind = chunk_parse(argument, &server->chunk);

    server->note.text = BYTES_NONE;
    if (kind == CHUNK_UNKNOWN) {
        server->note.text = argument;
        server_say_and_close(server, REPLY_BAD_CHUNK, NO_WORDS);
        return;
    }
    server->left = server->chunk.octets;
    server->mode = MODE_CHUNK;
    server->transaction.chunks++;
    server->chunk_refusal = judge_state(server);
    if (server->chunk_refusal == REPLY_NO_RECIPIENTS) {
        refuse_letter(server, REPLY_NO_RECIPIENTS);
    } else if (server->chunk_refusal == REPLY_NONE) {
        bool begun = server->state != STATE_RCPTS || begin_chunks(server);
        enum reply refusal = begun ? judge_chunk(server, kind == CHUNK_MALFORMED) : REPLY_NOT_NOW;
        if (refusal != REPLY_NONE)
            refuse_letter(server, refusal);
    }
    if (beyond_patience(server))
        server_say_and_close(server, server->chunk_refusal,
                             server_text_words(server, server->chunk_refusal));
}

/* Where the session stands when a refused chunk is over. */
static enum smtp_state state_after_refusal(const struct smtp_server *server)
{
    return server->state == STATE_REFUSED && server->chunk.last ? STATE_READY : server->state;
}

static void end_refused(struct smtp_server *server)
{
    struct reply_words words = server_text_words(server, server->chunk_refusal);
    enum smtp_state next = state_after_refusal(server);
    bool first = !server->transaction.told;

    server->transaction.dropped += server->chunk.octets;
    if (server->state == STATE_REFUSED)
        server->transaction.told = true;
    if (next != server->state)
        server_reset(server, next);
    if (first)
        server_refuse(server, server->chunk_refusal, words);
    else
        server_say(server, server->chunk_refusal, words);
}

static void end_chunk(struct smtp_server *server)
{
    struct transaction *transaction = &server->transaction;
    bool binary = transaction->params.body == BODY_BINARYMIME;

    server->mode = MODE_COMMAND;
    server->note = (struct smtp_note){ .verb = BYTES("BDAT"), .text = BYTES_NONE,
                                       .octets = server->chunk.octets, .last = server->chunk.last };
    if (server->chunk_refusal == REPLY_NONE && server->chunk.last
        && transaction->restore != NULL && !restore_is_done(transaction->restore))
        refuse_letter(server, REPLY_BAD_RECIPE);
    if (server->chunk_refusal == REPLY_NONE && server->chunk.last && !binary) {
        dot_finish_chunks(&transaction->dot);
        if (transaction->dot.flaw != TEXT_FINE)
            refuse_letter(server, server_flaw_reply(transaction->dot.flaw));
    }
    if (server->chunk_refusal != REPLY_NONE)
        end_refused(server);
    else if (server->chunk.last)
        server_letter(server);
    else
        server_say(server, REPLY_CHUNK_OK, (struct reply_words){ .number = server->chunk.octets });
}

/* Text as the letter has it. */
static bool take_text(struct smtp_server *server, struct bytes text, struct smtp_event *ret_event)
{
    struct bytes rest = text;
    bool ended;

    if (server->transaction.params.body != BODY_BINARYMIME)
        text = dot_take(&server->transaction.dot, &rest, &ended);
    bool told = server_text(server, text, ret_event);
    if (server->transaction.refusal != REPLY_NONE)
        refuse_letter(server, server->transaction.refusal);
    return told;
}

/* Of its raw form, or of the recipe before it. What BODY said was of that; from the recipe on, what
   the letter itself is counts. */
static bool take_raw(struct smtp_server *server, struct bytes *part, struct smtp_event *ret_event)
{
    struct transaction *transaction = &server->transaction;
    struct bytes text;
    enum reply refusal = restore_take(transaction->restore, server->settings->size_most, part,
                                      &text);
    const struct recipe *recipe = restore_recipe(transaction->restore);

    if (recipe != NULL)
        transaction->params.body = recipe->body;
    if (refusal != REPLY_NONE)
        refuse_letter(server, refusal);
    return refusal == REPLY_NONE && text.n > 0 && take_text(server, text, ret_event);
}

bool server_take_chunk(struct smtp_server *server, struct bytes *in, struct smtp_event *ret_event)
{
    struct bytes part = bytes_first(*in, server->left > in->n ? in->n : (size_t)server->left);
    struct bytes rest = bytes_skip(part, part.n);
    bool told = false;

    if (server->left == 0) {
        end_chunk(server);
        return false;
    }
    if (part.n > 0 && server->chunk_refusal == REPLY_NONE) {
        if (server->transaction.restore == NULL) {
            told = take_text(server, part, ret_event);
        } else {
            rest = part;
            told = take_raw(server, &rest, ret_event);
        }
    }
    server->left -= part.n - rest.n;
    *in = bytes_skip(*in, part.n - rest.n);
    return told;
}

/* SPDX-License-Identifier: ISC */
#include "smtp/client.h"

#include "base/arena.h"
#include "base/number.h"
#include "base/plant.h"
#include "smtp/client_int.h"

#include <assert.h>

struct smtp_client *smtp_client_new(enum client_kind kind, struct bytes host)
{
    struct smtp_client *client = mem_new(sizeof(*client));

    if (client == NULL)
        return NULL;
    client->kind = kind;
    client->host = host;
    client->answer = answer_new();
    client->out = buffer_with_most(CLIENT_OUT_MOST);
    client->words = buffer_with_most(ANSWER_WORDS_MOST);
    client_expect(client, EXPECT_GREETING, 0);
    return client;
}

void smtp_client_set_host(struct smtp_client *client, struct bytes host)
{
    client->host = host;
}

void smtp_client_free(struct smtp_client *client)
{
    if (client == NULL)
        return;
    answer_done(&client->answer);
    buffer_done(&client->out);
    buffer_done(&client->words);
    mem_free(client);
}

bool smtp_client_ready(const struct smtp_client *client)
{
    return client->state == CLIENT_IDLE;
}

unsigned smtp_client_extensions(const struct smtp_client *client) { return client->extensions; }

unsigned smtp_client_lied(const struct smtp_client *client) { return client->lied; }

bool smtp_client_waits(const struct smtp_client *client) { return client->expects_n > 0; }

bool smtp_client_at_end(const struct smtp_client *client)
{
    return client->state == CLIENT_SENDS && client->text == TEXT_ENDED;
}

struct bytes smtp_client_output(const struct smtp_client *client)
{
    return client->out.bad ? BYTES_NONE : buffer_bytes(&client->out);
}

bool smtp_client_lacks_memory(const struct smtp_client *client)
{
    return client->out.bad;
}

void smtp_client_sent(struct smtp_client *client)
{
    bool bad = client->out.bad;

    buffer_shrink(&client->out, 256 * 1024);
    client->out.bad = bad;
}

/* ---- results */

/* From now on each recipient without a result has this one. */
static void spread(struct smtp_client *client, enum client_outcome outcome,
                   struct status_code code, struct bytes words)
{
    if (client->spreads || client->left == 0)
        return;
    buffer_clear(&client->words);
    buffer_put(&client->words, bytes_first(words, ANSWER_WORDS_MOST));
    client->spreads = true;
    client->spread = (struct client_result){ .outcome = outcome, .code = code };
}

static enum client_outcome outcome_of(const struct answer *answer)
{
    return answer->code / 100 == 2 ? CLIENT_TAKEN
         : answer->code / 100 == 5 ? CLIENT_FAILED : CLIENT_LATER;
}

/* 3xx where none belongs is "not now": its class is no status. */
static struct status_code code_of(const struct answer *answer)
{
    return answer->code / 100 == 3 ? STATUS(4, 5, 0) : answer->status;
}

/* What it said, for one recipient. */
static struct client_result result_said(const struct answer *answer)
{
    return (struct client_result){ .outcome = outcome_of(answer), .code = code_of(answer),
                                   .reply = answer->code, .coded = answer->coded,
                                   .status = answer->status,
                                   .words = buffer_bytes(&answer->words) };
}

static void spread_said(struct smtp_client *client, const struct answer *answer)
{
    bool before = client->spreads;

    spread(client, outcome_of(answer), code_of(answer), buffer_bytes(&answer->words));
    if (client->spreads && !before)
        client->spread = result_said(answer);   /* its words are kept beside it: take_spread */
}

static void spread_answer(struct smtp_client *client)
{
    const struct answer *answer = &client->answer;

    if (outcome_of(answer) == CLIENT_TAKEN)
        spread(client, CLIENT_LATER, STATUS(4, 5, 0), BYTES("the server's answer makes no sense"));
    else
        spread_said(client, answer);
}

static struct client_event result_event(struct smtp_client *client, struct client_result result)
{
    client->over[result.recipient] = true;
    client->left--;
    return (struct client_event){ .kind = CLIENT_RESULT, .result = result };
}

/* The next recipient that has none; false: all have. */
static bool take_spread(struct smtp_client *client, struct client_event *ret_event)
{
    for (size_t i = 0; i < client->letter.n; i++) {
        if (client->over[i])
            continue;
        struct client_result result = client->spread;
        result.recipient = i;
        result.words = buffer_bytes(&client->words);
        *ret_event = result_event(client, result);
        return true;
    }
    client->spreads = false;
    return false;
}

/* A server that was cut off after the end of the text may have taken it. */
void client_leave(struct smtp_client *client, struct status_code code, struct bytes words)
{
    if (client->state == CLIENT_GONE)
        return;
    client->why = code;
    if (!client->spreads) {
        buffer_clear(&client->words);
        buffer_put(&client->words, bytes_first(words, ANSWER_WORDS_MOST));
    }
    if (client->state == CLIENT_SENDS && !client->spreads && client->left > 0) {
        client->spreads = true;
        client->spread = (struct client_result){ .outcome = CLIENT_LATER, .code = code,
                                                 .window = client->text == TEXT_ENDED };
    }
    client->state = CLIENT_GONE;
    client->expects_n = 0;
}

/* The server's own words for why this is the end. */
void client_leave_as_said(struct smtp_client *client)
{
    const struct answer *answer = &client->answer;
    struct buffer said = buffer_with_most(2 * ANSWER_WORDS_MOST);

    answer_put(&said, answer->code, answer->coded, answer->status, buffer_bytes(&answer->words));
    client_leave(client, code_of(answer), buffer_bytes(&said));
    buffer_done(&said);
}

struct bytes smtp_client_why(const struct smtp_client *client, struct status_code *ret_code)
{
    *ret_code = client->why;
    return buffer_bytes(&client->words);
}

void smtp_client_lost(struct smtp_client *client, struct bytes words)
{
    client_leave(client, STATUS(4, 4, 2), words);
}

/* ---- replies */

/* Too many for one transaction, and some were taken (RFC 5321, 4.5.3.1.10). */
static bool is_too_many(const struct smtp_client *client)
{
    struct status_code status = client->answer.status;

    return client->answer.code == 452 && client->taken > 0
        && ((status.subject == 5 && status.detail == 3)
            || (status.subject == 0 && status.detail == 0));
}

static bool on_rcpt(struct smtp_client *client, size_t i, struct client_event *ret_event)
{
    const struct answer *answer = &client->answer;
    struct client_result result = result_said(answer);

    result.recipient = i;
    result.again = is_too_many(client);
    client->taken += result.outcome == CLIENT_TAKEN;
    if (client->over[i])
        return false;
    if (result.outcome == CLIENT_TAKEN && !client->letter.ask_only && !PLANTED(taken_at_rcpt))
        return false;
    client_expect_no_end(client, i);
    *ret_event = result_event(client, result);
    return true;
}

static void on_data(struct smtp_client *client)
{
    if (client->answer.code != 354)
        spread_answer(client);
    if (client->answer.code / 100 == 2)
        client->distrusted = true;
    if (client->answer.code != 354 || client->text != TEXT_WAITS)
        client->text = TEXT_NONE;
    else if (client->left == 0 || client->spreads)
        client_say_no_text(client);
    else
        client->text = TEXT_GOES;
}

/* CHUNKING was offered, and BDAT is not known: that says nothing of the letter. What left behind it
   was taken for commands, so nothing can be said here any more. */
static bool knows_no_bdat(struct smtp_client *client)
{
    unsigned code = client->answer.code;

    if (!client_has(client, CLIENT_CHUNKING) || (code != 500 && code != 502))
        return false;
    client->lied |= CLIENT_CHUNKING | CLIENT_BINARYMIME;
    client->distrusted = true;
    spread(client, CLIENT_LATER, STATUS(4, 5, 0),
           BYTES("the server offers CHUNKING and does not know BDAT"));
    return true;
}

/* Nor 555 (RFC 5321, 4.1.1.11) to parameters that it offered; once without them it is. */
static bool knows_no_parameters(struct smtp_client *client)
{
    unsigned said = CLIENT_SIZE | CLIENT_DSN | CLIENT_MT_PRIORITY | CLIENT_DELIVERBY;

    if (client->letter.body == BODY_8BITMIME)
        said |= CLIENT_8BITMIME;
    if (client->letter.body == BODY_BINARYMIME)
        said |= CLIENT_BINARYMIME;
    if (client->answer.code != 555 || (client->extensions & said) == 0
        || client->letter.recipe > 0)       /* that one it will be: the letter goes without */
        return false;
    client->lied |= client->extensions & said;
    spread(client, CLIENT_LATER, STATUS(4, 5, 4),
           BYTES("the server offers extensions and does not know their parameters"));
    return true;
}

/* After a chunk that was refused, nobody can say what the server waits for. */
static void on_chunk(struct smtp_client *client)
{
    client->chunks--;
    if (client->answer.code / 100 == 2)
        return;
    if (!knows_no_bdat(client))
        spread_answer(client);
    client->text = client->text == TEXT_GOES ? TEXT_NONE : client->text;
    client->distrusted = true;
}

static bool on_end(struct smtp_client *client, size_t i, struct client_event *ret_event)
{
    const struct answer *answer = &client->answer;

    client->ends++;
    if (client->kind == CLIENT_SMTP) {      /* one for all; and RSET need not be said after it */
        client->used = false;
        if (!knows_no_bdat(client))
            spread_said(client, answer);
        return false;
    }
    if (client->over[i] || knows_no_bdat(client))
        return false;
    struct client_result result = result_said(answer);
    result.recipient = i;
    *ret_event = result_event(client, result);
    return true;
}

static void on_rset(struct smtp_client *client)
{
    if (client->answer.code / 100 != 2) {           /* it is no word about the next letter */
        spread(client, CLIENT_LATER, STATUS(4, 5, 0), BYTES("the server refused RSET"));
        client->distrusted = true;
    } else if (client->state == CLIENT_SENDS && client->said == 0
               && !client_has(client, CLIENT_PIPELINING)) {
        client->used = false;
        client_say_letter(client);
    }
}

/* A reply nobody waits for. While the text of DATA is on its way a server may say that it will not
   have it; nothing else makes sense, and a "250" least of all. */
static void on_unasked(struct smtp_client *client)
{
    if (client->state == CLIENT_SENDS && client->text == TEXT_GOES
        && outcome_of(&client->answer) != CLIENT_TAKEN) {
        spread_answer(client);
        client->text = TEXT_NONE;
        client->distrusted = true;
        return;
    }
    client_leave(client, STATUS(4, 5, 0), BYTES("the server spoke without being asked"));
}

/* A whole reply. True: it is an event at once. `in`: what lies behind it. */
static bool on_answer(struct smtp_client *client, struct bytes in, struct client_event *ret_event)
{
    struct expect expect = client->expects[client->expects_at];

    if (client->answer.code == 421) {
        spread_answer(client);
        client_leave_as_said(client);
        return false;
    }
    if (client->expects_n == 0) {
        on_unasked(client);
        return false;
    }
    client->expects_at = (client->expects_at + 1) % CLIENT_EXPECTS;
    client->expects_n--;
    switch (expect.kind) {
    case EXPECT_GREETING: client_on_greeting(client); return false;
    case EXPECT_HELLO: client_on_hello(client, false); return false;
    case EXPECT_HELO: client_on_hello(client, true); return false;
    case EXPECT_STARTTLS: client_on_starttls(client, in); return false;
    case EXPECT_AUTH: client_on_auth(client); return false;
    case EXPECT_MAIL:
        if (client->answer.code / 100 != 2 && !knows_no_parameters(client))
            spread_answer(client);
        return false;
    case EXPECT_RCPT: return on_rcpt(client, expect.recipient, ret_event);
    case EXPECT_DATA: on_data(client); return false;
    case EXPECT_CHUNK: on_chunk(client); return false;
    case EXPECT_END: return on_end(client, expect.recipient, ret_event);
    case EXPECT_RSET: on_rset(client); return false;
    case EXPECT_QUIT: client_leave_as_said(client); return false;
    }
    return false;
}

/* All have their results: what of the connection? A BDAT that was said for nobody has an answer,
   or several, or none: who can tell. */
static struct client_event done(struct smtp_client *client)
{
    if (client->chunks > 0 || (client->text == TEXT_ENDED
                               && (client->expects_n > 0 || client->ends == 0)))
        client->distrusted = true;
    client->text = TEXT_NONE;
    client->letter.n = 0;
    if (client->state == CLIENT_SENDS)
        client->state = client->distrusted ? CLIENT_GONE : CLIENT_IDLE;
    return (struct client_event){ .kind = CLIENT_DONE };
}

/* Nobody is left, and the replies that are sure to come have come. */
static bool is_over(const struct smtp_client *client)
{
    if (client->letter.n == 0 || client->left > 0)
        return false;
    if (client->state == CLIENT_GONE || client->expects_n == 0 || client->distrusted)
        return true;
    return client->kind == CLIENT_LMTP && (client->text == TEXT_ENDED || client->chunks > 0);
}

static bool take_event(struct smtp_client *client, struct client_event *ret_event)
{
    if (client->spreads && take_spread(client, ret_event))
        return true;
    client_say_next(client);
    if (is_over(client))
        return *ret_event = done(client), true;
    if (client->starts_tls) {
        client->starts_tls = false;
        return *ret_event = (struct client_event){ .kind = CLIENT_STARTTLS }, true;
    }
    if (client->greeted) {
        client->greeted = false;
        return *ret_event = (struct client_event){ .kind = CLIENT_READY }, true;
    }
    if (client->state != CLIENT_GONE)
        return false;
    *ret_event = (struct client_event){ .kind = CLIENT_CLOSE };
    return true;
}

struct client_event smtp_client_step(struct smtp_client *client, struct bytes *in)
{
    struct client_event event;

    for (;;) {
        if (client->out.bad)
            client_leave(client, STATUS(4, 3, 0), BYTES("memory is short"));
        if (take_event(client, &event))
            return event;
        if (in->n == 0)
            return (struct client_event){ .kind = CLIENT_MORE };
        enum answer_state state = answer_step(&client->answer, in);
        if (state == ANSWER_FLAW) {
            client_leave(client, STATUS(4, 5, 0),
                  BYTES("the server answered with something that is no reply"));
        } else if (state != ANSWER_MORE) {
            bool hello = client->expects_n > 0
                      && client->expects[client->expects_at].kind == EXPECT_HELLO;
            if (hello && client->answer.lines > 1)
                client_take_extension(client, client->answer.text);
            if (state == ANSWER_WHOLE && on_answer(client, *in, &event))
                return event;
        }
    }
}

void smtp_client_begin(struct smtp_client *client, const struct client_letter *letter)
{
    const char *words;
    struct status_code unfit = smtp_client_unfit(client, letter, &words);

    assert(smtp_client_ready(client) && letter->n > 0 && letter->n <= CLIENT_RECIPIENTS);
    client->state = CLIENT_SENDS;
    client->letter = *letter;
    client->left = letter->n;
    client->said = client->chunks = client->ends = client->taken = 0;
    client->text = TEXT_WAITS;
    client->stuff = (struct stuff){ 0 };
    for (size_t i = 0; i < letter->n; i++)
        client->over[i] = false;
    if (unfit.class != 0) {
        client->text = TEXT_NONE;
        spread(client, CLIENT_FAILED, unfit, bytes_of(words));
    } else {
        client_say_letter(client);
    }
}

void smtp_client_quit(struct smtp_client *client)
{
    assert(smtp_client_ready(client));
    client->state = CLIENT_LEAVES;
    client_say(client, "QUIT", EXPECT_QUIT);
}

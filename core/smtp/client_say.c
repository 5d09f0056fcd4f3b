/* SPDX-License-Identifier: ISC */
#include "smtp/client_int.h"

#include <assert.h>

void client_expect(struct smtp_client *client, enum expect_kind kind, size_t recipient)
{
    size_t at = (client->expects_at + client->expects_n) % CLIENT_EXPECTS;

    assert(client->expects_n < CLIENT_EXPECTS);
    client->expects[at] = (struct expect){ kind, recipient };
    client->expects_n++;
}

void client_say(struct smtp_client *client, const char *command, enum expect_kind kind)
{
    buffer_put_text(&client->out, command);
    buffer_put(&client->out, BYTES("\r\n"));
    client_expect(client, kind, 0);
}

/* RFC 2852, 4.1: what is to come back when it is late goes only to who sees to that, and in time;
   to deliver it by LMTP is no relaying. */
static const char *lack_of_time(const struct smtp_client *client,
                                const struct client_letter *letter)
{
    if (!letter->by_return || letter->by_s == 0)
        return NULL;
    if (letter->by_s < 0)
        return "the time by which its sender wanted it delivered is over";
    if (client->kind != CLIENT_SMTP)
        return NULL;
    if (!client_has(client, CLIENT_DELIVERBY))
        return "its sender wants it back unless it is delivered in time, and the next server does "
               "not offer DELIVERBY";
    if ((uint64_t)letter->by_s < client->by_least_s)
        return "less time is left for it than the next server asks for";
    return NULL;
}

/* What the text or the letter needs of the server, and it does not offer. */
static const char *lack_of(const struct smtp_client *client, const struct client_letter *letter,
                           struct status_code *ret_code)
{
    bool binary = client_has(client, CLIENT_BINARYMIME) && client_has(client, CLIENT_CHUNKING);

    *ret_code = STATUS(5, 7, 30);
    if (letter->require_tls && !(client->secure && client_has(client, CLIENT_REQUIRETLS)))
        return "the letter came with REQUIRETLS, and the next server does not offer it";
    *ret_code = STATUS(5, 6, 7);
    if (letter->smtputf8 && !client_has(client, CLIENT_SMTPUTF8))
        return "the letter needs SMTPUTF8 (UTF-8 in addresses or header), and the next server does "
               "not offer it";
    *ret_code = STATUS(5, 6, 3);
    if (letter->body == BODY_BINARYMIME && !binary && !letter->ask_only)
        return "the letter is binary, and the next server offers no BINARYMIME";
    if (letter->body == BODY_8BITMIME && !client_has(client, CLIENT_8BITMIME) && !letter->ask_only)
        return "the letter has 8-bit octets, and the next server offers no 8BITMIME";
    *ret_code = STATUS(5, 4, 7);
    if (lack_of_time(client, letter) != NULL)
        return lack_of_time(client, letter);
    *ret_code = STATUS(5, 3, 4);
    if (client_has(client, CLIENT_SIZE) && client->size_most > 0 && !letter->ask_only
        && letter->size > client->size_most)
        return "the letter is larger than the next server takes";
    return NULL;
}

struct status_code smtp_client_unfit(const struct smtp_client *client,
                                     const struct client_letter *letter, const char **ret_words)
{
    struct status_code code;

    *ret_words = lack_of(client, letter, &code);
    return *ret_words == NULL ? STATUS(0, 0, 0) : code;
}

/* RFC 3461, 6710, 2852. */
static void say_wishes(struct smtp_client *client)
{
    const struct client_letter *letter = &client->letter;
    struct buffer *out = &client->out;

    if (client_has(client, CLIENT_DSN) && letter->ret != DSN_RET_UNSAID)
        buffer_put_text(out, letter->ret == DSN_RET_FULL ? " RET=FULL" : " RET=HDRS");
    if (client_has(client, CLIENT_DSN) && letter->envid.n > 0) {
        buffer_put(out, BYTES(" ENVID="));
        buffer_put(out, letter->envid);
    }
    if (client_has(client, CLIENT_MT_PRIORITY) && letter->has_priority) {
        buffer_put_text(out, letter->priority < 0 ? " MT-PRIORITY=-" : " MT-PRIORITY=");
        buffer_put_uint(out, (uint64_t)(letter->priority < 0 ? -letter->priority
                                                             : letter->priority));
    }
    if (client_has(client, CLIENT_DELIVERBY) && letter->by_s != 0) {
        buffer_put_text(out, letter->by_s < 0 ? " BY=-" : " BY=");
        buffer_put_uint(out, (uint64_t)(letter->by_s < 0 ? -letter->by_s : letter->by_s));
        buffer_put_text(out, letter->by_return ? ";R" : ";N");
        buffer_put_text(out, letter->by_trace ? "T" : "");
    }
}

static void say_mail(struct smtp_client *client)
{
    const struct client_letter *letter = &client->letter;
    struct buffer *out = &client->out;

    buffer_put(out, BYTES("MAIL FROM:<"));
    buffer_put(out, letter->sender);
    buffer_put_char(out, '>');
    if (client_has(client, CLIENT_SIZE) && letter->size > 0) {
        buffer_put(out, BYTES(" SIZE="));
        buffer_put_uint(out, letter->size);
    }
    if (letter->body == BODY_BINARYMIME && !letter->ask_only)
        buffer_put(out, BYTES(" BODY=BINARYMIME"));
    else if (letter->body == BODY_8BITMIME && client_has(client, CLIENT_8BITMIME))
        buffer_put(out, BYTES(" BODY=8BITMIME"));
    if (letter->smtputf8)
        buffer_put(out, BYTES(" SMTPUTF8"));
    if (letter->require_tls)
        buffer_put(out, BYTES(" REQUIRETLS"));
    if (letter->recipe > 0) {
        buffer_put(out, BYTES(" CONTENT-RECIPE="));
        buffer_put_uint(out, letter->recipe);
    }
    say_wishes(client);
    buffer_put(out, BYTES("\r\n"));
    client_expect(client, EXPECT_MAIL, 0);
}

static void say_notify(struct buffer *out, unsigned notify)
{
    static const struct { unsigned bit; const char *word; } words[] = {
        { DSN_NEVER, "NEVER" }, { DSN_SUCCESS, "SUCCESS" }, { DSN_FAILURE, "FAILURE" },
        { DSN_DELAY, "DELAY" },
    };
    const char *before = " NOTIFY=";

    for (size_t i = 0; i < COUNT(words); i++)
        if ((notify & words[i].bit) != 0) {
            buffer_put_text(out, before);
            buffer_put_text(out, words[i].word);
            before = ",";
        }
}

static void say_rcpt(struct smtp_client *client)
{
    const struct recipient *to = &client->letter.recipients[client->said];
    struct buffer *out = &client->out;

    buffer_put(out, BYTES("RCPT TO:<"));
    buffer_put(out, to->address);
    buffer_put_char(out, '>');
    if (client_has(client, CLIENT_DSN)) {
        say_notify(out, to->notify);
        if (to->orcpt.n > 0) {
            buffer_put(out, BYTES(" ORCPT="));
            buffer_put(out, to->orcpt);
        }
    }
    buffer_put(out, BYTES("\r\n"));
    client_expect(client, EXPECT_RCPT, client->said++);
}

/* The commands are said: what of the text? */
static void say_text(struct smtp_client *client)
{
    if (client->letter.ask_only) {
        client->text = TEXT_NONE;
    } else if (client_has(client, CLIENT_CHUNKING)) {
        client->text = TEXT_GOES;
    } else {
        client_say(client, "DATA", EXPECT_DATA);
    }
}

void client_say_letter(struct smtp_client *client)
{
    if (client->used)
        client_say(client, "RSET", EXPECT_RSET);
    client->used = true;
    if (!client_has(client, CLIENT_PIPELINING)) {
        if (client->expects_n == 0)
            say_mail(client);
        return;
    }
    say_mail(client);
    while (client->said < client->letter.n)
        say_rcpt(client);
    say_text(client);
}

void client_say_next(struct smtp_client *client)
{
    if (client_has(client, CLIENT_PIPELINING) || client->state != CLIENT_SENDS
        || client->text != TEXT_WAITS || client->expects_n > 0 || client->left == 0)
        return;
    if (client->said < client->letter.n)
        say_rcpt(client);
    else
        say_text(client);
}

void client_say_no_text(struct smtp_client *client)
{
    buffer_put(&client->out, BYTES(".\r\n"));
    if (client->kind == CLIENT_SMTP) {
        client->text = TEXT_ENDED;
        client_expect(client, EXPECT_END, 0);
    } else {                                /* how many answers come, servers disagree */
        client->text = TEXT_NONE;
        client->distrusted = true;
    }
}

bool smtp_client_wants_text(const struct smtp_client *client)
{
    size_t ahead = client_has(client, CLIENT_PIPELINING) ? CLIENT_CHUNKS_AHEAD : 1;

    return client->state == CLIENT_SENDS && client->text == TEXT_GOES && !client->spreads
        && client->left > 0 && client->chunks < ahead && !client->out.bad;
}

/* One answer; in LMTP one for each recipient that may still get it (RFC 2033, 4.2). */
static void expect_end(struct smtp_client *client)
{
    client->text = TEXT_ENDED;
    if (client->kind == CLIENT_SMTP) {
        client_expect(client, EXPECT_END, 0);
        return;
    }
    for (size_t i = 0; i < client->letter.n; i++)
        if (!client->over[i])
            client_expect(client, EXPECT_END, i);
}

void client_expect_no_end(struct smtp_client *client, size_t recipient)
{
    size_t kept = 0;

    if (client->kind == CLIENT_SMTP)        /* it is one for all, and comes all the same */
        return;
    for (size_t i = 0; i < client->expects_n; i++) {
        struct expect expect = client->expects[(client->expects_at + i) % CLIENT_EXPECTS];
        if (expect.kind != EXPECT_END || expect.recipient != recipient)
            client->expects[(client->expects_at + kept++) % CLIENT_EXPECTS] = expect;
    }
    client->expects_n = kept;
}

void smtp_client_text(struct smtp_client *client, struct bytes text, bool last)
{
    struct buffer *out = &client->out;

    assert(smtp_client_wants_text(client));
    if (client_has(client, CLIENT_CHUNKING)) {
        if (text.n == 0 && !last)
            return;
        buffer_put(out, BYTES("BDAT "));
        buffer_put_uint(out, text.n);
        buffer_put_text(out, last ? " LAST\r\n" : "\r\n");
        buffer_put(out, text);
        if (!last) {
            client->chunks++;
            client_expect(client, EXPECT_CHUNK, 0);
        }
    } else {
        stuff_put(&client->stuff, text, out);
        if (last)
            stuff_finish(&client->stuff, out);
    }
    if (last && !out->bad)
        expect_end(client);
}

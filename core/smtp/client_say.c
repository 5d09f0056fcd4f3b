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

void client_say_hello(struct smtp_client *client)
{
    buffer_put(&client->out, BYTES("LHLO "));
    buffer_put(&client->out, client->host);
    buffer_put(&client->out, BYTES("\r\n"));
    client_expect(client, EXPECT_HELLO, 0);
}

struct status_code client_unfit(const struct smtp_client *client,
                                const struct client_letter *letter, const char **ret_words)
{
    bool binary = client_has(client, CLIENT_BINARYMIME) && client_has(client, CLIENT_CHUNKING);

    *ret_words = NULL;
    if (letter->smtputf8 && !client_has(client, CLIENT_SMTPUTF8)) {
        *ret_words = "the letter needs SMTPUTF8 (UTF-8 in addresses or header), and the next"
                     " server does not offer it";
        return STATUS(5, 6, 7);
    }
    if (letter->ask_only)
        return STATUS(0, 0, 0);
    if (letter->body == BODY_BINARYMIME && !binary)
        *ret_words = "the letter is binary, and the next server offers no BINARYMIME";
    else if (letter->body == BODY_8BITMIME && !client_has(client, CLIENT_8BITMIME))
        *ret_words = "the letter has 8-bit octets, and the next server offers no 8BITMIME";
    if (*ret_words != NULL)
        return STATUS(5, 6, 3);
    if (client_has(client, CLIENT_SIZE) && client->size_most > 0
        && letter->size > client->size_most) {
        *ret_words = "the letter is larger than the next server takes";
        return STATUS(5, 3, 4);
    }
    return STATUS(0, 0, 0);
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
    buffer_put(out, BYTES("\r\n"));
    client_expect(client, EXPECT_MAIL, 0);
}

static void say_rcpt(struct smtp_client *client)
{
    buffer_put(&client->out, BYTES("RCPT TO:<"));
    buffer_put(&client->out, client->letter.recipients[client->said]);
    buffer_put(&client->out, BYTES(">\r\n"));
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
        buffer_put(&client->out, BYTES("DATA\r\n"));
        client_expect(client, EXPECT_DATA, 0);
    }
}

void client_say_letter(struct smtp_client *client)
{
    if (client->used) {
        buffer_put(&client->out, BYTES("RSET\r\n"));
        client_expect(client, EXPECT_RSET, 0);
    }
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
    client->text = TEXT_NONE;
    client->distrusted = true;
}

bool smtp_client_wants_text(const struct smtp_client *client)
{
    size_t ahead = client_has(client, CLIENT_PIPELINING) ? CLIENT_CHUNKS_AHEAD : 1;

    return client->state == CLIENT_SENDS && client->text == TEXT_GOES && !client->spreads
        && client->left > 0 && client->chunks < ahead;
}

/* Each recipient that may still get it will be answered for (RFC 2033, 4.2). */
static void expect_end(struct smtp_client *client)
{
    client->text = TEXT_ENDED;
    for (size_t i = 0; i < client->letter.n; i++)
        if (!client->over[i])
            client_expect(client, EXPECT_END, i);
}

void client_expect_no_end(struct smtp_client *client, size_t recipient)
{
    size_t kept = 0;

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
    if (last)
        expect_end(client);
}

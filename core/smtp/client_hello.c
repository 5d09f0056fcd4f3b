/* SPDX-License-Identifier: ISC
 *
 * How a connection begins:
 *
 *   greeting -> EHLO -> [STARTTLS -> handshake -> EHLO] -> [AUTH] -> ready
 *                \-> HELO where EHLO is not known
 *
 * Whoever may change what is said in clear can take STARTTLS out of it: with CLIENT_TLS_MUST that
 * ends the connection.
 */
#include "smtp/client_int.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/number.h"

/* ---- what the caller wants */

void smtp_client_set_tls(struct smtp_client *client, enum client_tls tls)
{
    client->tls = tls;
}

void smtp_client_avoid(struct smtp_client *client, unsigned extensions)
{
    client->avoided = extensions;
}

void smtp_client_say_helo(struct smtp_client *client)
{
    client->plain_helo = true;
}

void smtp_client_sign_in(struct smtp_client *client, struct bytes user, struct bytes password)
{
    client->user = user;
    client->password = password;
}

bool smtp_client_is_secure(const struct smtp_client *client) { return client->secure; }

bool smtp_client_lacks_tls(const struct smtp_client *client) { return client->lacks_tls; }

size_t smtp_client_rcpt_most(const struct smtp_client *client)
{
    return client->rcpt_most == 0 || client->rcpt_most > CLIENT_RECIPIENTS
         ? CLIENT_RECIPIENTS : (size_t)client->rcpt_most;
}

size_t smtp_client_mail_most(const struct smtp_client *client)
{
    return client->mail_most == 0 ? SIZE_MAX : (size_t)client->mail_most;
}

/* ---- what the server offers */

static const struct { const char *word; enum client_extension extension; } extensions[] = {
    { "PIPELINING", CLIENT_PIPELINING }, { "CHUNKING", CLIENT_CHUNKING },
    { "8BITMIME", CLIENT_8BITMIME }, { "BINARYMIME", CLIENT_BINARYMIME },
    { "SMTPUTF8", CLIENT_SMTPUTF8 }, { "SIZE", CLIENT_SIZE },
    { "ENHANCEDSTATUSCODES", CLIENT_STATUS_CODES }, { "DSN", CLIENT_DSN },
    { "STARTTLS", CLIENT_STARTTLS_OFFERED }, { "REQUIRETLS", CLIENT_REQUIRETLS },
    { "MT-PRIORITY", CLIENT_MT_PRIORITY }, { "DELIVERBY", CLIENT_DELIVERBY },
};

/* RCPTMAX=100 MAILMAX=5 (RFC 9422, 4). */
static void take_limits(struct smtp_client *client, struct bytes rest)
{
    struct bytes word, name;
    uint64_t number;

    while (bytes_cut(&rest, ' ', &word)) {
        name = bytes_upto(word, '=');
        if (!number_parse(bytes_skip(word, name.n + 1), &number) || number == 0)
            continue;
        if (bytes_equal_nocase(name, BYTES("RCPTMAX")))
            client->rcpt_most = number;
        else if (bytes_equal_nocase(name, BYTES("MAILMAX")))
            client->mail_most = number;
    }
}

/* The versions of recipes that it reads. */
static void take_recipe(struct smtp_client *client, struct bytes rest)
{
    struct bytes word;

    while (bytes_cut(&rest, ' ', &word))
        if (bytes_equal(word, BYTES("1")))
            client->extensions |= CLIENT_RECIPE & ~client->avoided;
}

/* Old servers write AUTH=LOGIN for AUTH LOGIN. */
static void take_auth(struct smtp_client *client, struct bytes rest)
{
    struct bytes word;

    while (bytes_cut(&rest, ' ', &word)) {
        if (bytes_equal_nocase(word, BYTES("PLAIN")))
            client->extensions |= CLIENT_AUTH_PLAIN;
        else if (bytes_equal_nocase(word, BYTES("LOGIN")))
            client->extensions |= CLIENT_AUTH_LOGIN;
    }
}

void client_take_extension(struct smtp_client *client, struct bytes line)
{
    struct bytes word = bytes_upto(bytes_upto(line, ' '), '='), rest = bytes_skip(line, word.n + 1);
    uint64_t number;

    for (size_t i = 0; i < COUNT(extensions); i++)
        if (bytes_equal_nocase(word, bytes_of(extensions[i].word)))
            client->extensions |= extensions[i].extension;
    client->extensions &= ~client->avoided;
    if (bytes_equal_nocase(word, BYTES("SIZE")) && number_parse(bytes_trim(rest), &number))
        client->size_most = number;
    else if (bytes_equal_nocase(word, BYTES("DELIVERBY"))
             && number_parse(bytes_trim(rest), &number))
        client->by_least_s = number;
    else if (bytes_equal_nocase(word, BYTES("LIMITS")))
        take_limits(client, rest);
    else if (bytes_equal_nocase(word, BYTES("AUTH")))
        take_auth(client, rest);
    else if (bytes_equal_nocase(word, BYTES("CONTENT-RECIPE")))
        take_recipe(client, rest);
}

/* ---- EHLO */

static void say_hello(struct smtp_client *client)
{
    bool helo = client->plain_helo;

    buffer_put_text(&client->out, client->kind == CLIENT_LMTP ? "LHLO " : helo ? "HELO " : "EHLO ");
    buffer_put(&client->out, client->host);
    buffer_put(&client->out, BYTES("\r\n"));
    client_expect(client, helo ? EXPECT_HELO : EXPECT_HELLO, 0);
}

void client_on_greeting(struct smtp_client *client)
{
    if (client->answer.code / 100 == 2)
        say_hello(client);
    else
        client_leave_as_said(client);
}

/* RFC 5321, 3.2: a server that does not know EHLO is spoken to with HELO. */
static bool knows_no_ehlo(const struct smtp_client *client)
{
    unsigned code = client->answer.code;

    return client->kind == CLIENT_SMTP && !client->plain_helo && !client->secure
        && (code == 500 || code == 501 || code == 502 || code == 504 || code == 550);
}

static void lack_tls(struct smtp_client *client, const char *words)
{
    client->lacks_tls = true;
    client_leave(client, STATUS(4, 7, 10), bytes_of(words));
}

static void ready(struct smtp_client *client)
{
    client->state = CLIENT_IDLE;
    client->greeted = true;
}

static void begin_auth(struct smtp_client *client);

/* TLS first, if it is to be; then AUTH. */
static void after_hello(struct smtp_client *client)
{
    bool offered = client_has(client, CLIENT_STARTTLS_OFFERED);

    if (!client->secure && client->tls == CLIENT_TLS_MUST && !offered)
        lack_tls(client, "the server offers no STARTTLS, and the letter may not go in clear");
    else if (!client->secure && client->tls != CLIENT_TLS_NEVER && offered)
        client_say(client, "STARTTLS", EXPECT_STARTTLS);
    else if (client->user.n > 0)
        begin_auth(client);
    else
        ready(client);
}

void client_on_hello(struct smtp_client *client, bool helo)
{
    if (client->answer.code / 100 == 2) {
        if (helo)
            client->extensions = 0;
        after_hello(client);
    } else if (knows_no_ehlo(client)) {
        client->plain_helo = true;
        say_hello(client);
    } else {
        client_leave_as_said(client);
    }
}

/* ---- STARTTLS */

void client_on_starttls(struct smtp_client *client, struct bytes in)
{
    if (client->answer.code == 220 && in.n > 0) {   /* CVE-2021-38371: it is nobody's we know */
        client_leave(client, STATUS(4, 7, 5), BYTES("the server spoke in clear after STARTTLS"));
    } else if (client->answer.code == 220) {
        client->starts_tls = true;
    } else if (client->tls == CLIENT_TLS_MUST) {
        lack_tls(client, "the server offers STARTTLS and refuses it");
    } else {
        client->tls = CLIENT_TLS_NEVER;
        after_hello(client);
    }
}

void smtp_client_secured(struct smtp_client *client)
{
    client->secure = true;
    client->extensions = 0;
    client->size_most = client->rcpt_most = client->mail_most = client->by_least_s = 0;
    client->plain_helo = false;
    say_hello(client);
}

/* ---- AUTH */

static void put_coded(struct smtp_client *client, struct bytes text)
{
    base64_encode(&client->out, text);
    buffer_put(&client->out, BYTES("\r\n"));
    client_expect(client, EXPECT_AUTH, 0);
}

static void begin_auth(struct smtp_client *client)
{
    struct buffer plain = buffer_with_most(2048);

    if (client_has(client, CLIENT_AUTH_PLAIN)) {
        client->auth = AUTH_PLAIN;
        buffer_put_char(&plain, '\0');
        buffer_put(&plain, client->user);
        buffer_put_char(&plain, '\0');
        buffer_put(&plain, client->password);
        buffer_put(&client->out, BYTES("AUTH PLAIN "));
        put_coded(client, buffer_bytes(&plain));
    } else if (client_has(client, CLIENT_AUTH_LOGIN)) {
        client->auth = AUTH_LOGIN;
        client_say(client, "AUTH LOGIN", EXPECT_AUTH);
    } else {
        client_leave(client, STATUS(4, 7, 0),
                     BYTES("the server offers no way to sign in that we know"));
    }
    if (plain.room > 0)
        mem_wipe(plain.at, plain.room);
    if (plain.bad)
        client_leave(client, STATUS(4, 3, 0), BYTES("memory is short"));
    buffer_done(&plain);
}

void client_on_auth(struct smtp_client *client)
{
    if (client->answer.code == 235) {
        client->auth = AUTH_NONE;
        ready(client);
    } else if (client->answer.code == 334 && client->auth == AUTH_LOGIN) {
        client->auth = AUTH_LOGIN_PASSWORD;
        put_coded(client, client->user);
    } else if (client->answer.code == 334 && client->auth == AUTH_LOGIN_PASSWORD) {
        client->auth = AUTH_NONE;
        put_coded(client, client->password);
    } else if (client->answer.code / 100 == 3) {
        client_leave(client, STATUS(4, 5, 0), BYTES("the server asks for more than was agreed"));
    } else {
        client_leave_as_said(client);
    }
}

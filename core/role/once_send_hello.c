/* SPDX-License-Identifier: ISC
 *
 * How a dialogue begins.
 */
#include "role/once_send_int.h"

#include "base/base64.h"
#include "base/number.h"

/* ---- what the server offers */

static const struct {
    const char *word;
    enum send_extension extension;
} extensions[] = {
    { "PIPELINING", SEND_PIPELINING }, { "CHUNKING", SEND_CHUNKING },
    { "8BITMIME", SEND_8BITMIME }, { "BINARYMIME", SEND_BINARYMIME },
    { "SMTPUTF8", SEND_SMTPUTF8 }, { "SIZE", SEND_SIZE }, { "DSN", SEND_DSN },
    { "STARTTLS", SEND_STARTTLS }, { "REQUIRETLS", SEND_REQUIRETLS },
    { "MT-PRIORITY", SEND_MT_PRIORITY }, { "DELIVERBY", SEND_DELIVERBY },
};

static void take_auth(struct sender *sender, struct bytes rest)
{
    struct bytes word;

    while (bytes_cut(&rest, ' ', &word)) {
        if (bytes_equal_nocase(word, BYTES("PLAIN")))
            sender->extensions |= SEND_AUTH_PLAIN;
        else if (bytes_equal_nocase(word, BYTES("LOGIN")))
            sender->extensions |= SEND_AUTH_LOGIN;
    }
}

static void take_recipe(struct sender *sender, struct bytes rest)
{
    struct bytes version;

    while (bytes_cut(&rest, ' ', &version))
        if (bytes_equal(version, BYTES("1")))
            sender->extensions |= SEND_RECIPE;
}

void send_take_extension(struct sender *sender, struct bytes line)
{
    struct bytes word = bytes_upto(bytes_upto(line, ' '), '='), rest = bytes_skip(line, word.n + 1);

    for (size_t i = 0; i < COUNT(extensions); i++)
        if (bytes_equal_nocase(word, bytes_of(extensions[i].word)))
            sender->extensions |= extensions[i].extension;
    if (bytes_equal_nocase(word, BYTES("AUTH")))
        take_auth(sender, rest);
    else if (bytes_equal_nocase(word, BYTES("CONTENT-RECIPE")))
        take_recipe(sender, rest);
}

/* ---- EHLO */

static void say_hello(struct sender *sender, bool plain)
{
    struct buffer line = buffer_with_most(SEND_LINE_MOST);

    sender->extensions = 0;
    buffer_put_text(&line, sender->order->lmtp ? "LHLO " : plain ? "HELO " : "EHLO ");
    buffer_put(&line, sender->means->host);
    send_say(sender, buffer_bytes(&line), plain ? ABOUT_HELO : ABOUT_HELLO, 0);
    buffer_done(&line);
}

/* RFC 5321, 3.2: a server that does not know EHLO is spoken to with HELO. */
static bool knows_no_ehlo(const struct sender *sender, enum send_about about)
{
    unsigned code = sender->answer.code;

    return about == ABOUT_HELLO && !sender->order->lmtp && !sender->secure
        && (code == 500 || code == 501 || code == 502 || code == 504 || code == 550);
}

static void on_hello(struct sender *sender, enum send_about about)
{
    if (send_well(sender))
        sender->place = PLACE_READY;
    else if (knows_no_ehlo(sender, about))
        say_hello(sender, true);
    else
        send_fail_as_said(sender);
}

/* ---- STARTTLS */

void send_want_tls(struct sender *sender)
{
    sender->wants_tls = sender->in.n == 0;
    if (sender->wants_tls)
        return;
    /* CVE-2021-38371: whose octets these are nobody can tell. */
    buffer_clear(&sender->in);
    send_fail(sender, ONCE_PROTOCOL, "the server spoke in clear behind its answer to STARTTLS");
    sender->place = PLACE_OVER;
}

static void on_starttls(struct sender *sender)
{
    if (sender->answer.code == 220) {
        send_want_tls(sender);
    } else if (sender->order->tls == SEND_TLS_STARTTLS || sender->order->verify) {
        send_fail_as_said(sender);
    } else {
        send_show_note(sender, BYTES("the server offers STARTTLS and refuses it: on in clear"), 0);
        sender->extensions &= ~(unsigned)SEND_STARTTLS;
    }
}

void sender_secured(struct sender *sender, const struct send_tls_facts *facts, uint64_t began_us,
                    uint64_t now_us)
{
    sender->now_us = sender->patient_from_us = now_us;
    sender->wants_tls = false;
    sender->secure = true;
    sender->proved = facts->verdict.proved;
    sender->place = sender->place == PLACE_BEGIN || sender->place == PLACE_SCRIPT ? sender->place
                                                                                 : PLACE_GREETED;
    send_show_tls(sender, facts, now_us - began_us);
}

/* ---- AUTH */

void send_know_secrets(struct sender *sender)
{
    struct bytes user = sender->order->user, password = sender->means->password;
    struct buffer plain = buffer_with_most(SEND_LINE_MOST);

    if (password.n > 0) {
        buffer_put_char(&plain, '\0');
        buffer_put(&plain, user);
        buffer_put_char(&plain, '\0');
        buffer_put(&plain, password);
        base64_encode(&sender->secrets[0], buffer_bytes(&plain));
        base64_encode(&sender->secrets[1], password);
        buffer_put(&sender->secrets[2], password);
        mem_wipe(plain.at, plain.room);
    }
    buffer_done(&plain);
}

static void say_coded(struct sender *sender, const char *command, struct bytes coded,
                      const char *shown)
{
    struct buffer line = buffer_with_most(2 * SEND_LINE_MOST);
    struct buffer safe = buffer_with_most(SEND_LINE_MOST);

    buffer_put_text(&line, command);
    buffer_put(&line, coded);
    buffer_put_text(&safe, command);
    buffer_put_text(&safe, shown);
    send_put_line(sender, buffer_bytes(&line), buffer_bytes(&safe));
    send_expect(sender, ABOUT_AUTH, 0);
    if (line.room > 0)
        mem_wipe(line.at, line.room);
    buffer_done(&line);
    buffer_done(&safe);
}

/* A password is no secret from whoever answers. */
static bool may_sign_in(const struct sender *sender)
{
    return sender->order->force || sender->peer.trusted_way
        || (sender->secure && sender->proved);
}

static void begin_auth(struct sender *sender)
{
    struct bytes wanted = sender->order->mechanism;
    bool plain = wanted.n > 0 ? bytes_equal_nocase(wanted, BYTES("PLAIN"))
                              : send_has(sender, SEND_AUTH_PLAIN)
                                || !send_has(sender, SEND_AUTH_LOGIN);

    if (!may_sign_in(sender)) {
        send_fail(sender, ONCE_DENIED, sender->secure
                  ? "the password stays here: the certificate does not prove this server "
                    "(--ca-file, or --force)"
                  : "the password stays here: the connection is in clear (--tls, or --force)");
    } else if (!sender->order->force
               && !send_has(sender, plain ? SEND_AUTH_PLAIN : SEND_AUTH_LOGIN)) {
        send_fail(sender, ONCE_UNAVAILABLE, plain
                  ? "this server does not offer AUTH PLAIN (--force says it all the same)"
                  : "this server does not offer AUTH LOGIN (--force says it all the same)");
    } else if (plain) {
        say_coded(sender, "AUTH PLAIN ", buffer_bytes(&sender->secrets[0]), "***");
        sender->auth_steps = 2;
    } else {
        send_say(sender, BYTES("AUTH LOGIN"), ABOUT_AUTH, 0);
        sender->auth_steps = 0;
    }
}

static void on_auth(struct sender *sender)
{
    struct buffer user = buffer_with_most(SEND_LINE_MOST);

    if (send_well(sender)) {
        sender->signed_in = true;
        sender->place = PLACE_READY;
    } else if (sender->answer.code == 334 && sender->auth_steps == 0) {
        base64_encode(&user, sender->order->user);
        say_coded(sender, "", buffer_bytes(&user), "*** (the user)");
        sender->auth_steps = 1;
    } else if (sender->answer.code == 334 && sender->auth_steps == 1) {
        say_coded(sender, "", buffer_bytes(&sender->secrets[1]), "***");
        sender->auth_steps = 2;
    } else if (sender->answer.code / 100 == 3) {
        send_fail(sender, ONCE_PROTOCOL, "the server asks for more than was agreed");
        sender->place = PLACE_OVER;
    } else {
        send_fail_as_said(sender);
        if (sender->answer.code / 100 == 5)
            sender->status = ONCE_DENIED;
    }
    buffer_done(&user);
}

/* ---- what is next */

/* Is this as far as it was to go? */
static bool stops(struct sender *sender, enum send_stage stage)
{
    if (sender->order->stop != stage)
        return false;
    sender->place = PLACE_QUIT;
    return true;
}

static void after_hello(struct sender *sender)
{
    enum send_tls tls = sender->order->tls;
    bool offered = send_has(sender, SEND_STARTTLS);
    bool must = tls == SEND_TLS_STARTTLS || (sender->order->verify && tls != SEND_TLS_NONE);

    if (stops(sender, SEND_HELLO))
        return;
    if (!sender->secure && tls != SEND_TLS_NONE && (offered || (must && sender->order->force)))
        send_say(sender, BYTES("STARTTLS"), ABOUT_STARTTLS, 0);
    else if (!sender->secure && must)
        send_fail(sender, ONCE_UNAVAILABLE, "this server does not offer STARTTLS (--force says "
                  "it all the same)");
    else if (stops(sender, SEND_TLS))
        return;
    else if (sender->order->user.n > 0 && !sender->signed_in)
        begin_auth(sender);
    else if (!stops(sender, SEND_AUTH))
        sender->place = PLACE_RAW;
}

static void say_raw(struct sender *sender)
{
    const struct send_list *raw = &sender->order->raw;
    bool ahead = sender->order->pipeline;

    if (sender->raw_said == raw->n) {
        sender->place = sender->order->to.n > 0 ? PLACE_MAIL : PLACE_QUIT;
        return;
    }
    do
        send_say(sender, raw->list[sender->raw_said++], ABOUT_RAW, 0);
    while (ahead && sender->raw_said < raw->n);
}

void send_next_hello(struct sender *sender)
{
    switch (sender->place) {
    case PLACE_BEGIN:
        if (sender->order->tls == SEND_TLS_IMPLICIT && !sender->secure)
            sender->wants_tls = true;
        else if (sender->order->script.n > 0)
            sender->place = PLACE_SCRIPT;
        else
            send_expect(sender, ABOUT_GREETING, 0);
        break;
    case PLACE_GREETED:
        if (!stops(sender, SEND_GREETING))
            say_hello(sender, false);
        break;
    case PLACE_READY:
        after_hello(sender);
        break;
    case PLACE_RAW:
        say_raw(sender);
        break;
    case PLACE_MAIL: case PLACE_RCPT: case PLACE_TEXT: case PLACE_QUIT: case PLACE_OVER:
    case PLACE_SCRIPT:
        break;
    }
}

void send_on_hello(struct sender *sender, enum send_about about)
{
    switch (about) {
    case ABOUT_GREETING:
        if (send_well(sender))
            sender->place = PLACE_GREETED;
        else
            send_fail_as_said(sender);
        break;
    case ABOUT_HELLO: case ABOUT_HELO:
        on_hello(sender, about);
        break;
    case ABOUT_STARTTLS:
        on_starttls(sender);
        break;
    case ABOUT_AUTH:
        on_auth(sender);
        break;
    case ABOUT_RAW: case ABOUT_MAIL: case ABOUT_RCPT: case ABOUT_DATA: case ABOUT_CHUNK:
    case ABOUT_END: case ABOUT_SCRIPT: case ABOUT_QUIT:
        break;
    }
}

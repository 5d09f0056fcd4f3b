/* SPDX-License-Identifier: ISC */
#include "base/limits.h"
#include "smtp/server_int.h"

#include <assert.h>

static struct reply_words our_name(const struct smtp_server *server)
{
    return (struct reply_words){ .word = server->settings->host };
}

void smtp_server_greet(struct smtp_server *server)
{
    assert(server->mode == MODE_UNGREETED);
    server->note = (struct smtp_note){ .verb = BYTES_NONE, .text = BYTES_NONE };
    server_say(server, REPLY_GREETING, our_name(server));
    server->due &= (uint8_t)~DUE_NOTE;      /* no command was given */
    server->mode = MODE_COMMAND;
}

void smtp_server_refuse(struct smtp_server *server, unsigned reply, struct status_code code,
                        struct bytes text)
{
    struct buffer line = buffer_with_most(LIMIT_REPLY_LINE);

    assert(server->mode == MODE_UNGREETED && reply >= 400 && reply <= 599);
    buffer_put_uint(&line, reply);
    buffer_put_char(&line, ' ');
    status_put(&line, code);
    buffer_put_char(&line, ' ');
    buffer_put(&line, text);
    buffer_put(&line, BYTES("\r\n"));
    if (!line.bad)
        outbox_say_text(&server->outbox, buffer_bytes(&line));
    buffer_done(&line);
    server_close(server);
}

/* RFC 5321, 4.1.1.1, wants a Domain or an address-literal; what peers really say holds a little
   more. It goes into Received and logs, so nothing that ends or escapes there may stand in it. */
bool server_is_name(struct bytes text)
{
    const struct bytes marks = BYTES(".-_:[]%");

    if (text.n == 0 || text.n > LIMIT_DOMAIN)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_alnum(text.at[i]) && bytes_find(marks, text.at[i]) == marks.n)
            return false;
    }
    return true;
}

/* True when the name was kept and the session is as new; else the refusal was said. */
static bool hello(struct smtp_server *server, struct bytes name, bool esmtp)
{
    if (!server_is_name(name)) {
        server_refuse(server, REPLY_BAD_HELO, NO_WORDS);
        return false;
    }
    buffer_clear(&server->helo);
    buffer_put(&server->helo, name);
    if (server->helo.bad) {
        server_say_and_close(server, REPLY_NO_MEMORY, our_name(server));
        return false;
    }
    server->esmtp = esmtp;
    server_reset(server, STATE_READY);
    return true;
}

void run_helo(struct smtp_server *server, struct bytes argument)
{
    if (hello(server, argument, false))
        server_say(server, REPLY_HELO, our_name(server));
}

void run_ehlo(struct smtp_server *server, struct bytes argument)
{
    struct buffer text = buffer_with_most(2 * LIMIT_REPLY_LINE);

    if (!hello(server, argument, true))
        return;
    buffer_put_text(&text, "250-");
    buffer_put(&text, server->settings->host);
    buffer_put_text(&text, "\r\n250-SIZE ");
    buffer_put_uint(&text, server->settings->size_most);
    if (server->secure)
        buffer_put_text(&text, "\r\n250-REQUIRETLS");
    else if (server->settings->starttls)
        buffer_put_text(&text, "\r\n250-STARTTLS");
    if (server->settings->xclient)
        buffer_put_text(&text, "\r\n250-XCLIENT " XCLIENT_ATTRIBUTES);
    buffer_put_text(&text, "\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-PIPELINING"
                           "\r\n250-SMTPUTF8\r\n250-DSN\r\n250-DELIVERBY\r\n250-MT-PRIORITY"
                           "\r\n250-ENHANCEDSTATUSCODES");
    if (server->settings->recipes)
        buffer_put_text(&text, "\r\n250-CONTENT-RECIPE 1");
    buffer_put_text(&text, "\r\n250 LIMITS RCPTMAX=");
    buffer_put_uint(&text, server->settings->recipients_most);
    buffer_put_text(&text, "\r\n");
    if (text.bad) {
        server_say_and_close(server, REPLY_NO_MEMORY, our_name(server));
    } else {
        outbox_say_text(&server->outbox, buffer_bytes(&text));
        server->note.reply = 250;
        server->due |= DUE_NOTE;
    }
    buffer_done(&text);
}

void run_rset(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_reset(server, server->state == STATE_NEW ? STATE_NEW : STATE_READY);
    server_say(server, REPLY_RESET_OK, NO_WORDS);
}

void run_noop(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_say(server, REPLY_NOOP_OK, NO_WORDS);
}

void run_quit(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_say_and_close(server, REPLY_BYE, NO_WORDS);
}

void run_vrfy(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_say(server, REPLY_VRFY, NO_WORDS);
}

void run_expn(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_refuse(server, REPLY_EXPN, NO_WORDS);
}

void run_help(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_say(server, REPLY_HELP, NO_WORDS);
}

/* RFC 3207, 4. */
void run_starttls(struct smtp_server *server, struct bytes argument)
{
    if (server->secure) {
        server_refuse(server, REPLY_SECURE_ALREADY, NO_WORDS);
    } else if (!server->settings->starttls) {
        run_not_offered(server, argument);
    } else {
        server->note.text = BYTES_NONE;     /* what it borrows from may be gone when it is told */
        server->starttls_told = false;
        server->mode = MODE_SECURING;
    }
}

void smtp_server_answer_starttls(struct smtp_server *server, bool yes)
{
    if (server->mode != MODE_SECURING || !server->starttls_told)
        return;
    server_say(server, yes ? REPLY_TLS_GO : REPLY_TLS_NOT_NOW, NO_WORDS);
    if (!yes)
        server->mode = MODE_COMMAND;
}

void smtp_server_secured(struct smtp_server *server)
{
    assert(server->mode == MODE_SECURING || server->mode == MODE_UNGREETED
           || server->mode == MODE_CLOSING);
    server_reset(server, STATE_NEW);
    line_done(&server->line);
    server->line = line_none();
    buffer_clear(&server->helo);
    server->esmtp = server->data_refused = false;
    server->secure = true;
    if (server->mode == MODE_SECURING)
        server->mode = MODE_COMMAND;
}

void run_not_offered(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_refuse(server, REPLY_NOT_OFFERED, NO_WORDS);
}

void run_not_mail(struct smtp_server *server, struct bytes argument)
{
    (void)argument;
    server_say_and_close(server, REPLY_NOT_MAIL, NO_WORDS);
}

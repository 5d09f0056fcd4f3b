/* SPDX-License-Identifier: ISC
 *
 * The envelope and the text: in lock-step, or in one flight.
 */
#include "role/once_send_int.h"

#include "base/utf8.h"
#include "mail/xtext.h"
#include "smtp/stuff.h"

/* ---- what the server must offer */

static bool is_ascii(struct bytes text) { return utf8_ascii(text) == text.n; }

static bool has_utf8_address(const struct sender *sender)
{
    bool ascii = is_ascii(sender->means->from);

    for (size_t i = 0; i < sender->order->to.n; i++)
        ascii = ascii && is_ascii(sender->order->to.list[i]);
    return !ascii;
}

/* What is wanted and not offered; "" when there is nothing. */
static const char *lack_of(const struct sender *sender)
{
    const struct send_order *order = sender->order;
    const struct { bool wanted; enum send_extension extension; const char *words; } needs[] = {
        { order->recipe, SEND_RECIPE, "CONTENT-RECIPE 1, which --recipe needs" },
        { order->pipeline, SEND_PIPELINING, "PIPELINING" },
        { order->bdat, SEND_CHUNKING, "CHUNKING" },
        { order->binarymime || order->recipe, SEND_BINARYMIME, "BINARYMIME" },
        { order->eight_bit, SEND_8BITMIME, "8BITMIME" },
        { order->smtputf8, SEND_SMTPUTF8, "SMTPUTF8" },
        { has_utf8_address(sender), SEND_SMTPUTF8, "SMTPUTF8, which an address needs" },
        { order->require_tls, SEND_REQUIRETLS,
          sender->secure ? "REQUIRETLS" : "REQUIRETLS, which is for TLS alone" },
        { order->size.n > 0, SEND_SIZE, "SIZE" },
        { order->ret.n > 0 || order->envid.n > 0 || order->notify.n > 0 || order->orcpt.n > 0,
          SEND_DSN, "DSN" },
        { order->priority.n > 0, SEND_MT_PRIORITY, "MT-PRIORITY" },
        { order->by.n > 0, SEND_DELIVERBY, "DELIVERBY" },
    };

    for (size_t i = 0; i < COUNT(needs) && !order->force; i++)
        if (needs[i].wanted && !send_has(sender, needs[i].extension))
            return needs[i].words;
    return "";
}

static bool lacks(struct sender *sender)
{
    struct buffer words = buffer_with_most(200);
    const char *lack = lack_of(sender);

    if (lack[0] == '\0')
        return false;
    buffer_put_text(&words, "this server does not offer ");
    buffer_put_text(&words, lack);
    buffer_put_text(&words, "; nothing was sent (--force says it all the same)");
    buffer_put_char(&words, '\0');
    send_fail(sender, ONCE_UNAVAILABLE, words.bad ? lack : words.at);
    buffer_done(&words);
    return true;
}

/* ---- commands */

static void put_param(struct buffer *to, const char *name, struct bytes value)
{
    buffer_put_text(to, name);
    buffer_put(to, value);
}

static void put_upper(struct buffer *to, const char *name, struct bytes value)
{
    buffer_put_text(to, name);
    for (size_t i = 0; i < value.n; i++)
        buffer_put_char(to, to_upper(value.at[i]));
}

static void put_size(struct sender *sender, struct buffer *to)
{
    if (sender->order->size.n > 0) {
        put_param(to, " SIZE=", sender->order->size);
    } else if (send_has(sender, SEND_SIZE) && sender->means->text.n > 0) {
        buffer_put_text(to, " SIZE=");
        buffer_put_uint(to, sender->means->text.n);
    }
}

static void put_body(struct sender *sender, struct buffer *to)
{
    bool eight = send_has(sender, SEND_8BITMIME) && !is_ascii(sender->means->text);

    if (sender->order->binarymime || sender->recipe_n > 0)
        buffer_put_text(to, " BODY=BINARYMIME");
    else if (sender->order->eight_bit || eight)
        buffer_put_text(to, " BODY=8BITMIME");
}

static void say_mail(struct sender *sender)
{
    const struct send_order *order = sender->order;
    struct buffer line = buffer_with_most(8 * SEND_LINE_MOST);

    put_param(&line, "MAIL FROM:<", sender->means->from);
    buffer_put_char(&line, '>');
    put_size(sender, &line);
    put_body(sender, &line);
    if (sender->recipe_n > 0) {
        buffer_put_text(&line, " CONTENT-RECIPE=");
        buffer_put_uint(&line, sender->recipe_n);
    }
    if (order->smtputf8 || (has_utf8_address(sender) && send_has(sender, SEND_SMTPUTF8)))
        buffer_put_text(&line, " SMTPUTF8");
    if (order->require_tls)
        buffer_put_text(&line, " REQUIRETLS");
    if (order->ret.n > 0)
        put_upper(&line, " RET=", order->ret);
    if (order->envid.n > 0) {
        buffer_put_text(&line, " ENVID=");
        xtext_put(&line, order->envid);
    }
    if (order->priority.n > 0)
        put_param(&line, " MT-PRIORITY=", order->priority);
    if (order->by.n > 0)
        put_upper(&line, " BY=", order->by);
    for (size_t i = 0; i < order->mail_params.n; i++)
        put_param(&line, " ", order->mail_params.list[i]);
    send_say(sender, buffer_bytes(&line), ABOUT_MAIL, 0);
    sender->envelope = true;
    buffer_done(&line);
}

static void say_rcpt(struct sender *sender)
{
    const struct send_order *order = sender->order;
    struct buffer line = buffer_with_most(8 * SEND_LINE_MOST);
    size_t i = sender->rcpt_said++;

    put_param(&line, "RCPT TO:<", order->to.list[i]);
    buffer_put_char(&line, '>');
    if (order->notify.n > 0)
        put_upper(&line, " NOTIFY=", order->notify);
    if (order->orcpt.n > 0) {
        buffer_put_text(&line, " ORCPT=");
        orcpt_put(&line, order->orcpt);
    }
    for (size_t j = 0; j < order->rcpt_params.n; j++)
        put_param(&line, " ", order->rcpt_params.list[j]);
    send_say(sender, buffer_bytes(&line), ABOUT_RCPT, i);
    buffer_done(&line);
}

/* ---- the text */

/* What of it has not been said, in chunks: one, or as many as may be on their way at once. */
static void say_chunks(struct sender *sender)
{
    struct bytes rest = bytes_skip(send_wire_text(sender), sender->text_said);
    struct buffer line = buffer_with_most(64);
    bool more = true;

    while (more) {
        struct bytes part = sender->order->chunk == 0 ? rest
                                                      : bytes_first(rest, sender->order->chunk);
        bool last = part.n == rest.n;
        buffer_clear(&line);
        buffer_put_text(&line, "BDAT ");
        buffer_put_uint(&line, part.n);
        buffer_put_text(&line, last ? " LAST" : "");
        send_say(sender, buffer_bytes(&line), last ? ABOUT_END : ABOUT_CHUNK, 0);
        buffer_put(&sender->out, part);
        send_show_octets(sender, part.n);
        sender->text_said += part.n;
        sender->text_over = last;
        rest = bytes_skip(rest, part.n);
        more = sender->order->pipeline && !last && sender->expects_n + 2 < SEND_EXPECTS;
    }
    buffer_done(&line);
}

/* After 354. Nobody is left to get it: an empty text, and the server says what it thinks of it. */
static void say_text(struct sender *sender)
{
    struct bytes text = sender->means->text;
    struct stuff stuff = { .inside = false };
    bool nobody = true;

    for (size_t i = 0; i < sender->order->to.n; i++)
        nobody = nobody && !sender->results[i].accepted;
    if (nobody)
        text = BYTES_NONE;
    if (sender->order->as_is && !nobody) {
        buffer_put(&sender->out, text);
        buffer_put_text(&sender->out, bytes_ends(text, BYTES("\r\n")) ? ".\r\n" : "\r\n.\r\n");
    } else {
        stuff_put(&stuff, text, &sender->out);
        stuff_finish(&stuff, &sender->out);
    }
    sender->text_said = text.n;
    sender->text_over = true;
    send_show_octets(sender, text.n);
    send_show_said(sender, BYTES("."));
    send_expect(sender, ABOUT_END, 0);
}

/* ---- what is next */

static bool stops(struct sender *sender, enum send_stage stage)
{
    if (sender->order->stop != stage)
        return false;
    sender->place = PLACE_QUIT;
    return true;
}

/* MAIL, all RCPT and DATA or the text behind BDAT leave at once. DATA comes last: its text waits
   for the answer. */
static void say_all(struct sender *sender)
{
    say_mail(sender);
    while (sender->order->stop != SEND_MAIL && sender->rcpt_said < sender->order->to.n)
        say_rcpt(sender);
    sender->place = PLACE_TEXT;
    if (stops(sender, SEND_MAIL) || stops(sender, SEND_RCPT))
        return;
    if (sender->order->bdat)
        say_chunks(sender);
    else
        send_say(sender, BYTES("DATA"), ABOUT_DATA, 0);
}

static bool is_taken_by_anybody(const struct sender *sender)
{
    for (size_t i = 0; i < sender->order->to.n; i++)
        if (sender->results[i].accepted)
            return true;
    return false;
}

static void say_rcpt_or_text(struct sender *sender)
{
    if (sender->rcpt_said < sender->order->to.n)
        say_rcpt(sender);
    else if (stops(sender, SEND_RCPT))
        return;
    else if (is_taken_by_anybody(sender))
        sender->place = PLACE_TEXT;
    else
        sender->place = PLACE_QUIT;
}

void send_next_mail(struct sender *sender)
{
    switch (sender->place) {
    case PLACE_MAIL:
        if (lacks(sender))
            return;
        send_make_recipe(sender);
        if (sender->order->pipeline)
            say_all(sender);
        else
            say_mail(sender);
        break;
    case PLACE_RCPT:
        if (!stops(sender, SEND_MAIL))
            say_rcpt_or_text(sender);
        break;
    case PLACE_TEXT:
        if (sender->text_over)
            sender->place = PLACE_QUIT;
        else if (sender->order->bdat)
            say_chunks(sender);
        else
            send_say(sender, BYTES("DATA"), ABOUT_DATA, 0);
        break;
    case PLACE_BEGIN: case PLACE_GREETED: case PLACE_READY: case PLACE_RAW: case PLACE_QUIT:
    case PLACE_OVER: case PLACE_SCRIPT:
        break;
    }
}

/* ---- replies */

static void keep(struct sender *sender, struct send_result *result, enum send_outcome outcome,
                 struct bytes words, bool said)
{
    result->outcome = outcome;
    result->code = said ? sender->answer.code : 0;
    result->status = said ? sender->answer.status : STATUS(0, 0, 0);
    result->address = said ? sender->about : BYTES_NONE;
    result->words = arena_copy(&sender->memory, words);
    if (result->words.at == NULL)
        result->words = BYTES_NONE;
}

static void keep_reply(struct sender *sender, struct send_result *result)
{
    unsigned code = sender->answer.code;
    enum send_outcome outcome = code / 100 == 2 ? OUTCOME_TAKEN
                              : code / 100 == 4 ? OUTCOME_LATER : OUTCOME_REFUSED;

    keep(sender, result, outcome, buffer_bytes(&sender->reply), true);
}

void send_result_all(struct sender *sender, enum send_outcome outcome, struct bytes words)
{
    bool said = sender->reply.n > 0 && words.at == sender->reply.at;

    for (size_t i = 0; i < sender->order->to.n; i++)
        if (sender->results[i].outcome == OUTCOME_NONE)
            keep(sender, &sender->results[i], outcome, words, said);
}

/* LMTP: of the next one who was accepted and has no answer; another answer follows for another. */
static void on_end_of_one(struct sender *sender)
{
    size_t n = sender->order->to.n, i = 0, left = 0;

    while (i < n && !(sender->results[i].accepted && sender->results[i].outcome == OUTCOME_NONE))
        i++;
    if (i < n)
        keep_reply(sender, &sender->results[i]);
    for (; i < n; i++)
        left += sender->results[i].accepted && sender->results[i].outcome == OUTCOME_NONE;
    if (left > 0)
        send_expect(sender, ABOUT_END, 0);
}

static void on_end(struct sender *sender)
{
    if (sender->order->lmtp && is_taken_by_anybody(sender)) {
        on_end_of_one(sender);
        return;
    }
    for (size_t i = 0; i < sender->order->to.n; i++)
        if (sender->results[i].outcome == OUTCOME_NONE)
            keep_reply(sender, &sender->results[i]);
}

static void on_mail(struct sender *sender)
{
    if (send_well(sender)) {
        sender->place = sender->order->pipeline ? sender->place : PLACE_RCPT;
        return;
    }
    sender->mail_refused = true;
    send_fail_as_said(sender);
}

static void on_rcpt(struct sender *sender, struct send_result *result)
{
    if (result->outcome != OUTCOME_NONE)        /* MAIL was refused */
        return;
    result->accepted = send_well(sender);
    if (!result->accepted || sender->order->stop == SEND_RCPT)
        keep_reply(sender, result);
}

static void on_data(struct sender *sender)
{
    if (sender->answer.code == 354)
        say_text(sender);
    else
        send_fail_as_said(sender);
}

void send_on_mail(struct sender *sender, struct send_expect expect)
{
    switch (expect.about) {
    case ABOUT_MAIL:
        on_mail(sender);
        break;
    case ABOUT_RCPT:
        on_rcpt(sender, &sender->results[expect.recipient]);
        break;
    case ABOUT_DATA:
        on_data(sender);
        break;
    case ABOUT_CHUNK:
        if (!send_well(sender))
            send_fail_as_said(sender);
        break;
    case ABOUT_END:
        on_end(sender);
        break;
    case ABOUT_GREETING: case ABOUT_HELLO: case ABOUT_HELO: case ABOUT_STARTTLS: case ABOUT_AUTH:
    case ABOUT_RAW: case ABOUT_SCRIPT: case ABOUT_QUIT:
        break;
    }
}

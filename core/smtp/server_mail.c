/* SPDX-License-Identifier: ISC */
#include "base/limits.h"
#include "smtp/server_int.h"

/* RFC 5321, 4.1.1.2:  mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
            4.1.1.3:  rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF
   A space behind the colon is not in the grammar, but half the world writes it. */
static bool take_opening(struct bytes *text, struct bytes word)
{
    if (!bytes_begins_nocase(*text, word))
        return false;
    *text = bytes_skip(*text, word.n);
    while (text->n > 0 && text->at[0] == ' ')
        *text = bytes_skip(*text, 1);
    return text->n > 0 && text->at[0] == '<';
}

static bool label_too_long(struct bytes domain)
{
    struct bytes label;

    while (bytes_cut(&domain, '.', &label)) {
        if (label.n > LIMIT_LABEL)
            return true;
    }
    return false;
}

/* Of a path that did not parse: is it only too long (RFC 5321, 4.5.3.1)? */
static bool too_long(struct bytes text)
{
    struct bytes path = bytes_upto(bytes_skip(text, 1), '>');
    size_t at = bytes_find_last(path, '@');

    if (at == path.n)
        return path.n > LIMIT_LOCAL_PART;
    struct bytes domain = bytes_skip(path, at + 1);
    return at > LIMIT_LOCAL_PART || domain.n > LIMIT_DOMAIN || path.n > LIMIT_ADDRESS
        || label_too_long(domain);
}

/* The address that opens *text, which is moved on past it; else the refusal was said. */
static bool take_path(struct smtp_server *server, struct bytes *text, bool sender,
                      struct address *ret_address)
{
    struct flaw flaw = { 0, "" };
    size_t used = 0;

    if (address_parse_path(*text, true, ret_address, &used, &flaw)) {
        *text = bytes_skip(*text, used);
        return true;
    }
    if (too_long(*text))
        server_refuse(server, sender ? REPLY_LONG_SENDER : REPLY_LONG_RECIPIENT, NO_WORDS);
    else
        server_refuse(server, sender ? REPLY_BAD_SENDER : REPLY_BAD_RECIPIENT,
                      (struct reply_words){ bytes_of(flaw.expected), flaw.at + 1 });
    return false;
}

/* What speaks against a sender whose parameters are well formed. */
static enum reply judge_sender(const struct smtp_server *server, struct address address,
                               const struct mail_params *params)
{
    uint64_t most = server->settings->size_most;

    if (!address_is_null(address) && address.domain.n == 0)
        return REPLY_SENDER_LACKS_DOMAIN;
    if (address.utf8 && !params->utf8)
        return REPLY_SENDER_NEEDS_UTF8;
    if (params->require_tls && !server->secure)
        return REPLY_NO_PARAMETER;
    if (params->recipe > 0 && !server->settings->recipes)
        return REPLY_NO_PARAMETER;
    if (params->recipe > 0 && params->body != BODY_BINARYMIME)
        return REPLY_RECIPE_NEEDS_BINARY;
    return most > 0 && params->size > most ? REPLY_SIZE_TOO_BIG : REPLY_NONE;
}

/* HELO offers nothing, so there nothing may be used. */
static enum reply read_params(const struct smtp_server *server, struct bytes text,
                              struct mail_params *ret_params, struct bytes *ret_keyword)
{
    if (!server->esmtp && text.n > 0)
        return REPLY_NO_PARAMETER;
    return mail_params_parse(text, ret_params, ret_keyword);
}

static enum reply read_rcpt_params(const struct smtp_server *server, struct bytes text,
                                   struct rcpt_params *ret_params, struct bytes *ret_keyword)
{
    if (!server->esmtp && text.n > 0)
        return REPLY_NO_PARAMETER;
    return rcpt_params_parse(text, server->transaction.params.utf8, ret_params, ret_keyword);
}

static void begin_transaction(struct smtp_server *server, struct bytes sender,
                              const struct mail_params *params)
{
    struct transaction *transaction = &server->transaction;

    server_reset(server, STATE_READY);
    if (transaction_add(transaction, sender, params->envid, 0).at == NULL
        || !transaction_keep(transaction)) {
        transaction_reset(transaction);
        server_say(server, REPLY_NOT_NOW, NO_WORDS);
        return;
    }
    transaction->params = *params;
    transaction->params.envid = BYTES_NONE;     /* it stands beside the sender now */
    /* RFC 6710: a stranger's letters come before nobody's. */
    bool lowered = params->priority > 0 && !server->settings->urgent;
    if (lowered)
        transaction->params.priority = 0;
    server->state = STATE_SENDER;
    server_say(server, lowered ? REPLY_SENDER_LOWERED : REPLY_SENDER_OK, NO_WORDS);
}

void run_mail(struct smtp_server *server, struct bytes argument)
{
    struct mail_params params = { 0 };
    struct bytes keyword = BYTES_NONE, text = argument;
    struct address address;

    if (!take_opening(&text, BYTES("FROM:"))) {
        server_refuse(server, REPLY_BAD_FROM, NO_WORDS);
        return;
    }
    if (!take_path(server, &text, true, &address))
        return;
    enum reply refusal = read_params(server, text, &params, &keyword);
    if (refusal == REPLY_NONE)
        refusal = judge_sender(server, address, &params);
    if (refusal != REPLY_NONE)
        server_refuse(server, refusal,
                      (struct reply_words){ keyword, server->settings->size_most });
    else if (server->low)
        server_say(server, REPLY_NO_SPACE, NO_WORDS);
    else
        begin_transaction(server, address.whole, &params);
}

/* What speaks against one more recipient, whoever it is. */
static enum reply judge_recipient(const struct smtp_server *server, struct address address)
{
    const struct transaction *transaction = &server->transaction;
    size_t others = transaction_recipients(transaction);

    if (address_is_null(address))
        return REPLY_NULL_RECIPIENT;
    if (address.utf8 && !transaction->params.utf8)
        return REPLY_RECIPIENT_NEEDS_UTF8;
    if (transaction_sender(transaction).n == 0 && others >= LIMIT_NULL_SENDER_RECIPIENTS)
        return REPLY_NULL_SENDER_CROWD;
    return others >= server->settings->recipients_most ? REPLY_TOO_MANY_RECIPIENTS : REPLY_NONE;
}

/* The same part of the copy. */
static struct bytes moved(struct bytes part, struct bytes from, struct bytes to)
{
    return part.n == 0 ? BYTES_NONE : (struct bytes){ to.at + (part.at - from.at), part.n };
}

static void ask(struct smtp_server *server, struct address address,
                const struct rcpt_params *params)
{
    struct bytes copy = transaction_add(&server->transaction, address.whole, params->orcpt,
                                        params->notify);

    if (copy.at == NULL) {
        server_say(server, REPLY_NOT_NOW, NO_WORDS);
        return;
    }
    address.local = moved(address.local, address.whole, copy);
    address.domain = moved(address.domain, address.whole, copy);
    address.whole = copy;
    server->asked = address;
    server->note.text = copy;
    server->mode = MODE_ASKING;
    server->due |= DUE_ASK;
}

void run_rcpt(struct smtp_server *server, struct bytes argument)
{
    struct bytes text = argument, keyword = BYTES_NONE;
    struct rcpt_params params = { .orcpt = BYTES_NONE };
    struct address address;

    if (!take_opening(&text, BYTES("TO:"))) {
        server_refuse(server, REPLY_BAD_TO, NO_WORDS);
        return;
    }
    if (!take_path(server, &text, false, &address))
        return;
    enum reply refusal = read_rcpt_params(server, text, &params, &keyword);
    if (refusal == REPLY_NONE)
        refusal = judge_recipient(server, address);
    if (refusal == REPLY_TOO_MANY_RECIPIENTS)
        server_say(server, refusal,
                   (struct reply_words){ .number = server->settings->recipients_most });
    else if (refusal != REPLY_NONE)
        server_refuse(server, refusal,
                      (struct reply_words){ keyword, LIMIT_NULL_SENDER_RECIPIENTS });
    else
        ask(server, address, &params);
}

static const enum reply rcpt_replies[SMTP_VERDICTS] = {
    [SMTP_YES] = REPLY_RECIPIENT_OK,
    [SMTP_NO_MAILBOX] = REPLY_NO_MAILBOX,
    [SMTP_NO_RELAY] = REPLY_NO_RELAY,
    [SMTP_NOT_YOURS] = REPLY_NOT_YOURS,
    [SMTP_NOT_NOW] = REPLY_NOT_NOW,
    [SMTP_NO_SPACE] = REPLY_NO_SPACE,
    [SMTP_TOO_LARGE] = REPLY_LETTER_TOO_BIG,
    [SMTP_LOOP] = REPLY_LOOP,
    [SMTP_BAD_HEADER] = REPLY_BAD_HEADER,
    [SMTP_BAD_RECIPE] = REPLY_BAD_RECIPE,
    [SMTP_SILENCE] = REPLY_NOT_NOW,
};

void smtp_server_answer_rcpt(struct smtp_server *server, enum smtp_verdict verdict)
{
    enum reply reply = rcpt_replies[verdict];

    if (server->mode != MODE_ASKING)
        return;
    server->mode = MODE_COMMAND;
    if (verdict == SMTP_YES && !transaction_keep(&server->transaction))
        reply = REPLY_NOT_NOW;
    if (reply == REPLY_RECIPIENT_OK)
        server->state = STATE_RCPTS;
    bool unknown = verdict == SMTP_NO_MAILBOX || verdict == SMTP_NO_RELAY;
    if (unknown && ++server->bad_recipients > server->bad_recipients_most) {
        server->note.text = BYTES_NONE;         /* it goes with the transaction */
        server_say_and_close(server, REPLY_HARVEST, NO_WORDS);
    } else {
        server_say(server, reply, NO_WORDS);
    }
}

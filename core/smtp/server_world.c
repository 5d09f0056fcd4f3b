/* SPDX-License-Identifier: ISC
 *
 * What the world tells the machine and asks of it, beside the dialogue.
 */
#include "base/limits.h"
#include "smtp/server_int.h"

void smtp_server_settle(struct smtp_server *server, uint32_t token, enum smtp_verdict verdict,
                        struct bytes id)
{
    outbox_fill(&server->outbox, token, verdict, id);
}

struct bytes smtp_server_output(const struct smtp_server *server)
{
    return buffer_bytes(&server->outbox.out);
}

void smtp_server_sent(struct smtp_server *server)
{
    outbox_sent(&server->outbox);
}

struct smtp_note smtp_server_note(const struct smtp_server *server)
{
    return server->note;
}

struct bytes smtp_server_sender(const struct smtp_server *server)
{
    return transaction_sender(&server->transaction);
}

size_t smtp_server_recipients(const struct smtp_server *server)
{
    return transaction_recipients(&server->transaction);
}

struct bytes smtp_server_recipient(const struct smtp_server *server, size_t i)
{
    return transaction_recipient(&server->transaction, i);
}

uint8_t smtp_server_notify(const struct smtp_server *server, size_t i)
{
    return transaction_notify(&server->transaction, i);
}

struct bytes smtp_server_orcpt(const struct smtp_server *server, size_t i)
{
    return transaction_orcpt(&server->transaction, i);
}

enum dsn_ret smtp_server_ret(const struct smtp_server *server)
{
    return server->transaction.params.ret;
}

struct bytes smtp_server_envid(const struct smtp_server *server)
{
    return transaction_envid(&server->transaction);
}

enum by_mode smtp_server_by(const struct smtp_server *server, int32_t *ret_seconds,
                            bool *ret_trace)
{
    const struct mail_params *params = &server->transaction.params;

    *ret_seconds = params->by_s;
    *ret_trace = params->by_trace;
    return params->by;
}

int8_t smtp_server_priority(const struct smtp_server *server)
{
    return server->transaction.params.priority;
}

enum body_kind smtp_server_body(const struct smtp_server *server)
{
    return server->transaction.params.body;
}

struct bytes smtp_server_sum(const struct smtp_server *server)
{
    const struct restore *restore = server->transaction.restore;
    const struct recipe *recipe = restore == NULL ? NULL : restore_recipe(restore);

    return recipe == NULL ? BYTES_NONE : recipe->sum;
}

bool smtp_server_utf8(const struct smtp_server *server)
{
    return server->transaction.params.utf8;
}

bool smtp_server_require_tls(const struct smtp_server *server)
{
    return server->transaction.params.require_tls;
}

uint64_t smtp_server_declared_size(const struct smtp_server *server)
{
    return server->transaction.params.size;
}

struct bytes smtp_server_helo(const struct smtp_server *server)
{
    return buffer_bytes(&server->helo);
}

struct bytes smtp_server_protocol(const struct smtp_server *server)
{
    if (!server->esmtp)
        return BYTES("SMTP");
    if (server->secure)
        return server->transaction.params.utf8 ? BYTES("UTF8SMTPS") : BYTES("ESMTPS");
    return server->transaction.params.utf8 ? BYTES("UTF8SMTP") : BYTES("ESMTP");
}

void smtp_server_set_low(struct smtp_server *server, bool low)
{
    server->low = low;
}

void smtp_server_stop(struct smtp_server *server)
{
    server->stopping = true;
}

/* Whatever is under way. */
static void end_now(struct smtp_server *server, enum reply reply)
{
    if (server->mode == MODE_CLOSING)
        return;
    server->note = (struct smtp_note){ .verb = BYTES_NONE, .text = BYTES_NONE };
    server_say_and_close(server, reply, (struct reply_words){ .word = server->settings->host });
}

void smtp_server_stop_now(struct smtp_server *server)
{
    end_now(server, REPLY_STOPPING);
}

void smtp_server_timeout(struct smtp_server *server)
{
    end_now(server, REPLY_TIMEOUT);
}

void smtp_server_set_patience(struct smtp_server *server, uint32_t errors, uint32_t recipients)
{
    server->errors_most = errors;
    server->bad_recipients_most = recipients;
}

bool smtp_server_end(struct smtp_server *server)
{
    server->input_over = true;
    return server->mode == MODE_ASKING || server->outbox.count > 0 || server->outbox.out.n > 0;
}

bool smtp_server_annoyed(const struct smtp_server *server)
{
    return server->errors > LIMIT_SOFT_ERRORS;
}

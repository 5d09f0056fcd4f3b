/* SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include "base/reader.h"

enum { HEAD_VERSION = 1, ENTRY_VERSION = 1, FLAG_SMTPUTF8 = 1 };

bool envelope_text_safe(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] == '\r' || text.at[i] == '\n' || text.at[i] == '\0')
            return false;
    }
    return true;
}

/* Nothing that could break a line, a path or a C string is written, so none can be read back. */
static void put_text(struct buffer *to, struct bytes text, size_t most)
{
    if (text.n > most || !envelope_text_safe(text))
        to->bad = true;
    else
        buffer_put_block(to, text);
}

static struct bytes read_text(struct reader *in, size_t most)
{
    struct bytes text = read_block(in);

    if (text.n > most || !envelope_text_safe(text))
        in->bad = true;
    return text;
}

void envelope_put(struct buffer *to, const struct envelope *envelope)
{
    buffer_put_u8(to, HEAD_VERSION);
    buffer_put_u8(to, (uint8_t)envelope->body);
    buffer_put_u8(to, envelope->smtputf8 ? FLAG_SMTPUTF8 : 0);
    buffer_put_u64(to, envelope->received_ms);
    put_text(to, envelope->sender, LIMIT_PATH);
    put_text(to, envelope->protocol, ENVELOPE_WORD_MOST);
    put_text(to, envelope->helo, LIMIT_PATH);
    put_text(to, envelope->peer, ENVELOPE_WORD_MOST);
    put_text(to, envelope->host, LIMIT_DOMAIN);
    put_text(to, envelope->message_id, ENVELOPE_ID_MOST);
}

bool envelope_read(struct bytes head, struct envelope *ret_envelope)
{
    struct reader in = reader_of(head);
    uint8_t version = read_u8(&in), body = read_u8(&in), flags = read_u8(&in);
    struct envelope envelope = { .smtputf8 = (flags & FLAG_SMTPUTF8) != 0 };

    if (version != HEAD_VERSION || body > BODY_BINARYMIME || (flags & ~FLAG_SMTPUTF8) != 0)
        return false;
    envelope.body = (enum body_kind)body;
    envelope.received_ms = read_u64(&in);
    envelope.sender = read_text(&in, LIMIT_PATH);
    envelope.protocol = read_text(&in, ENVELOPE_WORD_MOST);
    envelope.helo = read_text(&in, LIMIT_PATH);
    envelope.peer = read_text(&in, ENVELOPE_WORD_MOST);
    envelope.host = read_text(&in, LIMIT_DOMAIN);
    envelope.message_id = read_text(&in, ENVELOPE_ID_MOST);
    if (!reader_finished(&in))
        return false;
    *ret_envelope = envelope;
    return true;
}

void recipient_put(struct buffer *to, const struct recipient *recipient)
{
    buffer_put_u8(to, ENTRY_VERSION);
    put_text(to, recipient->address, LIMIT_PATH);
}

bool recipient_read(struct bytes entry, struct recipient *ret_recipient)
{
    struct reader in = reader_of(entry);
    uint8_t version = read_u8(&in);
    struct bytes address = read_text(&in, LIMIT_PATH);

    if (version != ENTRY_VERSION || !reader_finished(&in) || address.n == 0)
        return false;
    *ret_recipient = (struct recipient){ .address = address };
    return true;
}

/* SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include "base/reader.h"

enum { VERSION_FIXED = 1, VERSION_TAGGED = 2, FLAG_SMTPUTF8 = 1, FLAG_REQUIRE_TLS = 2,
       FLAGS = FLAG_SMTPUTF8 | FLAG_REQUIRE_TLS, BY_TRACED = 4, BY_OCTETS = 9,
       PRIORITY_ZERO = PRIORITY_MOST + 1, PRIORITY_END = PRIORITY_ZERO + PRIORITY_MOST };
enum head_tag { TAG_RET = 1, TAG_ENVID, TAG_BY, TAG_PRIORITY };
enum entry_tag { TAG_NOTIFY = 1, TAG_ORCPT };

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

/* ---- facts with a tag; one that says nothing is not there */

static void put_number(struct buffer *to, uint8_t tag, uint8_t number)
{
    if (number == 0)
        return;
    buffer_put_u8(to, tag);
    buffer_put_block(to, (struct bytes){ (const char *)&number, 1 });
}

static void put_tagged(struct buffer *to, uint8_t tag, struct bytes text, size_t most)
{
    if (text.n == 0)
        return;
    buffer_put_u8(to, tag);
    put_text(to, text, most);
}

/* The next fact is that one: take its block. */
static bool take_tag(struct reader *in, uint8_t tag)
{
    if (peek_octet(in) != tag)
        return false;
    (void)read_u8(in);
    return true;
}

static uint8_t read_number(struct reader *in, uint8_t tag, uint8_t most)
{
    if (!take_tag(in, tag))
        return 0;
    struct bytes block = read_block(in);
    uint8_t number = block.n == 1 ? octet(block.at[0]) : 0;
    if (number == 0 || number > most)
        in->bad = true;
    return number;
}

static struct bytes read_tagged(struct reader *in, uint8_t tag, size_t most)
{
    if (!take_tag(in, tag))
        return BYTES_NONE;
    struct bytes text = read_text(in, most);
    if (text.n == 0)
        in->bad = true;
    return text;
}

/* The block: u8 mode, and BY_TRACED; u64 the instant. */
static void put_by(struct buffer *to, const struct envelope *envelope)
{
    if (envelope->by == BY_NOT_GIVEN)
        return;
    to->bad = to->bad || envelope->by_ms > ENVELOPE_BY_MOST;
    buffer_put_u8(to, TAG_BY);
    buffer_put_u32(to, BY_OCTETS);
    buffer_put_u8(to, (uint8_t)(envelope->by | (envelope->by_trace ? BY_TRACED : 0)));
    buffer_put_u64(to, envelope->by_ms);
}

static void read_by(struct reader *in, struct envelope *envelope)
{
    if (!take_tag(in, TAG_BY))
        return;
    struct reader block = reader_of(read_block(in));
    uint8_t mode = read_u8(&block);
    envelope->by_trace = (mode & BY_TRACED) != 0;
    envelope->by_ms = read_u64(&block);
    mode &= (uint8_t)~BY_TRACED;
    if (!reader_finished(&block) || mode == BY_NOT_GIVEN || mode > BY_RETURN
        || envelope->by_ms > ENVELOPE_BY_MOST)
        in->bad = true;
    envelope->by = mode == BY_NOTIFY ? BY_NOTIFY : BY_RETURN;
}

/* One octet, PRIORITY_ZERO in the middle, which is never written. */
static void put_priority(struct buffer *to, int8_t priority)
{
    if (priority < -PRIORITY_MOST || priority > PRIORITY_MOST)
        to->bad = true;
    else if (priority != 0)
        put_number(to, TAG_PRIORITY, (uint8_t)(priority + PRIORITY_ZERO));
}

static int8_t read_priority(struct reader *in)
{
    uint8_t number = read_number(in, TAG_PRIORITY, PRIORITY_END);

    if (number == PRIORITY_ZERO)
        in->bad = true;
    return (int8_t)(number == 0 ? 0 : number - PRIORITY_ZERO);
}

/* ---- the head */

static bool head_says_more(const struct envelope *envelope)
{
    return envelope->ret != DSN_RET_UNSAID || envelope->envid.n > 0
        || envelope->by != BY_NOT_GIVEN || envelope->priority != 0;
}

void envelope_put(struct buffer *to, const struct envelope *envelope)
{
    buffer_put_u8(to, head_says_more(envelope) ? VERSION_TAGGED : VERSION_FIXED);
    buffer_put_u8(to, (uint8_t)envelope->body);
    buffer_put_u8(to, (uint8_t)((envelope->smtputf8 ? FLAG_SMTPUTF8 : 0)
                                | (envelope->require_tls ? FLAG_REQUIRE_TLS : 0)));
    buffer_put_u64(to, envelope->received_ms);
    put_text(to, envelope->sender, LIMIT_PATH);
    put_text(to, envelope->protocol, ENVELOPE_WORD_MOST);
    put_text(to, envelope->helo, LIMIT_PATH);
    put_text(to, envelope->peer, ENVELOPE_WORD_MOST);
    put_text(to, envelope->host, LIMIT_DOMAIN);
    put_text(to, envelope->message_id, ENVELOPE_ID_MOST);
    put_number(to, TAG_RET, (uint8_t)envelope->ret);
    put_tagged(to, TAG_ENVID, envelope->envid, ENVID_MOST);
    put_by(to, envelope);
    put_priority(to, envelope->priority);
}

bool envelope_read(struct bytes head, struct envelope *ret_envelope)
{
    struct reader in = reader_of(head);
    uint8_t version = read_u8(&in), body = read_u8(&in), flags = read_u8(&in);
    struct envelope envelope = { .smtputf8 = (flags & FLAG_SMTPUTF8) != 0,
                                 .require_tls = (flags & FLAG_REQUIRE_TLS) != 0,
                                 .envid = BYTES_NONE };

    if (version < VERSION_FIXED || version > VERSION_TAGGED || body > BODY_BINARYMIME
        || (flags & ~FLAGS) != 0)
        return false;
    envelope.body = (enum body_kind)body;
    envelope.received_ms = read_u64(&in);
    envelope.sender = read_text(&in, LIMIT_PATH);
    envelope.protocol = read_text(&in, ENVELOPE_WORD_MOST);
    envelope.helo = read_text(&in, LIMIT_PATH);
    envelope.peer = read_text(&in, ENVELOPE_WORD_MOST);
    envelope.host = read_text(&in, LIMIT_DOMAIN);
    envelope.message_id = read_text(&in, ENVELOPE_ID_MOST);
    if (version == VERSION_TAGGED) {
        envelope.ret = (enum dsn_ret)read_number(&in, TAG_RET, DSN_RET_HDRS);
        envelope.envid = read_tagged(&in, TAG_ENVID, ENVID_MOST);
        read_by(&in, &envelope);
        envelope.priority = read_priority(&in);
    }
    if (!reader_finished(&in) || (version == VERSION_TAGGED) != head_says_more(&envelope))
        return false;
    *ret_envelope = envelope;
    return true;
}

/* ---- a recipient */

static bool entry_says_more(const struct recipient *recipient)
{
    return recipient->notify != 0 || recipient->orcpt.n > 0;
}

void recipient_put(struct buffer *to, const struct recipient *recipient)
{
    buffer_put_u8(to, entry_says_more(recipient) ? VERSION_TAGGED : VERSION_FIXED);
    put_text(to, recipient->address, LIMIT_PATH);
    put_number(to, TAG_NOTIFY, recipient->notify);
    put_tagged(to, TAG_ORCPT, recipient->orcpt, ORCPT_MOST);
}

bool recipient_read(struct bytes entry, struct recipient *ret_recipient)
{
    struct reader in = reader_of(entry);
    uint8_t version = read_u8(&in);
    struct recipient recipient = { .address = read_text(&in, LIMIT_PATH), .orcpt = BYTES_NONE };

    if (version == VERSION_TAGGED) {
        recipient.notify = read_number(&in, TAG_NOTIFY, DSN_NOTIFY_MOST);
        recipient.orcpt = read_tagged(&in, TAG_ORCPT, ORCPT_MOST);
    }
    bool never = (recipient.notify & DSN_NEVER) != 0;
    if (version < VERSION_FIXED || version > VERSION_TAGGED || !reader_finished(&in)
        || recipient.address.n == 0 || (never && recipient.notify != DSN_NEVER)
        || (version == VERSION_TAGGED) != entry_says_more(&recipient))
        return false;
    *ret_recipient = recipient;
    return true;
}

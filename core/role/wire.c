/* SPDX-License-Identifier: ISC */
#include "role/wire.h"

#include "base/reader.h"

enum wire_kind wire_kind_of(struct bytes frame)
{
    uint8_t kind = frame.n == 0 ? WIRE_NOTHING : octet(frame.at[0]);

    return kind < WIRE_KINDS ? (enum wire_kind)kind : WIRE_NOTHING;
}

const char *wire_name(enum wire_kind kind)
{
    static const char *const names[] = {
        [WIRE_NOTHING] = "nothing",
#define M(NAME, name) [WIRE_##NAME##_MESSAGE] = #name,
        WIRE_LIST(M)
#undef M
    };
    return names[kind < WIRE_KINDS ? kind : WIRE_NOTHING];
}

bool wire_allowed(enum wire_kind kind, enum role_kind from, enum role_kind to)
{
    static const struct { enum wire_kind kind; enum role_kind from, to; } ways[] = {
#define W(NAME, FROM, TO) { WIRE_##NAME##_MESSAGE, ROLE_##FROM, ROLE_##TO },
        WIRE_WAYS(W)
#undef W
    };
    for (size_t i = 0; i < COUNT(ways); i++)
        if (ways[i].kind == kind && ways[i].from == from && ways[i].to == to)
            return true;
    return false;
}

static wire_u8 get_u8(struct reader *in) { return read_u8(in); }
static wire_u16 get_u16(struct reader *in) { return read_u16(in); }
static wire_u32 get_u32(struct reader *in) { return read_u32(in); }
static wire_u64 get_u64(struct reader *in) { return read_u64(in); }
static wire_bytes get_bytes(struct reader *in) { return read_block(in); }
static wire_tail get_tail(struct reader *in) { return read_rest(in); }

#define F(type, field) message.field = get_##type(&in);
#define M(NAME, name)                                                                       \
    bool wire_read_##name(struct bytes frame, struct wire_##name *ret_message)              \
    {                                                                                       \
        struct reader in = reader_of(frame);                                                \
        struct wire_##name message;                                                         \
                                                                                            \
        if (read_u8(&in) != WIRE_##NAME##_MESSAGE)                                          \
            return false;                                                                   \
        WIRE_##NAME(F)                                                                      \
        if (!reader_finished(&in))                                                          \
            return false;                                                                   \
        *ret_message = message;                                                             \
        return true;                                                                        \
    }
WIRE_LIST(M)
#undef M
#undef F

/* A frame being built: the head grows in the draft, a tail is only pointed to. */
struct frame {
    struct buffer *head;
    struct bytes tail;
};

static void put_u8(struct frame *out, wire_u8 n) { buffer_put_u8(out->head, n); }
static void put_u16(struct frame *out, wire_u16 n) { buffer_put_u16(out->head, n); }
static void put_u32(struct frame *out, wire_u32 n) { buffer_put_u32(out->head, n); }
static void put_u64(struct frame *out, wire_u64 n) { buffer_put_u64(out->head, n); }
static void put_bytes(struct frame *out, wire_bytes text) { buffer_put_block(out->head, text); }
static void put_tail(struct frame *out, wire_tail text) { out->tail = text; }

static void send_frame(struct effects *fx, struct role_name to, const struct frame *out)
{
    struct bytes head = out->head->bad ? BYTES_NONE : fx_keep(fx, buffer_bytes(out->head));

    if (head.n == 0)
        fx->bad = true;
    else
        fx_tell(fx, to, head, out->tail);
}

#define F(type, field) put_##type(&out, message->field);
#define M(NAME, name)                                                                       \
    void wire_tell_##name(struct effects *fx, struct role_name to,                          \
                          const struct wire_##name *message)                                \
    {                                                                                       \
        struct frame out = { .head = fx_draft(fx), .tail = BYTES_NONE };                    \
                                                                                            \
        put_u8(&out, WIRE_##NAME##_MESSAGE);                                                \
        WIRE_##NAME(F)                                                                      \
        send_frame(fx, to, &out);                                                           \
    }
WIRE_LIST(M)
#undef M
#undef F

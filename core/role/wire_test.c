/* SPDX-License-Identifier: ISC */
#include "role/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* Every row of wire.def is walked here: each field gets another value, the last octets of slices
   are awkward ones. */
static uint64_t next_value;

static wire_u8 some_u8(void) { return (wire_u8)(next_value += 0x51); }
static wire_u16 some_u16(void) { return (wire_u16)(next_value += 0x5101); }
static wire_u32 some_u32(void) { return (wire_u32)(next_value += 0x51010203); }
static wire_u64 some_u64(void) { return next_value += 0x5101020304050607; }
static wire_bytes some_bytes(void)
{
    static const struct bytes rows[] = {
        BYTES_INIT("text"), BYTES_INIT(""), BYTES_INIT("a\0b\r\n"), BYTES_INIT("\xff\xff\xff\xff"),
    };

    return rows[++next_value % COUNT(rows)];
}
static wire_tail some_tail(void) { return some_bytes(); }

static bool same_u8(wire_u8 a, wire_u8 b) { return a == b; }
static bool same_u16(wire_u16 a, wire_u16 b) { return a == b; }
static bool same_u32(wire_u32 a, wire_u32 b) { return a == b; }
static bool same_u64(wire_u64 a, wire_u64 b) { return a == b; }
static bool same_bytes(wire_bytes a, wire_bytes b) { return bytes_equal(a, b); }
static bool same_tail(wire_tail a, wire_tail b) { return bytes_equal(a, b); }

/* The one frame in fx, in one piece. */
static struct bytes frame_of(const struct effects *fx, struct buffer *to)
{
    buffer_clear(to);
    assert_int_equal(fx->n, 1);
    assert_int_equal(fx->list[0].kind, FX_TELL);
    buffer_put(to, fx->list[0].bytes);
    buffer_put(to, fx->list[0].more);
    return buffer_bytes(to);
}

/* What a frame cut short reads as: nothing, or (its last field is a tail) what says the same. */
#define M(NAME, name)                                                                       \
    static void cut_##name(struct bytes frame)                                              \
    {                                                                                       \
        for (size_t n = 0; n < frame.n; n++) {                                              \
            struct wire_##name got;                                                         \
            struct effects fx = effects_none();                                             \
            struct buffer again = buffer_with_most(LIMIT_FRAME);                            \
            if (wire_read_##name(bytes_first(frame, n), &got)) {                            \
                wire_tell_##name(&fx, (struct role_name){ ROLE_STORE, 0 }, &got);           \
                assert_true(bytes_equal(frame_of(&fx, &again), bytes_first(frame, n)));     \
            }                                                                               \
            buffer_done(&again);                                                            \
            effects_done(&fx);                                                              \
        }                                                                                   \
    }
enum { LIMIT_FRAME = 64 * 1024 };
WIRE_LIST(M)
#undef M

#define F(type, field) sent.field = some_##type();
#define SAME(type, field) assert_true(same_##type(sent.field, got.field));
#define M(NAME, name)                                                                       \
    static void round_##name(void)                                                          \
    {                                                                                       \
        struct wire_##name sent, got;                                                       \
        struct effects fx = effects_none();                                                 \
        struct buffer frame = buffer_with_most(LIMIT_FRAME), longer = frame;                \
        WIRE_##NAME(F)                                                                      \
        wire_tell_##name(&fx, (struct role_name){ ROLE_FRONT, 3 }, &sent);                  \
        struct bytes whole = frame_of(&fx, &frame);                                         \
        assert_int_equal(fx.list[0].to.index, 3);                                           \
        assert_int_equal(wire_kind_of(whole), WIRE_##NAME##_MESSAGE);                       \
        assert_string_equal(wire_name(wire_kind_of(whole)), #name);                         \
        assert_true(wire_read_##name(whole, &got));                                         \
        WIRE_##NAME(SAME)                                                                   \
        cut_##name(whole);                                                                  \
        buffer_put(&longer, whole);                                                         \
        buffer_put_char(&longer, 'x');                                                      \
        if (wire_read_##name(buffer_bytes(&longer), &got))                                  \
            assert_true(has_tail_##name);                                                   \
        buffer_done(&longer);                                                               \
        buffer_done(&frame);                                                                \
        effects_done(&fx);                                                                  \
    }
enum { is_u8, is_u16, is_u32, is_u64, is_bytes, is_tail = 1 << 8 };
#define TAIL(type, field) | is_##type
#define T(NAME, name) enum { has_tail_##name = ((0 WIRE_##NAME(TAIL)) & is_tail) != 0 };
WIRE_LIST(T)
#undef T
#undef TAIL
WIRE_LIST(M)
#undef M
#undef SAME
#undef F

static void each_message_reads_as_it_was_told(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
#define M(NAME, name) round_##name();
        WIRE_LIST(M)
#undef M
    }
}

static void each_message_has_a_way_and_a_name(void **state)
{
    (void)state;
    for (enum wire_kind kind = WIRE_NOTHING + 1; kind < WIRE_KINDS; kind++) {
        unsigned ways = 0;
        for (enum role_kind from = 0; from < ROLE_KINDS; from++)
            for (enum role_kind to = 0; to < ROLE_KINDS; to++)
                ways += wire_allowed(kind, from, to);
        assert_true(ways > 0);
        for (enum wire_kind other = WIRE_NOTHING; other < kind; other++)
            assert_string_not_equal(wire_name(kind), wire_name(other));
    }
    assert_false(wire_allowed(WIRE_NOTHING, ROLE_FRONT, ROLE_STORE));
    assert_false(wire_allowed(WIRE_LETTER_TAKEN_MESSAGE, ROLE_FRONT, ROLE_STORE));
}

static void strange_frames_are_nothing(void **state)
{
    static const struct bytes rows[] = {
        BYTES_INIT(""), BYTES_INIT("\0"), BYTES_INIT("\xff\0\0"), BYTES_INIT("\x7f"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(wire_kind_of(rows[i]), WIRE_NOTHING);
}

/* What does not fit one frame ends the role that tries, it does not reach an assert. */
static void too_long_a_head_is_bad(void **state)
{
    static char long_text[LIMIT_FRAME];
    struct effects fx = effects_none();

    (void)state;
    memset(long_text, 'a', sizeof(long_text));
    struct wire_mailbox_ask ask = { 1, { long_text, sizeof(long_text) } };
    wire_tell_mailbox_ask(&fx, (struct role_name){ ROLE_STORE, 0 }, &ask);
    assert_true(fx.bad);
    effects_done(&fx);
}

/* Where memory ends before the frame is whole, no frame is told, and the role gives up. */
static void without_memory_it_is_bad(void **state)
{
    struct wire_mailbox_ask ask = { 1, BYTES("bob@example.org") };
    bool whole = false;

    (void)state;
    for (uint64_t n = 1; !whole && n < 20; n++) {
        struct effects fx = effects_none();
        mem_fail_at(n);
        wire_tell_mailbox_ask(&fx, (struct role_name){ ROLE_STORE, 0 }, &ask);
        mem_fail_at(0);
        whole = !fx.bad;
        assert_int_equal(fx.n, whole ? 1 : 0);
        effects_done(&fx);
    }
    assert_true(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_reads_as_it_was_told),
        cmocka_unit_test(each_message_has_a_way_and_a_name),
        cmocka_unit_test(strange_frames_are_nothing),
        cmocka_unit_test(too_long_a_head_is_bad),
        cmocka_unit_test(without_memory_it_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

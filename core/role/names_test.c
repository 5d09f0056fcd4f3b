/* SPDX-License-Identifier: ISC */
#include "role/role.h"
#include "role/wire.h"

#include "dns/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void *names;
static struct effects fx;
static struct moment now;
static const struct role_name relay = { ROLE_RELAY, 0 };

static void step(struct event event)
{
    event.now = now;
    effects_clear(&fx);
    names_ops.step(names, &event, &fx);
    assert_false(fx.bad);
}

static void begin(void)
{
    static const struct conf conf;

    now = (struct moment){ 5000, 1700000000000 };
    fx = effects_none();
    names = names_ops.make(&conf, 0);
    assert_non_null(names);
}

static void end(void)
{
    names_ops.free(names);
    effects_done(&fx);
}

static void ask(uint32_t token, uint16_t type, const char *name)
{
    struct effects asked = effects_none();

    wire_tell_name_ask(&asked, (struct role_name){ ROLE_NAMES, 0 },
                       &(struct wire_name_ask){ token, type, bytes_of(name) });
    static struct buffer frame;         /* an effect may point into it until the next step */
    buffer_done(&frame);
    frame = buffer_with_most(LIMIT_FRAME_BYTES);
    buffer_put(&frame, asked.list[0].bytes);
    buffer_put(&frame, asked.list[0].more);
    step((struct event){ .kind = EV_TOLD, .peer = relay, .bytes = buffer_bytes(&frame) });
    effects_done(&asked);
}

static const struct effect *find(enum effect_kind kind)
{
    for (size_t i = 0; i < fx.n; i++)
        if (fx.list[i].kind == kind)
            return &fx.list[i];
    return NULL;
}

/* The answer that was told in the last step. */
static struct dns_answer told(uint32_t token)
{
    static struct buffer frame;
    const struct effect *effect = find(FX_TELL);
    struct wire_name_is is;
    struct dns_answer answer;

    assert_non_null(effect);
    buffer_done(&frame);
    frame = buffer_with_most(LIMIT_FRAME_BYTES);
    buffer_put(&frame, effect->bytes);
    buffer_put(&frame, effect->more);
    assert_true(wire_read_name_is(buffer_bytes(&frame), &is));
    assert_int_equal(is.token, token);
    assert_true(dns_answer_read(is.answer, &answer));
    return answer;
}

static void resolved(uint64_t token, struct bytes answer)
{
    step((struct event){ .kind = EV_RESOLVED, .token = token, .bytes = answer });
}

static struct buffer secure_answer(void)
{
    struct buffer text = buffer_with_most(1024);

    dns_answer_put(&text, &(struct dns_answer){ DNS_SECURE, false, 60, BYTES_NONE,
                                                BYTES("\4\0\0\0\xc0\0\2\1") });
    return text;
}

static void a_question_is_answered(void **state)
{
    struct buffer text = secure_answer();

    (void)state;
    begin();
    ask(7, DNS_MX, "example.org");
    const struct effect *effect = find(FX_RESOLVE);
    assert_non_null(effect);
    assert_int_equal(effect->conn, DNS_MX);
    assert_true(bytes_equal(effect->bytes, BYTES("example.org")));
    uint64_t token = effect->number;
    resolved(token, buffer_bytes(&text));
    assert_int_equal(told(7).verdict, DNS_SECURE);
    resolved(token, buffer_bytes(&text));           /* twice is once */
    assert_null(find(FX_TELL));
    buffer_done(&text);
    end();
}

static void nonsense_is_never_asked(void **state)
{
    (void)state;
    begin();
    ask(1, DNS_MX, "exa mple");
    assert_int_equal(told(1).verdict, DNS_FAILED);
    ask(2, 255, "example.org");
    assert_int_equal(told(2).verdict, DNS_FAILED);
    assert_null(find(FX_RESOLVE));
    step((struct event){ .kind = EV_TOLD, .peer = relay, .bytes = BYTES("\1\2\3") });
    assert_null(find(FX_TELL));
    end();
}

/* What cannot be read is "failed", never "no". */
static void a_garbled_answer_is_none(void **state)
{
    (void)state;
    begin();
    ask(1, DNS_A, "example.org");
    resolved(find(FX_RESOLVE)->number, BYTES("\3"));
    assert_int_equal(told(1).verdict, DNS_FAILED);
    end();
}

static void patience_ends(void **state)
{
    struct buffer text = secure_answer();

    (void)state;
    begin();
    ask(1, DNS_A, "slow.example");
    uint64_t token = find(FX_RESOLVE)->number, due = find(FX_ALARM)->number;
    assert_true(due > now.mono_ms);
    now.mono_ms = due;
    step((struct event){ .kind = EV_ALARM });
    assert_int_equal(told(1).verdict, DNS_FAILED);
    ask(2, DNS_A, "other.example");
    resolved(token, buffer_bytes(&text));           /* too late, and not the other's */
    assert_null(find(FX_TELL));
    buffer_done(&text);
    end();
}

/* Nobody can make it hold more than its table. */
static void questions_are_bounded(void **state)
{
    uint32_t i = 0;

    (void)state;
    begin();
    for (; i < 100000; i++) {
        ask(i, DNS_A, "example.org");
        if (find(FX_RESOLVE) == NULL)
            break;
    }
    assert_int_equal(i, 4096);
    assert_int_equal(told(i).verdict, DNS_FAILED);
    step((struct event){ .kind = EV_PEER_DOWN, .peer = relay });
    ask(1, DNS_A, "example.org");                   /* what the dead relay asked is forgotten */
    assert_non_null(find(FX_RESOLVE));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered), cmocka_unit_test(nonsense_is_never_asked),
        cmocka_unit_test(a_garbled_answer_is_none), cmocka_unit_test(patience_ends),
        cmocka_unit_test(questions_are_bounded),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "role/role.h"
#include "role/wire.h"

#include "base/arena.h"
#include "dns/answer.h"
#include "dns/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 65536 };

/* A world that answers nothing by itself: it keeps what was asked. */
static void *role;
static struct effects fx;
static struct moment now;
static uint64_t runs[MOST], ended[MOST];
static size_t runs_n, ended_n, named_n, told_n;
static struct wire_name_ask named[MOST];
static char named_text[MOST][40];
static struct wire_fetch_is told[MOST];
static struct fetch_order order;
static struct buffer order_text;
static uint64_t fails;              /* the allocation of the next question that does */

static const struct role_name relay = { ROLE_RELAY, 0 }, names = { ROLE_NAMES, 0 };

static void keep_told(const struct effect *effect)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
    struct wire_name_ask ask;

    buffer_put(&frame, effect->bytes);
    buffer_put(&frame, effect->more);
    if (effect->to.kind == ROLE_NAMES && wire_read_name_ask(buffer_bytes(&frame), &ask)) {
        memcpy(named_text[named_n], ask.name.at, ask.name.n);
        ask.name.at = named_text[named_n];
        named[named_n++] = ask;
    } else if (wire_read_fetch_is(buffer_bytes(&frame), &told[told_n])) {
        told[told_n++].body = BYTES_NONE;
    }
    buffer_done(&frame);
}

static void one_step(struct event event)
{
    event.now = now;
    effects_clear(&fx);
    fetch_ops.step(role, &event, &fx);
    assert_false(fx.bad);
    for (size_t i = 0; i < fx.n; i++) {
        const struct effect *effect = &fx.list[i];
        if (effect->kind == FX_TELL)
            keep_told(effect);
        if (effect->kind == FX_FETCH_END)
            ended[ended_n++] = effect->number;
        if (effect->kind == FX_FETCH) {
            runs[runs_n++] = effect->number;
            buffer_clear(&order_text);
            buffer_put(&order_text, effect->bytes);
            assert_true(fetch_order_read(buffer_bytes(&order_text), &order));
        }
    }
}

static void step(struct event event)
{
    one_step(event);
    one_step((struct event){ .kind = EV_TURN });
}

static void begin(bool allow_private)
{
    static struct conf conf;

    conf.allow_private = allow_private;
    now = (struct moment){ 5000, 1700000000000 };
    runs_n = ended_n = named_n = told_n = 0;
    fx = effects_none();
    order_text = buffer_with_most(LIMIT_FRAME_BYTES);
    role = fetch_ops.make(&conf, 0);
    assert_non_null(role);
    step((struct event){ .kind = EV_PEER_UP, .peer = names });
}

static void end(void)
{
    fetch_ops.free(role);
    effects_done(&fx);
    buffer_done(&order_text);
}

/* A frame as its sender would make it. */
static void frame_of(const struct effects *from, struct buffer *frame)
{
    buffer_put(frame, from->list[0].bytes);
    buffer_put(frame, from->list[0].more);
}

static void ask(uint32_t token, const char *url, struct bytes body)
{
    struct effects asked = effects_none();
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    wire_tell_fetch_ask(&asked, (struct role_name){ ROLE_FETCH, 0 }, &(struct wire_fetch_ask){
        token, body.n > 0 ? FETCH_REPORT : FETCH_POLICY, bytes_of(url), body });
    frame_of(&asked, &frame);
    mem_fail_at(fails);
    step((struct event){ .kind = EV_TOLD, .peer = relay, .bytes = buffer_bytes(&frame) });
    effects_done(&asked);
    buffer_done(&frame);
}

/* Answers the i-th question that names was asked with the address 198.18.0.0/15 + host, or ::ip
   when it is one of this machine. */
static void resolve_ip(size_t i, const char *octets)
{
    struct effects asked = effects_none();
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES), text = buffer_with_most(256);
    struct buffer records = buffer_with_most(64);
    bool v4 = named[i].type == DNS_A;

    if (v4)
        buffer_put_block(&records, (struct bytes){ octets, 4 });
    dns_answer_put(&text, &(struct dns_answer){ v4 ? DNS_INSECURE : DNS_NODATA, false, 60,
                                                BYTES_NONE, buffer_bytes(&records) });
    wire_tell_name_is(&asked, (struct role_name){ ROLE_FETCH, 0 },
                      &(struct wire_name_is){ named[i].token, buffer_bytes(&text) });
    frame_of(&asked, &frame);
    step((struct event){ .kind = EV_TOLD, .peer = names, .bytes = buffer_bytes(&frame) });
    effects_done(&asked);
    buffer_done(&records);
    buffer_done(&text);
    buffer_done(&frame);
}

static void resolve(size_t i, const char *octets)
{
    resolve_ip(2 * i, octets);
    resolve_ip(2 * i + 1, octets);
}

static void fetched(uint64_t token, enum fetch_result result, unsigned status)
{
    step((struct event){ .kind = EV_FETCHED, .token = token, .bytes = BYTES("text"),
                         .number = (uint64_t)result | status << 8 });
}

static void a_document_is_fetched(void **state)
{
    (void)state;
    begin(false);
    ask(7, "https://mta-sts.example.org/x", BYTES_NONE);
    assert_int_equal(named_n, 2);
    assert_true(bytes_equal(named[0].name, BYTES("mta-sts.example.org")));
    assert_int_equal(runs_n, 0);
    resolve(0, "\x5d\1\2\3");
    assert_int_equal(runs_n, 1);
    assert_int_equal(order.addresses.n, 16);
    assert_true(bytes_equal(order.url, BYTES("https://mta-sts.example.org/x")));
    fetched(runs[0], FETCH_WELL, 200);
    assert_int_equal(told_n, 1);
    assert_int_equal(told[0].token, 7);
    assert_int_equal(told[0].result, FETCH_WELL);
    assert_int_equal(told[0].status, 200);
    fetched(runs[0], FETCH_WELL, 200);              /* twice is once */
    assert_int_equal(told_n, 1);
    end();
}

static void a_report_is_brought(void **state)
{
    (void)state;
    begin(false);
    ask(1, "https://example.org/", BYTES("\x1f\x8b\0\1"));
    resolve(0, "\x5d\1\2\3");
    assert_int_equal(order.kind, FETCH_REPORT);
    assert_true(bytes_equal(order.body, BYTES("\x1f\x8b\0\1")));
    end();
}

/* STS-003: whatever it is that should be fetched, these are not asked. */
static void no_such_place_is_gone_to(void **state)
{
    static const char *const urls[] = {
        "http://example.org/", "https://127.0.0.1/", "https://user:pass@example.org/",
        "https://example.org:0/", "https://[::1]/", "file:///etc/passwd", "https://",
        "https://exa mple.org/", "https://example.org/\r\nHost: other", "https://2130706433/", "",
    };
    static const char *const private[] = { "\x7f\0\0\1", "\xa9\xfe\xa9\xfe", "\x0a\0\0\1" };

    (void)state;
    begin(false);
    for (uint32_t i = 0; i < COUNT(urls); i++) {
        ask(i, urls[i], BYTES_NONE);
        assert_int_equal(told_n, i + 1);
        assert_int_equal(told[i].result, FETCH_NO_ADDRESS);
    }
    assert_int_equal(named_n, 0);
    for (uint32_t i = 0; i < COUNT(private); i++) {
        ask(i, "https://evil.example/", BYTES_NONE);
        resolve(i, private[i]);
        assert_int_equal(told[COUNT(urls) + i].result, FETCH_NO_ADDRESS);
    }
    assert_int_equal(runs_n, 0);
    end();
    begin(true);
    ask(1, "https://here.example/", BYTES_NONE);
    resolve(0, private[0]);
    assert_int_equal(runs_n, 1);
    end();
}

/* STS-002: one that never ends is ended. */
static void a_minute_is_enough(void **state)
{
    (void)state;
    begin(false);
    ask(1, "https://slow.example/", BYTES_NONE);
    resolve(0, "\x5d\1\2\3");
    now.mono_ms += 59999;
    step((struct event){ .kind = EV_ALARM });
    assert_int_equal(told_n, 0);
    now.mono_ms += 1;
    step((struct event){ .kind = EV_ALARM });
    assert_int_equal(told[0].result, FETCH_LATE);
    assert_int_equal(ended_n, 1);
    assert_int_equal(ended[0], runs[0]);
    end();
}

/* STS-009: of 10,000 that shall be fetched at once, the first 9,000 from one slow network: never
   more than 20 are under way, never more than 4 of those, and the others are done at once. */
static void nobody_takes_all_places(void **state)
{
    enum { SLOW = 9000, ALL = 10000 };
    char url[64];
    size_t done = 0;

    (void)state;
    begin(false);
    for (uint32_t i = 0; i < ALL; i++) {
        struct buffer text = buffer_with_most(sizeof(url));
        buffer_put(&text, BYTES("https://h"));
        buffer_put_uint(&text, i);
        buffer_put(&text, BYTES(".example/"));
        memcpy(url, text.at, text.n);
        url[text.n] = '\0';
        buffer_done(&text);
        ask(i, url, BYTES_NONE);
    }
    for (size_t asked = 0, ran = 0; done < ALL - SLOW;) {
        assert_in_range(named_n - 2 * asked, 1, 2 * 64);
        bool slow = asked < SLOW;
        char ip[4] = { slow ? 93 : 94, 1, (char)(slow ? 1 : asked % 256), (char)(asked / 256) };
        resolve(asked++, ip);
        assert_in_range(runs_n - done, 0, 20);
        for (ran = asked > SLOW ? ran : runs_n; ran < runs_n; ran++, done++)
            fetched(runs[ran], FETCH_WELL, 200);
        assert_true(asked <= ALL);
    }
    assert_int_equal(runs_n, 4 + ALL - SLOW);
    assert_int_equal(told_n, ALL - SLOW);
    end();
}

static void the_table_is_bounded(void **state)
{
    uint32_t i = 0;

    (void)state;
    begin(false);
    for (; i < MOST && told_n == 0; i++)
        ask(i, "https://example.org/", BYTES_NONE);
    assert_int_equal(i, 16384 + 1);
    step((struct event){ .kind = EV_PEER_DOWN, .peer = relay });
    ask(1, "https://example.org/", BYTES_NONE);     /* what the dead relay asked is forgotten */
    assert_int_equal(told_n, 1);
    end();
}

static void names_may_come_back(void **state)
{
    (void)state;
    begin(false);
    ask(1, "https://example.org/", BYTES_NONE);
    step((struct event){ .kind = EV_PEER_DOWN, .peer = names });
    assert_int_equal(named_n, 2);
    step((struct event){ .kind = EV_PEER_UP, .peer = names });
    assert_int_equal(named_n, 4);
    resolve(1, "\x5d\1\2\3");
    assert_int_equal(runs_n, 1);
    end();
}

static void nonsense_is_no_order(void **state)
{
    (void)state;
    begin(false);
    step((struct event){ .kind = EV_TOLD, .peer = relay, .bytes = BYTES("\1\2\3") });
    step((struct event){ .kind = EV_FETCHED, .token = 77, .number = 1 });
    assert_int_equal(told_n + runs_n + named_n, 0);
    fails = 1;
    ask(3, "https://example.org/", BYTES_NONE);
    fails = 0;
    mem_fail_at(0);
    assert_int_equal(told[0].result, FETCH_NOT_NOW);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_fetched), cmocka_unit_test(a_report_is_brought),
        cmocka_unit_test(no_such_place_is_gone_to), cmocka_unit_test(a_minute_is_enough),
        cmocka_unit_test(nobody_takes_all_places), cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(names_may_come_back), cmocka_unit_test(nonsense_is_no_order),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

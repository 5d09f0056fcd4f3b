/* SPDX-License-Identifier: ISC
 *
 * The holder of the keys, stepped by hand: what it reads, tells and signs, and what it does not.
 */
#include "role/keys_int.h"
#include "role/role.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct conf conf;
static struct keys *keys;
static struct effects fx;
static struct moment now;

static void step(struct event event)
{
    event.now = now;
    effects_clear(&fx);
    keys_ops.step(keys, &event, &fx);
    assert_false(fx.bad);
}

static void begin(const char *folder)
{
    conf = (struct conf){ .host_ascii = BYTES("mx.test"), .certificates = bytes_of(folder) };
    now = (struct moment){ 5000, 1700000000000 };
    fx = effects_none();
    keys = keys_ops.make(&conf, 0);
    assert_non_null(keys);
    step((struct event){ .kind = EV_START, .bytes = BYTES_NONE });
}

static void end(void)
{
    keys_ops.free(keys);
    effects_done(&fx);
}

static void peer(enum event_kind kind, uint32_t index)
{
    step((struct event){ .kind = kind, .peer = { ROLE_FRONT, index }, .bytes = BYTES_NONE });
}

static size_t told(enum wire_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < fx.n; i++)
        n += fx.list[i].kind == FX_TELL && wire_kind_of(fx.list[i].bytes) == kind;
    return n;
}

/* The frame of that kind in the last step, whole. */
static struct bytes frame_of(enum wire_kind kind)
{
    static struct buffer whole;

    buffer_done(&whole);
    whole = buffer_with_most(2 * LIMIT_FRAME_BYTES);
    for (size_t i = 0; i < fx.n; i++)
        if (fx.list[i].kind == FX_TELL && wire_kind_of(fx.list[i].bytes) == kind) {
            buffer_put(&whole, fx.list[i].bytes);
            buffer_put(&whole, fx.list[i].more);
            return buffer_bytes(&whole);
        }
    return BYTES_NONE;
}

static bool logged(const char *text)
{
    for (size_t i = 0; i < fx.n; i++)
        if (fx.list[i].kind == FX_LOG
            && bytes_search(fx.list[i].bytes, bytes_of(text)) < fx.list[i].bytes.n)
            return true;
    return false;
}

static struct io asked(enum io_kind kind)
{
    for (size_t i = 0; i < fx.n; i++)
        if (fx.list[i].kind == FX_IO && fx.list[i].io.kind == kind)
            return fx.list[i].io;
    return (struct io){ .name = BYTES_NONE };
}

static void answer(enum io_kind kind, enum fault fault, struct bytes text)
{
    step((struct event){ .kind = EV_IO, .token = asked(kind).token, .fault = fault,
                         .bytes = text });
}

/* A frame from that role, with the length of its signature; -1: it was not answered. */
static int sign_for(struct role_name asker, uint32_t key, uint8_t scheme, struct bytes tbs)
{
    struct effects out = effects_none();
    struct buffer frame = buffer_with_most(4096);
    struct wire_keyop_done done;

    wire_tell_keyop(&out, (struct role_name){ ROLE_KEYS, 0 }, &(struct wire_keyop){
        7, 8, key, scheme, tbs });
    buffer_put(&frame, out.list[0].bytes);
    buffer_put(&frame, out.list[0].more);
    step((struct event){ .kind = EV_TOLD, .peer = asker, .bytes = buffer_bytes(&frame) });
    bool answered = wire_read_keyop_done(frame_of(WIRE_KEYOP_DONE_MESSAGE), &done);
    buffer_done(&frame);
    effects_done(&out);
    if (!answered)
        return -1;
    assert_true(done.session == 7 && done.conn == 8);
    return (int)done.signature.n;
}

static int sign(uint32_t front, uint32_t key, uint8_t scheme, struct bytes tbs)
{
    return sign_for((struct role_name){ ROLE_FRONT, front }, key, scheme, tbs);
}

static uint32_t key_told(void)
{
    struct wire_keys_certificate certificate;

    assert_true(wire_read_keys_certificate(frame_of(WIRE_KEYS_CERTIFICATE_MESSAGE), &certificate));
    assert_true(certificate.chain.n > 0);
    return certificate.key;
}

static const char digest[64] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";

static void test_signs_itself_without_folder(void **state)
{
    (void)state;
    begin("");
    assert_true(logged("self-signed"));
    peer(EV_PEER_UP, 3);
    assert_int_equal(told(WIRE_KEYS_BEGIN_MESSAGE), 1);
    assert_int_equal(told(WIRE_KEYS_CERTIFICATE_MESSAGE), 1);
    assert_int_equal(told(WIRE_KEYS_END_MESSAGE), 1);
    assert_int_equal(told(WIRE_TICKET_KEYS_MESSAGE), 1);
    uint32_t key = key_told();
    assert_true(sign(3, key, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 60);
    /* what is no digest, no such scheme, no such key */
    assert_int_equal(sign(3, key, SIGN_ECDSA, (struct bytes){ digest, 31 }), 0);
    assert_true(logged("signature-refused"));
    assert_int_equal(sign(3, key, SIGN_RSA_PSS, (struct bytes){ digest, 32 }), 0);
    assert_int_equal(sign(3, key, 0, (struct bytes){ digest, 32 }), 0);
    assert_int_equal(sign(3, key, 255, (struct bytes){ digest, 32 }), 0);
    assert_int_equal(sign(3, key + 1, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    assert_int_equal(sign(3, key - KEYS_MOST, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    assert_int_equal(sign(3, UINT32_MAX, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    end();
}

/* A front that has not heard of the new set yet still gets its signature; a minute later an old
   number is worth nothing, nor is one of the set before the last. */
static void test_a_new_set_takes_the_place(void **state)
{
    (void)state;
    begin("");
    peer(EV_PEER_UP, 0);
    uint32_t old = key_told();
    step((struct event){ .kind = EV_RELOAD, .conf = &conf, .bytes = BYTES_NONE });
    uint32_t new = key_told();
    assert_int_not_equal(old, new);
    assert_true(sign(0, old, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    assert_true(sign(0, new, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    step((struct event){ .kind = EV_RELOAD, .conf = &conf, .bytes = BYTES_NONE });
    uint32_t newest = key_told();
    assert_int_equal(sign(0, old, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    assert_true(sign(0, new, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    now.mono_ms += KEYS_STAY_MS;
    step((struct event){ .kind = EV_ALARM, .bytes = BYTES_NONE });
    assert_int_equal(told(WIRE_TICKET_KEYS_MESSAGE), 0);
    assert_int_equal(sign(0, new, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    assert_true(sign(0, newest, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    peer(EV_PEER_DOWN, 0);
    step((struct event){ .kind = EV_RELOAD, .conf = &conf, .bytes = BYTES_NONE });
    assert_int_equal(told(WIRE_KEYS_BEGIN_MESSAGE), 0);
    end();
}

static void test_tickets_rotate(void **state)
{
    struct wire_ticket_keys first, second;
    char kept[KEYS_SECRET];

    (void)state;
    begin("");
    peer(EV_PEER_UP, 0);
    peer(EV_PEER_UP, 1);
    assert_true(wire_read_ticket_keys(frame_of(WIRE_TICKET_KEYS_MESSAGE), &first));
    assert_int_equal(first.now.n, KEYS_SECRET);
    assert_int_equal(first.before.n, 0);
    memcpy(kept, first.now.at, KEYS_SECRET);
    now.mono_ms += KEYS_ROTATE_MS - 1;
    step((struct event){ .kind = EV_ALARM, .bytes = BYTES_NONE });
    assert_int_equal(told(WIRE_TICKET_KEYS_MESSAGE), 0);
    now.mono_ms += 1;
    step((struct event){ .kind = EV_ALARM, .bytes = BYTES_NONE });
    assert_int_equal(told(WIRE_TICKET_KEYS_MESSAGE), 2);
    assert_true(wire_read_ticket_keys(frame_of(WIRE_TICKET_KEYS_MESSAGE), &second));
    assert_memory_equal(second.before.at, kept, KEYS_SECRET);
    assert_memory_not_equal(second.now.at, kept, KEYS_SECRET);
    end();
}

static void test_a_front_may_not_ask_without_end(void **state)
{
    (void)state;
    begin("");
    peer(EV_PEER_UP, 0);
    uint32_t key = key_told();
    keys->allowances[0] = (struct allowance){ now.mono_ms / 1000, KEYS_OPS_A_SECOND - 1 };
    assert_true(sign(0, key, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    assert_int_equal(sign(0, key, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    assert_true(logged("too-many-signatures"));
    assert_true(sign(1, key, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    now.mono_ms += 1000;
    assert_true(sign(0, key, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    end();
}

static void test_reads_the_folder(void **state)
{
    struct buffer chain = buffer_with_most(65536);

    (void)state;
    sign_key_free(sign_key_self_signed(BYTES("a.test"), &chain));
    begin("/etc/certificates");
    assert_int_equal(asked(IO_LIST).root, IN_KEYS);
    answer(IO_LIST, OK, BYTES("README\n.hidden.pem\na.pem\nb.pem\nc.ca\nd.pem\n"));
    assert_true(bytes_equal(asked(IO_OPEN).name, BYTES("a.pem")));
    uint64_t stale = asked(IO_READ).token;
    answer(IO_READ, OK, buffer_bytes(&chain));
    assert_true(bytes_equal(asked(IO_OPEN).name, BYTES("a.key")));
    step((struct event){ .kind = EV_IO, .token = stale, .bytes = BYTES("too late") });
    assert_int_equal(fx.n, 0);
    end();
    begin("/etc/certificates");         /* the same again, to its end */
    answer(IO_LIST, OK, BYTES("a.pem\nb.pem\nc.ca\nd.pem\n"));
    answer(IO_READ, OK, buffer_bytes(&chain));
    answer(IO_READ, OK, BYTES("no key"));
    assert_true(logged("certificate-skipped"));
    assert_true(bytes_equal(asked(IO_OPEN).name, BYTES("b.pem")));
    answer(IO_OPEN, FAULT_DENIED, BYTES_NONE);      /* CFG-004 */
    assert_true(logged("a key is for its owner alone"));
    assert_true(bytes_equal(asked(IO_OPEN).name, BYTES("c.ca")));
    answer(IO_READ, OK, buffer_bytes(&chain));
    static char long_text[KEYS_FILE_MOST + 1];
    assert_true(bytes_equal(asked(IO_OPEN).name, BYTES("d.pem")));
    answer(IO_READ, OK, (struct bytes){ long_text, sizeof(long_text) });
    assert_true(logged("too long") && logged("self-signed"));
    peer(EV_PEER_UP, 0);
    assert_int_equal(told(WIRE_KEYS_AUTHORITY_MESSAGE), 1);
    assert_int_equal(told(WIRE_KEYS_CERTIFICATE_MESSAGE), 1);
    end();
    buffer_done(&chain);
}

static void test_an_unreadable_folder_is_no_end(void **state)
{
    (void)state;
    begin("/etc/certificates");
    answer(IO_LIST, FAULT_IO, BYTES_NONE);
    assert_true(logged("certificates-unread") && logged("self-signed"));
    peer(EV_PEER_UP, 0);
    assert_int_equal(told(WIRE_KEYS_CERTIFICATE_MESSAGE), 1);
    /* A reload that comes while another reads is not forgotten when that one finds nothing. */
    step((struct event){ .kind = EV_RELOAD, .conf = &conf });
    struct io list = asked(IO_LIST);
    step((struct event){ .kind = EV_RELOAD, .conf = &conf });
    step((struct event){ .kind = EV_IO, .token = list.token, .fault = FAULT_IO });
    assert_true(logged("those of before stay"));
    assert_int_equal(asked(IO_LIST).root, IN_KEYS);
    end();
}

/* Relay is told of the certificates of client-certificate, and signed for with their keys alone: if
   it were taken over it could not be the server that clients look for. */
static void test_relay_has_its_own_certificate_alone(void **state)
{
    const struct role_name relay = { ROLE_RELAY, 0 };

    (void)state;
    begin("");                          /* mx.test signs one itself */
    peer(EV_PEER_UP, 0);
    uint32_t key = key_told();
    step((struct event){ .kind = EV_PEER_UP, .peer = relay, .bytes = BYTES_NONE });
    assert_int_equal(told(WIRE_KEYS_BEGIN_MESSAGE), 1);
    assert_int_equal(told(WIRE_KEYS_CERTIFICATE_MESSAGE), 0);
    assert_int_equal(told(WIRE_KEYS_END_MESSAGE), 1);
    assert_int_equal(told(WIRE_TICKET_KEYS_MESSAGE), 0);
    assert_false(logged("no-client-certificate"));
    assert_int_equal(sign_for(relay, key, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    conf.client_certificate = BYTES("other.test");
    step((struct event){ .kind = EV_RELOAD, .conf = &conf, .bytes = BYTES_NONE });
    assert_true(logged("no-client-certificate"));
    assert_int_equal(told(WIRE_KEYS_CERTIFICATE_MESSAGE), 1);       /* the front's */
    key = key_told();
    assert_int_equal(sign_for(relay, key, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    assert_true(sign(0, key, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    conf.client_certificate = BYTES("mx.test");
    step((struct event){ .kind = EV_RELOAD, .conf = &conf, .bytes = BYTES_NONE });
    assert_false(logged("no-client-certificate"));
    key = key_told();
    assert_true(sign_for(relay, key, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    assert_int_equal(sign_for(relay, key, SIGN_ECDSA, (struct bytes){ digest, 31 }), 0);
    keys->allowances[LIMIT_FRONTS] = (struct allowance){ now.mono_ms / 1000, KEYS_OPS_A_SECOND };
    assert_int_equal(sign_for(relay, key, SIGN_ECDSA, (struct bytes){ digest, 32 }), 0);
    assert_true(sign(0, key, SIGN_ECDSA, (struct bytes){ digest, 32 }) > 0);
    end();
}

static void test_other_frames(void **state)
{
    static const char *const frames[] = { "", "\x01", "\xFF\xFF\xFF", "KEYOP" };

    (void)state;
    begin("");
    for (size_t i = 0; i < COUNT(frames); i++) {
        step((struct event){ .kind = EV_TOLD, .peer = { ROLE_FRONT, 0 },
                             .bytes = bytes_of(frames[i]) });
        assert_true(logged("bad-frame"));
    }
    step((struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 }, .bytes = BYTES("x") });
    assert_true(logged("bad-frame"));
    step((struct event){ .kind = EV_STOP, .bytes = BYTES_NONE });
    assert_int_equal(fx.list[0].kind, FX_EXIT);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_itself_without_folder),
        cmocka_unit_test(test_a_new_set_takes_the_place), cmocka_unit_test(test_tickets_rotate),
        cmocka_unit_test(test_a_front_may_not_ask_without_end),
        cmocka_unit_test(test_reads_the_folder),
        cmocka_unit_test(test_relay_has_its_own_certificate_alone),
        cmocka_unit_test(test_an_unreadable_folder_is_no_end), cmocka_unit_test(test_other_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

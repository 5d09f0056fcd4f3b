/* SPDX-License-Identifier: ISC
 *
 * Whatever a server says to postern send, in whatever pieces: it ends, says nothing raw to the
 * terminal, keeps passwords to itself, and calls nobody's letter taken without a 2xx.
 */
#include "role/once_send.h"

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { STEPS_MOST = 5000 };

static const struct bytes letter = BYTES_INIT("Subject: x\r\n\r\n.\r\n\x80\r\n");
static const struct bytes script = BYTES_INIT(
    "expect any\nsay EHLO a\nsay NOOP\nexpect 2xx 5xx\nexpect any\nbdat 3\nletter\nexpect any\n"
    "say STARTTLS\nexpect 220\nstarttls\nexpect close any\n");

/* How it is asked, by the first octet. */
static void choose(uint8_t how, struct send_order *ret_order)
{
    *ret_order = (struct send_order){
        .wait_s = 1, .stop = SEND_STAGES, .json = (how & 1) != 0, .pipeline = (how & 2) != 0,
        .bdat = (how & 4) != 0, .chunk = (how & 8) != 0 ? 3 : 0, .lmtp = (how & 16) != 0,
        .force = (how & 32) != 0, .to = { .n = 2 },
        .user = (how & 64) != 0 ? BYTES("me") : BYTES_NONE,
        .script = (how & 128) != 0 ? BYTES("x") : BYTES_NONE,
    };
    ret_order->to.list[0] = BYTES("x@y.example");
    ret_order->to.list[1] = BYTES("\"a b\"@y.example");
}

static void check_shown(struct bytes shown)
{
    for (size_t i = 0; i < shown.n; i++)
        if ((octet(shown.at[i]) < ' ' && shown.at[i] != '\n') || shown.at[i] == 0x7f)
            __builtin_trap();
    if (bytes_search(shown, BYTES("s3cret")) < shown.n
        || bytes_search(shown, BYTES("czNjcmV0")) < shown.n
        || bytes_search(shown, BYTES("AG1lAHMzY3JldA==")) < shown.n)
        __builtin_trap();
}

static void secure(struct sender *sender, uint64_t now_us, bool proved)
{
    struct send_tls_facts facts = {
        .facts = { .version = BYTES("TLSv1.3"), .cipher = BYTES("X") },
        .verdict = { .proved = proved, .words = proved ? "" : "no" }, .shown = proved,
        .wanted = TLS_PROVE_NAME, .names = BYTES("\x01\0\0\0x\xff"), .issuer = BYTES("\x1b"),
    };

    sender_secured(sender, &facts, now_us, now_us);
}

/* True: it goes on. */
static bool step(struct sender *sender, struct bytes *in, uint64_t now_us)
{
    enum send_need need = sender_step(sender, now_us);

    check_shown(sender_show(sender));
    sender_shown(sender);
    switch (need) {
    case SEND_NEED_OUT:
        sender_sent(sender, now_us);
        break;
    case SEND_NEED_IN: {
        struct bytes piece = bytes_first(*in, in->n == 0 ? 0 : 1 + octet(in->at[0]) % 40);
        *in = bytes_skip(*in, piece.n);
        sender_input(sender, piece);
        if (piece.n == 0)
            sender_lost(sender, now_us, ONCE_NOT_NOW, BYTES("gone"));
        break;
    }
    case SEND_NEED_TLS:
        secure(sender, now_us, in->n % 2 == 0);
        break;
    case SEND_NEED_REST:
        break;
    case SEND_NEED_CLOSE:
        return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes in = { (const char *)data, n };
    struct send_order order;
    struct send_peer peer = { .name = BYTES("mx"), .address = BYTES("192.0.2.1"), .port = 25 };
    uint64_t now_us = 0;
    bool goes_on = true;

    choose(n == 0 ? 0 : data[0], &order);
    in = bytes_skip(in, 1);
    struct send_means means = { .order = &order, .host = BYTES("me.example"), .script = script,
                                .from = BYTES("a@b"), .text = letter,
                                .password = BYTES("s3cret") };
    struct sender *sender = sender_new(&means);
    if (sender == NULL)
        return 0;
    sender_connected(sender, &peer, 0, 1);
    for (unsigned i = 0; goes_on; i++) {
        if (i == STEPS_MOST + n)
            __builtin_trap();
        goes_on = step(sender, &in, now_us += 1000);
    }
    bool taken = bytes_search((struct bytes){ (const char *)data, n }, BYTES("2")) == n
        && sender_end(sender, now_us) == 0 && !order.json && order.script.n == 0;
    check_shown(sender_all(sender));
    sender_free(sender);
    if (taken)
        __builtin_trap();
    return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * One connection of postern send.
 */
#include "host/ctl_send_int.h"

#include "base/reader.h"
#include "host/clock.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { CONNECT_S = 30 };

void send_show(struct sending *sending)
{
    struct bytes show = sender_show(sending->sender);

    if (show.n > 0) {
        fwrite(show.at, 1, show.n, stdout);
        fflush(stdout);
    }
    sender_shown(sending->sender);
}

/* ---- TLS */

static struct tls_want want_of(struct sending *sending, const struct send_target *target,
                               struct bytes tlsa[static SEND_TLSA_MOST])
{
    const struct send_order *order = &sending->order;
    struct reader in = reader_of(target->tlsa);
    struct tls_want want = { .name = bytes_of(target->name), .must = order->verify,
                             .now_ms = clock_now().wall_ms, .ticket = BYTES_NONE,
                             .tlsa = tlsa, .proof = TLS_PROVE_NAME };

    while (!reader_empty(&in) && reader_ok(&in) && want.tlsa_n < SEND_TLSA_MOST)
        tlsa[want.tlsa_n++] = read_block(&in);
    if (order->name.n > 0)
        want.name = order->name;
    else if (target->shown[0] == '\0' || strcmp(target->name, target->shown) == 0)
        want.name = BYTES_NONE;         /* an address has no name to be proved */
    if (want.name.n == 0)
        want.proof = TLS_PROVE_NOTHING;
    else if (tls_tlsa_usable(tlsa, want.tlsa_n) > 0)
        want.proof = TLS_PROVE_DANE;
    return want;
}

static void tell_secured(struct sending *sending, const struct ctl_wire *wire,
                         const struct tls_want *want, uint64_t began_us)
{
    struct buffer names = buffer_with_most(64 * 1024), pem = buffer_with_most(1024 * 1024);
    struct buffer issuer = buffer_with_most(4096);
    struct send_tls_facts facts = {
        .facts = tls_facts(wire->tls), .verdict = tls_client_verdict(wire->tls),
        .wanted = want->proof, .name = want->name,
    };
    struct tls_shown shown;

    facts.shown = tls_client_shown(wire->tls, want->name, &names, &pem, &shown);
    if (facts.shown) {
        tls_client_issuer(wire->tls, &issuer);
        facts.names = buffer_bytes(&names);
        facts.issuer = buffer_bytes(&issuer);
        facts.from_ms = shown.from_ms;
        facts.until_ms = shown.until_ms;
    }
    sender_secured(sending->sender, &facts, began_us, ctl_now_us());
    buffer_done(&names);
    buffer_done(&pem);
    buffer_done(&issuer);
}

static bool secure(struct sending *sending, const struct send_target *target,
                   struct ctl_wire *wire)
{
    struct bytes tlsa[SEND_TLSA_MOST];
    struct tls_want want = want_of(sending, target, tlsa);
    uint64_t began_us = ctl_now_us();

    if (want.must && want.proof == TLS_PROVE_NOTHING) {
        sender_lost(sending->sender, began_us, EX_NOPERM,
                    BYTES("an address has no name to prove: --name says which"));
        return false;
    }
    enum wire_said said = ctl_wire_secure(wire, sending->tls, &want,
                                          sender_until_us(sending->sender));
    if (said == WIRE_WELL) {
        tell_secured(sending, wire, &want, began_us);
        return true;
    }
    bool unproved = wire->tls != NULL && want.must
        && tls_client_verdict(wire->tls).trouble != TLS_TROUBLE_NONE;
    sender_lost(sending->sender, ctl_now_us(), unproved ? EX_NOPERM : EX_PROTOCOL,
                said == WIRE_LATE ? BYTES("TLS: no answer in time") : buffer_bytes(&wire->words));
    return false;
}

/* ---- the dialogue */

static void hand_over(struct sending *sending, struct ctl_wire *wire)
{
    sender_input(sending->sender, buffer_bytes(&wire->in));
    buffer_clear(&wire->in);
}

/* Who takes no more may still have said why: that is read before the end is told. */
static void put_out(struct sending *sending, struct ctl_wire *wire)
{
    enum wire_said said = ctl_wire_send(wire, sender_output(sending->sender),
                                        sending->order.wait_s * 1000000);

    if (said == WIRE_LATE)
        sender_lost(sending->sender, ctl_now_us(), EX_TEMPFAIL,
                    BYTES("the server takes no more, and time is up"));
    else if (said == WIRE_GONE)
        buffer_clear(&wire->words);
    sender_sent(sending->sender, ctl_now_us());
}

static bool take_in(struct sending *sending, struct ctl_wire *wire)
{
    enum wire_said said = ctl_wire_read(wire, sender_until_us(sending->sender));
    struct buffer words = buffer_with_most(200);

    hand_over(sending, wire);
    if (said == WIRE_LATE) {
        buffer_put(&words, BYTES("no answer in "));
        buffer_put_uint(&words, sending->order.wait_s);
        buffer_put(&words, BYTES(" s"));
        sender_lost(sending->sender, ctl_now_us(), EX_TEMPFAIL, buffer_bytes(&words));
    } else if (said == WIRE_GONE) {
        sender_lost(sending->sender, ctl_now_us(), EX_TEMPFAIL, buffer_bytes(&wire->words));
    }
    buffer_done(&words);
    return said == WIRE_WELL;
}

static void rest(uint64_t until_us)
{
    uint64_t now_us = ctl_now_us(), left_us = until_us > now_us ? until_us - now_us : 0;
    struct timespec span = { .tv_sec = (time_t)(left_us / 1000000),
                             .tv_nsec = (long)(left_us % 1000000) * 1000 };

    (void)nanosleep(&span, NULL);
}

static void converse(struct sending *sending, const struct send_target *target,
                     struct ctl_wire *wire)
{
    bool goes_on = true;

    while (goes_on) {
        enum send_need need = sender_step(sending->sender, ctl_now_us());
        send_show(sending);
        switch (need) {
        case SEND_NEED_OUT: put_out(sending, wire); break;
        case SEND_NEED_IN: goes_on = take_in(sending, wire); break;
        case SEND_NEED_TLS: goes_on = secure(sending, target, wire); break;
        case SEND_NEED_REST: rest(sender_until_us(sending->sender)); break;
        case SEND_NEED_CLOSE: goes_on = false; break;
        }
    }
    send_show(sending);
}

bool send_talk(struct sending *sending, const struct send_target *target)
{
    struct ctl_wire wire = ctl_wire_none();
    struct send_peer peer = { .name = bytes_of(target->name), .address = bytes_of(target->shown),
                              .port = target->port, .trusted_way = target->near };
    uint64_t began_us = ctl_now_us();
    uint64_t wait_s = sending->order.wait_s < CONNECT_S ? sending->order.wait_s : CONNECT_S;
    enum wire_said said = ctl_wire_dial(&wire, &target->address.at.any, target->address.n,
                                        began_us + wait_s * 1000000);

    if (said == WIRE_WELL) {
        sender_connected(sending->sender, &peer, began_us, ctl_now_us());
        converse(sending, target, &wire);
    } else {
        sender_unreached(sending->sender, &peer, began_us, ctl_now_us(),
                         said == WIRE_LATE ? BYTES("nobody answers")
                                           : buffer_bytes(&wire.words));
        send_show(sending);
    }
    ctl_wire_close(&wire);
    return !sender_may_go_on(sending->sender);
}

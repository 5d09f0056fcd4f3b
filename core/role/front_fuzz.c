/* SPDX-License-Identifier: ISC
 *
 * front between hostile clients and a hostile store: the input is a script of events. Whatever they
 * say, nothing asserts, no client is spoken to after its connection was closed, and no letter is
 * answered 250 that the store has not taken. Connection 1 is trusted, 2 may say XCLIENT, 3 begins
 * with a PROXY header.
 *
 *   '@' c            a client comes on connection c (as a digit, modulo 4)
 *   '!' c            it goes away;  '|' c  it closes its side;  '~' c  it has read all
 *   '#' n            a frame of n + 1 octets (n one octet) comes from the store
 *   '%' t            the store takes the letter with token t (one octet)
 *   '$' a            it answers question 0 with a (one octet);  '^' s  its state is s
 *   '*'              the store dies;  '>' t  time passes, t times 4 seconds
 *   c octets '\1'    anything else: octets of client c, up to \1 (which stands for nothing)
 */
#include "base/reader.h"
#include "role/front_int.h"
#include "role/role.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CLIENTS = 4 };

struct play {
    void *front;
    struct effects fx;
    struct moment now;
    uint64_t alarm_ms;
    enum { GONE, HERE, CLOSING } clients[CLIENTS];
    bool over;
};

static void require(bool well)
{
    if (!well)
        abort();
}

static void look(struct play *play, const struct effect *effect)
{
    if (effect->kind == FX_ALARM)
        play->alarm_ms = effect->number;
    if (effect->kind == FX_TELL)
        require(wire_allowed(wire_kind_of(effect->bytes), ROLE_FRONT, ROLE_STORE));
    if (effect->kind == FX_LOG)
        require(effect->bytes.n <= LIMIT_LOG_LINE);
    if (effect->kind > FX_ABORT)
        return;
    require(effect->conn < CLIENTS && play->clients[effect->conn] == HERE);
    if (effect->kind == FX_CLOSE || effect->kind == FX_ABORT)
        play->clients[effect->conn] = CLOSING;
}

static void step(struct play *play, struct event event)
{
    if (play->over)
        return;
    event.now = play->now;
    effects_clear(&play->fx);
    front_ops.step(play->front, &event, &play->fx);
    play->over = play->fx.bad;
    for (size_t i = 0; i < play->fx.n && !play->over; i++)
        look(play, &play->fx.list[i]);
    if (event.kind != EV_TURN)
        step(play, (struct event){ .kind = EV_TURN });
}

static void tell(struct play *play, struct bytes frame)
{
    step(play, (struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 }, .bytes = frame });
}

static void tell_made(struct play *play, struct effects *fx)
{
    tell(play, fx->list[0].bytes);
    effects_done(fx);
}

static void on_store(struct play *play, char what, uint8_t value)
{
    struct role_name to = { ROLE_FRONT, 0 };
    struct effects fx = effects_none();

    if (what == '%')
        wire_tell_letter_taken(&fx, to, &(struct wire_letter_taken){ value, 7 });
    else if (what == '$')
        wire_tell_mailbox_is(&fx, to, &(struct wire_mailbox_is){ 0, value });
    else
        wire_tell_store_state(&fx, to, &(struct wire_store_state){ value });
    tell_made(play, &fx);
}

static void on_client(struct play *play, char what, uint32_t conn)
{
    static const struct { char what; enum event_kind kind; } rows[] = {
        { '@', EV_ACCEPT }, { '!', EV_CLOSED }, { '|', EV_END }, { '~', EV_DRAINED },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].what != what)
            continue;
        bool comes = rows[i].kind == EV_ACCEPT;
        if (comes != (play->clients[conn] == GONE)
            || (play->clients[conn] == CLOSING && rows[i].kind != EV_CLOSED))
            return;
        if (comes || rows[i].kind == EV_CLOSED)
            play->clients[conn] = comes ? HERE : GONE;
        step(play, (struct event){ .kind = rows[i].kind, .conn = conn,
                                   .remote.ip = { [15] = (uint8_t)conn } });
    }
}

static void pass(struct play *play, uint8_t by)
{
    play->now.mono_ms += 4000u * by;
    if (play->alarm_ms != 0 && play->alarm_ms <= play->now.mono_ms) {
        play->alarm_ms = 0;
        step(play, (struct event){ .kind = EV_ALARM });
    }
}

static void one(struct play *play, struct reader *in)
{
    char what = (char)read_u8(in);
    uint8_t value = read_u8(in);

    if (what == '\0' || strchr("@!|~", what) != NULL) {
        on_client(play, what, value % CLIENTS);
    } else if (what == '#') {
        tell(play, read_bytes(in, value + (size_t)1));
    } else if (what == '%' || what == '$' || what == '^') {
        on_store(play, what, value);
    } else if (what == '*') {
        step(play, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
    } else if (what == '>') {
        pass(play, value);
    } else {
        struct bytes text = bytes_upto(reader_left(in), '\1');
        read_bytes(in, text.n);
        if (play->clients[octet(what) % CLIENTS] == HERE)
            step(play, (struct event){ .kind = EV_BYTES, .conn = octet(what) % CLIENTS,
                                       .bytes = text });
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct bytes domains[] = { BYTES_INIT("d") };
    static const struct bytes nets[] = { BYTES_INIT("::1"), BYTES_INIT("::2"), BYTES_INIT("::3") };
    struct conf conf = { .host = BYTES("h"), .domains = { domains, 1 }, .connections = 3,
                         .size_most = 1 << 20, .recipients_most = 10, .idle_ms = 60000,
                         .size_trusted = 1 << 20, .address_bad = 5, .address_new = 20,
                         .trust = { nets, 1 }, .xclient_from = { nets + 1, 1 },
                         .proxy_from = { nets + 2, 1 } };
    struct play play = { .fx = effects_none(), .now = { 1000, 1700000000000 } };
    struct reader in = reader_of((struct bytes){ (const char *)data, n });

    play.front = front_ops.make(&conf, 0);
    require(play.front != NULL);
    step(&play, (struct event){ .kind = EV_START, .bytes = BYTES("0123456789012345") });
    on_store(&play, '^', STORE_OPEN);
    while (!reader_empty(&in) && !in.bad)
        one(&play, &in);
    front_ops.free(play.front);
    effects_done(&play.fx);
    return 0;
}

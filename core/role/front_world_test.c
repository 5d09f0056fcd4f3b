/* SPDX-License-Identifier: ISC
 *
 * The world of front_world_int.h; front_test.c and its like are linked with it.
 */
#include "role/front_world_int.h"

#include "base/ip.h"
#include "base/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct bytes domains[] = {
    BYTES_INIT("example.org"), BYTES_INIT("b\xc3\xbc" "cher.example"),
};

static void keep_effect(struct world *w, const struct effect *effect)
{
    struct client *client = &w->clients[effect->conn % WORLD_CLIENTS];
    size_t start;

    switch (effect->kind) {
    case FX_SEND:
        assert_false(client->closed || client->aborted);
        buffer_put(&client->heard, effect->bytes);
        client->sends++;
        client->undrained = true;
        break;
    case FX_PAUSE: client->paused = true; break;
    case FX_RESUME: client->paused = false; break;
    case FX_CLOSE: client->closed = true; break;
    case FX_ABORT: client->aborted = true; break;
    case FX_TELL:
        assert_int_equal(effect->to.kind, ROLE_STORE);
        start = w->frames.n;
        buffer_put_u32(&w->frames, (uint32_t)(effect->bytes.n + effect->more.n));
        buffer_put(&w->frames, effect->bytes);
        buffer_put(&w->frames, effect->more);
        assert_true(w->frames.n - start <= LIMIT_FRAME_BYTES + 4);
        break;
    case FX_ALARM: w->alarm_ms = effect->number; break;
    case FX_LOG:
        assert_true(effect->bytes.n <= LIMIT_LOG_LINE);
        buffer_put(&w->log, effect->bytes);
        buffer_put_char(&w->log, '\n');
        break;
    case FX_EXIT: w->exited = true; break;
    case FX_IO: case FX_SPAWN: case FX_KILL: case FX_DIAL: case FX_RELOAD:
    case FX_ANSWER: case FX_RESOLVE: case FX_FETCH: case FX_FETCH_END: case FX_USER:
        fail_msg("not for a front to ask");
    }
}

bool world_step(struct world *w, struct event event)
{
    event.now = w->now;
    effects_clear(&w->fx);
    front_ops.step(w->front, &event, &w->fx);
    if (w->fx.bad)
        return false;
    for (size_t i = 0; i < w->fx.n; i++)
        keep_effect(w, &w->fx.list[i]);
    return true;
}

void world_turn(struct world *w)
{
    world_step(w, (struct event){ .kind = EV_TURN });
    for (uint32_t i = 0; i < WORLD_CLIENTS; i++) {
        struct client *client = &w->clients[i];
        if (!client->undrained || client->deaf || client->closed || client->aborted)
            continue;
        client->undrained = false;
        world_step(w, (struct event){ .kind = EV_DRAINED, .conn = i });
    }
}

void world_later(struct world *w, uint64_t ms)
{
    uint64_t until = w->now.mono_ms + ms;

    while (w->alarm_ms != 0 && w->alarm_ms <= until) {
        if (w->alarm_ms > w->now.mono_ms)
            w->now.mono_ms = w->alarm_ms;
        w->alarm_ms = 0;
        world_step(w, (struct event){ .kind = EV_ALARM });
        world_turn(w);
    }
    w->now.mono_ms = until;
}

/* The world's own memory does not fail when the front's shall: it is there beforehand. */
enum { ROOM = 8192 };

void world_prepare(struct world *w)
{
    *w = (struct world){ .fx = effects_none(), .now = { 5000, 1700000000000 } };
    for (size_t i = 0; i < WORLD_CLIENTS; i++) {
        w->clients[i].heard = buffer_with_most(1 << 20);
        buffer_reserve(&w->clients[i].heard, ROOM);
    }
    w->frames = buffer_with_most(128 << 20);
    w->log = buffer_with_most(8 << 20);
    buffer_reserve(&w->frames, ROOM);
    buffer_reserve(&w->log, ROOM);
    w->conf.host = BYTES("mx.example.org");
    w->conf.domains = (struct conf_texts){ domains, COUNT(domains) };
    w->conf.connections = 4;
    w->conf.size_most = 50 << 20;
    w->conf.recipients_most = 1000;
    w->conf.idle_ms = 300 * 1000;
}

void world_open(struct world *w)
{
    w->front = front_ops.make(&w->conf, 0);
    assert_non_null(w->front);
    assert_true(world_step(w, (struct event){
        .kind = EV_START, .bytes = BYTES("01234567890123456789012345678901") }));
    world_step(w, (struct event){ .kind = EV_PEER_UP, .peer = { ROLE_STORE, 0 } });
    store_state(w, STORE_OPEN);
}

void world_start(struct world *w)
{
    world_prepare(w);
    world_open(w);
}

void world_stop(struct world *w)
{
    front_ops.free(w->front);
    effects_done(&w->fx);
    for (size_t i = 0; i < WORLD_CLIENTS; i++)
        buffer_done(&w->clients[i].heard);
    buffer_done(&w->frames);
    buffer_done(&w->log);
}

/* ---- clients */

void client_comes_from(struct world *w, uint32_t conn, const char *ip)
{
    struct event event = { .kind = EV_ACCEPT, .conn = conn, .remote = { .port = 40000 } };
    struct bytes text = bytes_of(ip);

    assert_true(ip_parse_v4(text, event.remote.ip) || ip_parse_v6(text, event.remote.ip));
    w->clients[conn].paused = w->clients[conn].closed = w->clients[conn].aborted = false;
    world_step(w, event);
    world_turn(w);
}

void client_comes(struct world *w, uint32_t conn)
{
    client_comes_from(w, conn, "192.0.2.7");
}

void client_says(struct world *w, uint32_t conn, struct bytes text)
{
    world_step(w, (struct event){ .kind = EV_BYTES, .conn = conn, .bytes = text });
    world_turn(w);
}

void client_event(struct world *w, uint32_t conn, enum event_kind kind)
{
    world_step(w, (struct event){ .kind = kind, .conn = conn });
    world_turn(w);
}

static void forget(struct client *client)
{
    buffer_clear(&client->heard);
    client->sends = 0;
}

void client_hears(struct world *w, uint32_t conn, const char *text)
{
    struct client *client = &w->clients[conn];

    if (!bytes_equal(buffer_bytes(&client->heard), bytes_of(text)))
        fail_msg("wanted: %s\nheard: %.*s", text, (int)client->heard.n, client->heard.at);
    forget(client);
}

void client_hears_last(struct world *w, uint32_t conn, const char *start)
{
    struct client *client = &w->clients[conn];
    struct bytes heard = buffer_bytes(&client->heard), line = BYTES_NONE;

    while (bytes_cut(&heard, '\n', &line))
        ;
    if (!bytes_begins(line, bytes_of(start)))
        fail_msg("wanted: %s\nheard: %.*s", start, (int)client->heard.n, client->heard.at);
    forget(client);
}

void client_begins(struct world *w, uint32_t conn)
{
    client_says(w, conn, BYTES("EHLO client.example\r\nMAIL FROM:<al@sender.example>\r\n"
                               "RCPT TO:<jo@example.org>\r\n"));
    struct wire_mailbox_ask ask;
    while (wire_read_mailbox_ask(store_hears(w), &ask)) {
        mailbox_is(w, ask.token, MAILBOX_YES);
        world_turn(w);
    }
    client_hears_last(w, conn, "250 2.1.5");
}

/* ---- the store */

void store_tells(struct world *w, const struct effects *fx)
{
    for (size_t i = 0; i < fx->n; i++)
        world_step(w, (struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                                      .bytes = fx->list[i].bytes });
}

#define TELL(name, ...)                                                                       \
    do {                                                                                      \
        struct effects fx = effects_none();                                                   \
        wire_tell_##name(&fx, (struct role_name){ ROLE_FRONT, 0 },                            \
                         &(struct wire_##name){ __VA_ARGS__ });                               \
        store_tells(w, &fx);                                                                  \
        effects_done(&fx);                                                                    \
    } while (0)

void store_state(struct world *w, enum store_state state) { TELL(store_state, (uint8_t)state); }
void store_takes(struct world *w, uint32_t token, uint64_t id) { TELL(letter_taken, token, id); }
void store_refuses(struct world *w, uint32_t token, enum refusal why)
{
    TELL(letter_refused, token, (uint8_t)why);
}
void store_credits(struct world *w, uint32_t token, uint32_t octets)
{
    TELL(credit, token, octets);
}
void mailbox_is(struct world *w, uint32_t token, enum mailbox_is verdict)
{
    TELL(mailbox_is, token, (uint8_t)verdict);
}

void store_dies(struct world *w)
{
    world_step(w, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
    world_turn(w);
}

struct bytes store_hears(struct world *w)
{
    struct reader in = reader_of(bytes_skip(buffer_bytes(&w->frames), w->frames_at));
    struct bytes frame = reader_empty(&in) ? BYTES_NONE : read_block(&in);

    w->frames_at += in.at;
    return frame;
}

bool store_hears_nothing(struct world *w)
{
    return store_hears(w).n == 0;
}

uint32_t store_is_asked(struct world *w, const char *address)
{
    struct wire_mailbox_ask ask;

    assert_true(wire_read_mailbox_ask(store_hears(w), &ask));
    if (!bytes_equal(ask.address, bytes_of(address)))
        fail_msg("asked for %.*s", (int)ask.address.n, ask.address.at);
    return ask.token;
}

struct wire_letter store_gets_letter(struct world *w)
{
    struct wire_letter letter;

    assert_true(wire_read_letter(store_hears(w), &letter));
    return letter;
}

bool log_has(const struct world *w, const char *text)
{
    struct bytes log = buffer_bytes(&w->log);

    return bytes_search(log, bytes_of(text)) < log.n;
}

/* SPDX-License-Identifier: ISC
 *
 * relay between a hostile store and hostile servers: the input is a script of events. Whatever they
 * say, nothing asserts, no connection is spoken to before it is open or after it was closed, a
 * letter is answered at most once, and no more credit is given than text was told.
 *
 *   'j' n            a letter begins: n % 4 says which number, n / 4 % 3 for whom
 *   'p' n, 'e' n     n octets more of letter n % 4;  letter n % 4 ends;  'd' n  it is dropped
 *   'b' n            a header and base64, more of letter n % 4
 *   'a' n            a question about the address n % 3
 *   '@' n            the oldest dial succeeds;  '-' n  it fails, by fault n % 10
 *   '!' c            connection c is gone;  '|' c  its server says no more;  '~' c  it has read all
 *   'w' n            letter n % 4 is for one more, with letter n / 4 % 4
 *   'n' n            a frame of n + 1 octets comes from names
 *   '#' n            a frame of n + 1 octets (n one octet) comes from the store
 *   '*'              the store dies;  '>' t  time passes, t times 4 seconds;  '.'  it shall end
 *   c octets '\1'    anything else: octets of server c, up to \1 (which stands for a line end)
 */
#include "base/reader.h"
#include "role/relay_int.h"
#include "role/role.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CONNS = 8, LETTERS = 4, DIALS = 64 };

struct play {
    void *relay;
    struct effects fx;
    struct moment now;
    uint64_t alarm_ms;
    enum { GONE, HERE, CLOSING } conns[CONNS];
    uint64_t dials[DIALS];
    size_t dials_n;
    struct { bool open; uint64_t told, credit; } letters[LETTERS];
    struct buffer base64;
    bool over;
};

static void require(bool well)
{
    if (!well)
        abort();
}

static void look_told(struct play *play, const struct effect *effect)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
    struct wire_job_result result;
    struct wire_credit credit;

    buffer_put(&frame, effect->bytes);
    buffer_put(&frame, effect->more);
    require(wire_allowed(wire_kind_of(buffer_bytes(&frame)), ROLE_RELAY, effect->to.kind));
    if (wire_read_job_result(buffer_bytes(&frame), &result) && result.job < LETTERS) {
        require(play->letters[result.job].open);
        play->letters[result.job].open = false;
    }
    if (wire_read_credit(buffer_bytes(&frame), &credit) && credit.token < LETTERS) {
        play->letters[credit.token].credit += credit.octets;
        require(play->letters[credit.token].credit <= play->letters[credit.token].told);
    }
    buffer_done(&frame);
}

static void look(struct play *play, const struct effect *effect)
{
    if (effect->kind == FX_ALARM)
        play->alarm_ms = effect->number;
    if (effect->kind == FX_TELL)
        look_told(play, effect);
    if (effect->kind == FX_LOG)
        require(effect->bytes.n <= LIMIT_LOG_LINE);
    if (effect->kind == FX_EXIT)
        play->over = true;
    if (effect->kind == FX_DIAL) {
        require(play->dials_n < DIALS);
        play->dials[play->dials_n++] = effect->number;
    }
    if (effect->kind > FX_ABORT)
        return;
    require(effect->conn < CONNS && play->conns[effect->conn] == HERE);
    if (effect->kind == FX_CLOSE || effect->kind == FX_ABORT)
        play->conns[effect->conn] = CLOSING;
}

static void one_step(struct play *play, struct event event)
{
    if (play->over)
        return;
    event.now = play->now;
    effects_clear(&play->fx);
    relay_ops.step(play->relay, &event, &play->fx);
    play->over = play->fx.bad;
    for (size_t i = 0; i < play->fx.n && !play->fx.bad; i++)
        look(play, &play->fx.list[i]);
}

static void step(struct play *play, struct event event)
{
    one_step(play, event);
    one_step(play, (struct event){ .kind = EV_TURN });
}

/* ---- the store */

static void tell(struct play *play, struct bytes frame)
{
    step(play, (struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 }, .bytes = frame });
}

static void tell_made(struct play *play, struct effects *fx)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    buffer_put(&frame, fx->list[0].bytes);
    buffer_put(&frame, fx->list[0].more);
    tell(play, buffer_bytes(&frame));
    buffer_done(&frame);
    effects_done(fx);
}

static const struct bytes people[] = {
    BYTES_INIT("a@d"), BYTES_INIT("b@d"), BYTES_INIT("c@elsewhere.example"),
};
static const struct role_name relay_name = { ROLE_RELAY, 0 };

static void begin(struct play *play, uint8_t value)
{
    struct buffer head = buffer_with_most(ENVELOPE_MOST), to = buffer_with_most(RECIPIENT_MOST);
    struct effects fx = effects_none();
    uint32_t number = value % LETTERS;

    if (play->letters[number].open)
        return;
    memset(&play->letters[number], 0, sizeof(play->letters[number]));
    play->letters[number].open = true;
    envelope_put(&head, &(struct envelope){ .sender = BYTES("s@x"), .host = BYTES("h") });
    recipient_put(&to, &(struct recipient){ .address = people[value / LETTERS % COUNT(people)] });
    wire_tell_job_begin(&fx, relay_name, &(struct wire_job_begin){
        .job = number, .letter = 1, .attempt = 1, .binary = value >> 7,
        .head = buffer_bytes(&head), .to = buffer_bytes(&to) });
    tell_made(play, &fx);
    buffer_done(&head);
    buffer_done(&to);
}

static void also(struct play *play, uint8_t value)
{
    struct buffer to = buffer_with_most(RECIPIENT_MOST);
    struct effects fx = effects_none();
    uint32_t number = value % LETTERS;

    if (play->letters[number].open)
        return;
    memset(&play->letters[number], 0, sizeof(play->letters[number]));
    play->letters[number].open = true;
    recipient_put(&to, &(struct recipient){ .address = people[value / 16 % COUNT(people)] });
    wire_tell_job_also(&fx, relay_name, &(struct wire_job_also){
        .job = number, .with = value / LETTERS % LETTERS, .attempt = 1,
        .to = buffer_bytes(&to) });
    tell_made(play, &fx);
    buffer_done(&to);
}

static void on_store(struct play *play, char what, uint8_t value)
{
    static const char text[256] = "\r\n.\r\nA: b";
    struct effects fx = effects_none();
    uint32_t number = value % LETTERS;

    if (what == 'p') {
        play->letters[number].told += value;
        wire_tell_job_part(&fx, relay_name, &(struct wire_job_part){ number, { text, value } });
    } else if (what == 'b') {
        play->letters[number].told += play->base64.n;
        wire_tell_job_part(&fx, relay_name, &(struct wire_job_part){ number,
                                                buffer_bytes(&play->base64) });
    } else if (what == 'e') {
        wire_tell_job_end(&fx, relay_name, &(struct wire_job_end){ number });
    } else if (what == 'd') {
        wire_tell_job_drop(&fx, relay_name, &(struct wire_job_drop){ number });
    } else {
        wire_tell_mailbox_ask(&fx, relay_name, &(struct wire_mailbox_ask){
            value, people[value % COUNT(people)] });
    }
    tell_made(play, &fx);
    if (what == 'd')
        play->letters[number].open = false;
}

/* ---- the servers */

static void on_dial(struct play *play, bool well, uint8_t value)
{
    uint32_t conn = 0;

    while (conn < CONNS && play->conns[conn] != GONE)
        conn++;
    if (play->dials_n == 0 || (well && conn == CONNS))
        return;
    uint64_t token = play->dials[0];
    play->dials_n--;
    memmove(play->dials, play->dials + 1, play->dials_n * sizeof(token));
    if (well)
        play->conns[conn] = HERE;
    step(play, (struct event){ .kind = EV_CONNECTED, .conn = conn, .token = token,
                               .fault = well ? OK : (enum fault)(1 + value % FAULT_UNREACHED) });
}

static void on_server(struct play *play, char what, uint32_t conn)
{
    enum event_kind kind = what == '!' ? EV_CLOSED : what == '|' ? EV_END : EV_DRAINED;

    if (play->conns[conn] == GONE || (play->conns[conn] == CLOSING && kind != EV_CLOSED))
        return;
    if (kind == EV_CLOSED)
        play->conns[conn] = GONE;
    step(play, (struct event){ .kind = kind, .conn = conn });
}

static void says(struct play *play, uint32_t conn, struct bytes text)
{
    if (play->conns[conn] == HERE)
        step(play, (struct event){ .kind = EV_BYTES, .conn = conn, .bytes = text });
    if (play->conns[conn] == HERE)
        step(play, (struct event){ .kind = EV_BYTES, .conn = conn, .bytes = BYTES("\r\n") });
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

    if (what == 'j')
        begin(play, value);
    else if (what != '\0' && strchr("pebda", what) != NULL)
        on_store(play, what, value);
    else if (what == 'w')
        also(play, value);
    else if (what == 'n')
        step(play, (struct event){ .kind = EV_TOLD, .peer = { ROLE_NAMES, 0 },
                                   .bytes = read_bytes(in, value + (size_t)1) });
    else if (what == '@' || what == '-')
        on_dial(play, what == '@', value);
    else if (what != '\0' && strchr("!|~", what) != NULL)
        on_server(play, what, value % CONNS);
    else if (what == '#')
        tell(play, read_bytes(in, value + (size_t)1));
    else if (what == '>')
        pass(play, value);
    else if (what == '.')
        step(play, (struct event){ .kind = EV_STOP });
    else if (what == '*') {
        step(play, (struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
        memset(play->letters, 0, sizeof(play->letters));
    } else {
        struct bytes text = bytes_upto(reader_left(in), '\1');
        read_bytes(in, text.n < reader_left(in).n ? text.n + 1 : text.n);
        says(play, octet(what) % CONNS, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct bytes domains[] = { BYTES_INIT("d") };
    static const struct bytes servers[] = { BYTES_INIT("unix:/lmtp") };
    static const struct bytes routes[] = { BYTES_INIT("elsewhere.example=192.0.2.1") };
    struct conf conf = { .host = BYTES("h"), .domains = { domains, 1 }, .lmtp = { servers, 1 },
                         .jobs = LETTERS, .route = { routes, 1 }, .destination_most = 4,
                         .host_most = 3, .lossless_binary = true, .lossless_unsigned = true };
    struct play play = { .fx = effects_none(), .now = { 1000, 1700000000000 } };
    struct reader in = reader_of((struct bytes){ (const char *)data, n });

    play.relay = relay_ops.make(&conf, 0);
    require(play.relay != NULL);
    step(&play, (struct event){ .kind = EV_START, .bytes = BYTES("0123456789012345") });
    play.base64 = buffer_with_most(4096);
    buffer_put_text(&play.base64, "Content-Transfer-Encoding: base64\r\n\r\n");
    for (unsigned i = 0; i < 20; i++) {
        buffer_put_chars(&play.base64, (char)('A' + i), 76);
        buffer_put_text(&play.base64, "\r\n");
    }
    while (!reader_empty(&in) && !in.bad && !play.over)
        one(&play, &in);
    relay_ops.free(play.relay);
    buffer_done(&play.base64);
    effects_done(&play.fx);
    return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Relay between a store that gives it letters and servers that answer well, badly or not at all:
 * each letter gets one result, credit is given for its text alone, and no connection is used that
 * is not there. Time is virtual, chance comes from a seed.
 */
#include "role/role.h"
#include "role/wire.h"

#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { CONNS = 64, JOBS = 64, RUNS = 300, STEPS = 300 };

struct line {
    bool open, closing;         /* closing: FX_CLOSE or FX_ABORT came */
    struct buffer heard;        /* of relay, not yet answered */
    bool text;                  /* between 354 and the dot */
    unsigned manner;            /* 0 well; 1 later; 2 silent; 3 nonsense; 4 cuts */
};

struct work {
    bool open;
    uint64_t text, credit;
};

static struct {
    void *relay;
    struct effects fx;
    struct moment now;
    struct line lines[CONNS];
    uint64_t dials[CONNS];
    size_t dials_n;
    struct work jobs[JOBS];
    uint64_t alarm_ms, dice;
    unsigned results, taken, busy, later, said;
    enum mailbox_is verdict;
    unsigned verdicts;
} w;

static uint64_t roll(uint64_t most)
{
    w.dice = w.dice * 6364136223846793005u + 1442695040888963407u;
    return (w.dice >> 33) % most;
}

static void on_result(const struct wire_job_result *result)
{
    struct work *job = &w.jobs[result->job % JOBS];

    assert_true(job->open);
    job->open = false;
    w.results++;
    w.taken += result->outcome == JOB_DELIVERED;
    if (result->reply.n > 0) {
        assert_true(bytes_equal(result->remote, BYTES("unix:/lmtp")));
        assert_true(result->reply.at[3] == ' ');
        w.said += bytes_begins(result->reply, BYTES("550 "));
    }
    w.busy += result->outcome == JOB_BUSY;
    w.later += result->outcome == JOB_LATER;
}

static void on_tell(struct bytes head, struct bytes body)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
    struct wire_job_result result;
    struct wire_credit credit;
    struct wire_mailbox_is is;

    buffer_put(&frame, head);
    buffer_put(&frame, body);
    if (wire_read_job_result(buffer_bytes(&frame), &result)) {
        on_result(&result);
    } else if (wire_read_credit(buffer_bytes(&frame), &credit)) {
        struct work *job = &w.jobs[credit.token % JOBS];
        assert_true(job->open);
        job->credit += credit.octets;
        assert_true(job->credit <= job->text);
    } else {
        assert_true(wire_read_mailbox_is(buffer_bytes(&frame), &is));
        w.verdict = is.verdict;
        w.verdicts++;
    }
    buffer_done(&frame);
}

static void on_effect(const struct effect *effect)
{
    struct line *line = &w.lines[effect->conn % CONNS];

    if (effect->kind == FX_DIAL) {
        assert_true(w.dials_n < CONNS);
        w.dials[w.dials_n++] = effect->number;
    } else if (effect->kind == FX_SEND) {
        assert_true(line->open && !line->closing);
        buffer_put(&line->heard, effect->bytes);
    } else if (effect->kind == FX_CLOSE || effect->kind == FX_ABORT) {
        assert_true(line->open && !line->closing);
        line->closing = true;
    } else if (effect->kind == FX_TELL) {
        on_tell(effect->bytes, effect->more);
    } else if (effect->kind == FX_ALARM) {
        w.alarm_ms = effect->number;
    } else {
        assert_int_equal(effect->kind, FX_LOG);
    }
}

static void one_step(struct event event)
{
    event.now = w.now;
    effects_clear(&w.fx);
    relay_ops.step(w.relay, &event, &w.fx);
    assert_false(w.fx.bad);
    for (size_t i = 0; i < w.fx.n; i++)
        on_effect(&w.fx.list[i]);
}

static void step(struct event event)
{
    one_step(event);
    one_step((struct event){ .kind = EV_TURN });
}

static void begin(uint64_t seed)
{
    static const struct bytes domains[] = { BYTES_INIT("example.org") };
    static const struct bytes servers[] = { BYTES_INIT("unix:/lmtp") };
    static struct conf conf = { .domains = { domains, 1 }, .lmtp = { servers, 1 }, .jobs = 4,
                                .host_most = 40, .destination_most = 20,
                                .host = BYTES_INIT("mx.example.org") };

    memset(&w, 0, sizeof(w));
    w.dice = seed;
    w.fx = effects_none();
    w.now = (struct moment){ 1000, UINT64_C(1767225600000) };
    for (size_t i = 0; i < CONNS; i++)
        w.lines[i].heard = buffer_with_most(8 << 20);
    w.relay = relay_ops.make(&conf, 0);
    assert_non_null(w.relay);
}

static void end(void)
{
    relay_ops.free(w.relay);
    effects_done(&w.fx);
    for (size_t i = 0; i < CONNS; i++)
        buffer_done(&w.lines[i].heard);
}

/* ---- the store */

static void tell(struct effects *fx)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    assert_int_equal(fx->n, 1);
    buffer_put(&frame, fx->list[0].bytes);
    buffer_put(&frame, fx->list[0].more);
    step((struct event){ .kind = EV_TOLD, .peer = { ROLE_STORE, 0 },
                         .bytes = buffer_bytes(&frame) });
    buffer_done(&frame);
    effects_done(fx);
}

static void give(uint32_t number, const char *to, size_t octets)
{
    static const struct role_name relay = { ROLE_RELAY, 0 };
    struct buffer head = buffer_with_most(4096), entry = buffer_with_most(4096);
    static char text[50000];
    struct effects fx = effects_none();

    memset(text, 'x', sizeof(text));
    w.jobs[number % JOBS] = (struct work){ .open = true, .text = octets };
    envelope_put(&head, &(struct envelope){ .sender = BYTES("s@example.net") });
    recipient_put(&entry, &(struct recipient){ .address = bytes_of(to) });
    wire_tell_job_begin(&fx, relay, &(struct wire_job_begin){
        .job = number, .letter = number, .attempt = 1, .size = octets,
        .head = buffer_bytes(&head), .to = buffer_bytes(&entry) });
    tell(&fx);
    if (w.jobs[number % JOBS].open) {
        fx = effects_none();
        wire_tell_job_part(&fx, relay, &(struct wire_job_part){ number, { text, octets } });
        tell(&fx);
        fx = effects_none();
        wire_tell_job_end(&fx, relay, &(struct wire_job_end){ number });
        tell(&fx);
    }
    buffer_done(&head);
    buffer_done(&entry);
}

static void ask(const char *address)
{
    struct effects fx = effects_none();

    wire_tell_mailbox_ask(&fx, (struct role_name){ ROLE_RELAY, 0 },
                          &(struct wire_mailbox_ask){ 1, bytes_of(address) });
    tell(&fx);
}

/* ---- the servers */

static void connect(bool well, unsigned manner)
{
    uint32_t conn = 0;

    if (w.dials_n == 0)
        return;
    uint64_t token = w.dials[--w.dials_n];
    while (w.lines[conn].open)
        conn++;
    if (well) {
        w.lines[conn].open = true;
        w.lines[conn].closing = w.lines[conn].text = false;
        w.lines[conn].manner = manner;
        buffer_clear(&w.lines[conn].heard);
    }
    step((struct event){ .kind = EV_CONNECTED, .conn = conn, .token = token,
                         .fault = well ? OK : FAULT_UNREACHED });
    if (well && manner != 2)
        step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = BYTES("220 x\r\n") });
}

static void hang_up(uint32_t conn)
{
    w.lines[conn].open = w.lines[conn].closing = false;
    step((struct event){ .kind = EV_CLOSED, .conn = conn });
}

static const char *answer_to(struct line *line, struct bytes said)
{
    bool end = bytes_equal(said, BYTES("."));

    if (line->text && !end)
        return NULL;
    line->text = bytes_equal(said, BYTES("DATA")) && line->manner == 0;
    if (bytes_begins(said, BYTES("LHLO")))
        return "250-x\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
    if (line->manner == 3)
        return "what?\r\n";
    if (bytes_equal(said, BYTES("DATA")))
        return line->manner == 0 ? "354 go\r\n" : "451 no\r\n";
    if (bytes_begins(said, BYTES("RCPT TO:<no")))
        return "550 5.1.1 who\r\n";
    return line->manner == 1 && bytes_begins(said, BYTES("RCPT")) ? "452 4.2.2 full\r\n"
                                                                 : "250 2.0.0 well\r\n";
}

/* Answer one line of what it said. */
static void answer(uint32_t conn)
{
    struct line *line = &w.lines[conn];
    struct bytes heard = buffer_bytes(&line->heard), said;

    if (!line->open || line->closing || line->manner == 2 || !bytes_cut(&heard, '\n', &said))
        return;
    said = bytes_trim(said);
    const char *reply = answer_to(line, said);
    buffer_drop(&line->heard, line->heard.n - heard.n);
    if (reply != NULL && line->manner == 4 && roll(4) == 0)
        hang_up(conn);
    else if (reply != NULL)
        step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = bytes_of(reply) });
    if (line->open && !line->closing)
        step((struct event){ .kind = EV_DRAINED, .conn = conn });
}

static void pass(uint64_t ms)
{
    uint64_t until = w.now.mono_ms + ms;

    while (w.alarm_ms != 0 && w.alarm_ms <= until) {
        w.now.mono_ms = w.alarm_ms > w.now.mono_ms ? w.alarm_ms : w.now.mono_ms;
        w.alarm_ms = 0;
        step((struct event){ .kind = EV_ALARM });
    }
    w.now.mono_ms = until;
}

static void answer_all(void)
{
    for (unsigned i = 0; i < 200; i++)
        for (uint32_t conn = 0; conn < CONNS; conn++)
            answer(conn);
}

/* ---- tests */

static void letters_go_over_one_connection(void **state)
{
    (void)state;
    begin(1);
    give(64, "you@example.org", 100);
    assert_int_equal(w.dials_n, 1);
    connect(true, 0);
    answer_all();
    for (uint32_t i = 65; i < 70; i++) {
        give(i, "you@example.org", 50000);
        answer_all();
    }
    assert_int_equal(w.dials_n, 0);
    assert_int_equal(w.taken, 6);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(w.jobs[i].credit, w.jobs[i].text);
    pass(60 * 1000);
    answer_all();
    assert_true(w.lines[0].closing);        /* QUIT, for want of work */
    end();
}

/* Whichever way it ends: one result, delivered, and nothing is waited for. Only once: a server that
   hangs up on a fresh connection too has failed. */
/* CLI-042 */
static void a_kept_connection_that_died_costs_nothing(void **state)
{
    (void)state;
    for (unsigned cut = 0; cut < 2; cut++) {
        begin(1);
        give(64, "you@example.org", 100);
        connect(true, 0);
        answer_all();
        assert_int_equal(w.taken, 1);
        give(65, "you@example.org", 50000);
        if (cut)
            step((struct event){ .kind = EV_END, .conn = 0 });
        hang_up(0);
        assert_int_equal(w.results, 1);
        assert_int_equal(w.dials_n, 1);
        connect(true, 0);
        answer_all();
        assert_int_equal(w.taken, 2);
        assert_int_equal(w.jobs[1].credit, w.jobs[1].text);
        give(66, "you@example.org", 100);
        answer(0);                          /* a word to MAIL: now it counts */
        hang_up(0);
        assert_int_equal(w.results, 3);
        assert_int_equal(w.taken, 2);
        end();
    }
}

static void what_a_server_said_is_told(void **state)
{
    (void)state;
    begin(1);
    give(64, "no@example.org", 100);
    connect(true, 0);
    answer_all();
    assert_int_equal(w.results, 1);
    assert_int_equal(w.said, 1);
    end();
}

static void mail_for_elsewhere_waits(void **state)
{
    (void)state;
    begin(1);
    give(64, "you@elsewhere.example", 100);
    assert_int_equal(w.later, 1);           /* nobody is there to ask for its hosts */
    assert_int_equal(w.dials_n, 0);
    end();
}

static void a_dead_server_rests(void **state)
{
    (void)state;
    begin(1);
    give(64, "you@example.org", 100);
    connect(false, 0);
    assert_int_equal(w.results, 1);
    give(65, "you@example.org", 100);
    assert_int_equal(w.results, 2);
    assert_int_equal(w.dials_n, 0);
    pass(1000);
    give(66, "you@example.org", 100);
    assert_int_equal(w.dials_n, 1);
    connect(true, 0);
    answer_all();
    assert_int_equal(w.taken, 1);
    end();
}

static void a_silent_server_keeps_its_share_alone(void **state)
{
    (void)state;
    begin(1);
    for (uint32_t i = 64; i < 68; i++)
        give(i, "you@example.org", 100);
    while (w.dials_n > 0)
        connect(true, 2);
    assert_int_equal(w.results, 0);
    pass(5000);
    assert_int_equal(w.busy, 2);            /* jobs 4: two stay, two go back */
    give(68, "you@example.org", 100);
    assert_int_equal(w.busy, 3);
    ask("you@example.org");
    assert_int_equal(w.verdict, MAILBOX_UNKNOWN);
    pass(10 * 60 * 1000);
    assert_int_equal(w.results, 5);
    end();
}

static void mailboxes_are_asked_for(void **state)
{
    static const struct { const char *address; unsigned manner; enum mailbox_is verdict; }
    rows[] = {
        { "you@example.org", 0, MAILBOX_YES }, { "no@example.org", 0, MAILBOX_NO },
        { "full@example.org", 1, MAILBOX_YES }, { "you@example.org", 3, MAILBOX_UNKNOWN },
        { "you@elsewhere.example", 0, MAILBOX_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(1);
        ask(rows[i].address);
        connect(true, rows[i].manner);
        answer_all();
        assert_int_equal(w.verdicts, 1);
        assert_int_equal(w.verdict, rows[i].verdict);
        end();
    }
}

static void something_happens(uint32_t *next)
{
    uint32_t conn = (uint32_t)roll(CONNS);

    switch (roll(12)) {
    case 0: case 1:
        if (!w.jobs[*next % JOBS].open)
            give((*next)++, "you@example.org", 1 + roll(50000));
        break;
    case 2: ask("you@example.org"); break;
    case 3: connect(roll(4) != 0, (unsigned)roll(5)); break;
    case 4:
        if (roll(10) == 0 && w.lines[conn].open)
            hang_up(conn);
        else if (w.lines[conn].open && w.lines[conn].closing)
            hang_up(conn);
        break;
    case 5: pass(roll(20000)); break;
    case 6:
        if (roll(60) == 0) {
            step((struct event){ .kind = EV_PEER_DOWN, .peer = { ROLE_STORE, 0 } });
            for (size_t i = 0; i < JOBS; i++)
                w.jobs[i].open = false;
        }
        break;
    default:
        for (uint32_t i = 0; i < CONNS; i++)
            answer(i);
    }
}

static void each_letter_has_one_result(void **state)
{
    unsigned taken = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        uint32_t next = 64;
        begin(seed);
        for (unsigned i = 0; i < STEPS; i++)
            something_happens(&next);
        for (unsigned i = 0; i < 40; i++) {
            while (w.dials_n > 0)
                connect(false, 0);
            for (uint32_t conn = 0; conn < CONNS; conn++)
                if (w.lines[conn].open)
                    hang_up(conn);
            pass(60 * 1000);
        }
        for (size_t i = 0; i < JOBS; i++)
            assert_false(w.jobs[i].open);
        taken += w.taken;
        end();
    }
    assert_true(taken > RUNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_go_over_one_connection),
        cmocka_unit_test(a_kept_connection_that_died_costs_nothing),
        cmocka_unit_test(what_a_server_said_is_told),
        cmocka_unit_test(mail_for_elsewhere_waits),
        cmocka_unit_test(a_dead_server_rests),
        cmocka_unit_test(a_silent_server_keeps_its_share_alone),
        cmocka_unit_test(mailboxes_are_asked_for),
        cmocka_unit_test(each_letter_has_one_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

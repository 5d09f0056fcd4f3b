/* SPDX-License-Identifier: ISC */
#include "role/relay_world_int.h"

#include "role/role.h"

#include "base/ip.h"
#include "base/number.h"
#include "mail/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct relay_world w;

uint64_t roll(uint64_t most)
{
    w.dice = w.dice * 6364136223846793005u + 1442695040888963407u;
    return (w.dice >> 33) % most;
}

/* ---- what relay says */

static void on_tell(const struct effect *effect)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);
    struct wire_job_result result;
    struct wire_name_ask ask;
    struct wire_fetch_ask fetch;
    struct wire_memory memory;

    buffer_put(&frame, effect->bytes);
    buffer_put(&frame, effect->more);
    if (wire_read_job_result(buffer_bytes(&frame), &result)) {
        assert_true(result.job < JOBS && w.results[result.job].job == 0);
        memcpy(w.words[result.job], result.words.at,
               result.words.n < 255 ? result.words.n : 255);
        memcpy(w.replies[result.job], result.reply.at,
               result.reply.n < 255 ? result.reply.n : 255);
        w.outcomes[result.job] = result.outcome;
        if (result.outcome == JOB_RELAYED || result.outcome == JOB_PASSED)
            result.outcome = JOB_DELIVERED;
        w.results[result.job] = result;
        w.results_n++;
        w.taken += result.outcome == JOB_DELIVERED;
    } else if (wire_read_name_ask(buffer_bytes(&frame), &ask)) {
        buffer_put_block(&w.questions, buffer_bytes(&frame));
        w.asked++;
    } else if (wire_read_fetch_ask(buffer_bytes(&frame), &fetch)) {
        assert_true(w.fetches_n < COUNT(w.fetches));
        w.fetches[w.fetches_n++] = fetch.token;
        w.fetched++;
        buffer_put(&w.urls, fetch.url);
        buffer_put_char(&w.urls, '\n');
        buffer_clear(&w.brought);
        buffer_put(&w.brought, fetch.body);
    } else if (wire_read_memory(buffer_bytes(&frame), &memory)) {
        buffer_put(&w.comes, memory.octets);
        if (memory.last != 0) {
            buffer_clear(&w.memory);
            buffer_put(&w.memory, buffer_bytes(&w.comes));
            buffer_clear(&w.comes);
        }
    } else if (effect->to.kind == ROLE_KEYS) {
        buffer_put_block(&w.keyops, buffer_bytes(&frame));
    } else if (effect->to.kind == ROLE_STORE
               && (wire_kind_of(buffer_bytes(&frame)) == WIRE_TLSRPT_LETTER_MESSAGE
                   || wire_kind_of(buffer_bytes(&frame)) == WIRE_TLSRPT_ROW_MESSAGE
                   || wire_kind_of(buffer_bytes(&frame)) == WIRE_TLSRPT_SENT_MESSAGE
                   || wire_kind_of(buffer_bytes(&frame)) == WIRE_ANSWER_END_MESSAGE)) {
        buffer_put_block(&w.reports, buffer_bytes(&frame));
    }
    buffer_done(&frame);
}

static void on_effect(const struct effect *effect)
{
    struct line *line = &w.lines[effect->conn % CONNS];

    if (effect->kind == FX_DIAL) {
        assert_true(w.dials_n < DIALS);
        w.dials[w.dials_n].token = effect->number;
        w.dials[w.dials_n++].at = effect->address;
        w.dialled++;
    } else if (effect->kind == FX_SEND) {
        assert_true(line->open && !line->closing);
        buffer_put(&line->heard, effect->bytes);
        buffer_put(&w.said, effect->bytes);
    } else if (effect->kind == FX_CLOSE || effect->kind == FX_ABORT) {
        assert_true(line->open && !line->closing);
        line->closing = true;
    } else if (effect->kind == FX_TELL) {
        on_tell(effect);
    } else if (effect->kind == FX_ALARM) {
        w.alarm_ms = effect->number;
    } else if (effect->kind == FX_LOG) {
        buffer_put(&w.log, effect->bytes);
        buffer_put_char(&w.log, '\n');
    }
}

static void one_step(struct event event)
{
    event.now = w.now;
    effects_clear(&w.fx);
    mem_fail_at(w.short_at);
    relay_ops.step(w.relay, &event, &w.fx);
    mem_fail_at(0);
    assert_true(!w.fx.bad || w.short_at > 0);
    for (size_t i = 0; i < w.fx.n; i++)
        on_effect(&w.fx.list[i]);
}

void step(struct event event)
{
    one_step(event);
    one_step((struct event){ .kind = EV_TURN });
}

void tell(struct effects *fx, enum role_kind from)
{
    struct buffer frame = buffer_with_most(LIMIT_FRAME_BYTES);

    assert_int_equal(fx->n, 1);
    buffer_put(&frame, fx->list[0].bytes);
    buffer_put(&frame, fx->list[0].more);
    step((struct event){ .kind = EV_TOLD, .peer = { from, 0 }, .bytes = buffer_bytes(&frame) });
    buffer_done(&frame);
    effects_done(fx);
}

void begin(void)
{
    memset(&w, 0, sizeof(w));
    w.conf = (struct conf){ .jobs = 16, .host = BYTES("us.example"), .destination_most = 20,
                            .host_most = 40,
                            .host_ascii = BYTES("us.example"), .authorities_text = BYTES_NONE };
    w.fx = effects_none();
    w.now = (struct moment){ 1000, UINT64_C(1767225600000) };
    w.questions = buffer_with_most(1 << 20);
    w.urls = buffer_with_most(1 << 20);
    w.brought = w.memory = w.comes = w.reports = w.keyops = buffer_with_most(1 << 20);
    w.said = buffer_with_most(1 << 20);
    w.log = buffer_with_most(1 << 20);
    w.greeting = "220 x\r\n";
    w.ehlo = "250-x\r\n250-PIPELINING\r\n250-DSN\r\n250-SIZE\r\n250 8BITMIME\r\n";
    for (size_t i = 0; i < CONNS; i++)
        w.lines[i].heard = buffer_with_most(1 << 20);
}

void start(void)
{
    w.relay = relay_ops.make(&w.conf, 0);
    assert_non_null(w.relay);
    step((struct event){ .kind = EV_START, .bytes = BYTES("0123456789abcdef0123456789abcdef") });
    step((struct event){ .kind = EV_PEER_UP, .peer = { ROLE_NAMES, 0 } });
    step((struct event){ .kind = EV_PEER_UP, .peer = { ROLE_FETCH, 0 } });
}

void begin_anew(uint64_t ms)
{
    struct effects fx = effects_none();

    relay_ops.free(w.relay);
    w.now.mono_ms = 500;
    w.now.wall_ms += ms;
    w.alarm_ms = 0;
    w.dials_n = w.fetches_n = 0;
    for (size_t i = 0; i < CONNS; i++)
        w.lines[i].open = false;
    start();
    wire_tell_memory(&fx, (struct role_name){ ROLE_RELAY, 0 },
                     &(struct wire_memory){ 1, buffer_bytes(&w.memory) });
    tell(&fx, ROLE_STORE);
}

void end(void)
{
    relay_ops.free(w.relay);
    effects_done(&w.fx);
    buffer_done(&w.questions);
    buffer_done(&w.urls);
    buffer_done(&w.brought);
    buffer_done(&w.reports);
    buffer_done(&w.keyops);
    buffer_done(&w.memory);
    buffer_done(&w.comes);
    buffer_done(&w.said);
    buffer_done(&w.log);
    for (size_t i = 0; i < CONNS; i++)
        buffer_done(&w.lines[i].heard);
}

/* ---- the names */

void zone(const char *name, uint16_t type, enum dns_verdict verdict, bool proved,
                 const char *data)
{
    w.zone[w.zone_n++] = (struct record){ name, type, verdict, proved, data, NULL };
}

static void put_name(struct buffer *to, struct bytes name)
{
    struct bytes label;

    while (bytes_cut(&name, '.', &label)) {
        buffer_put_u8(to, (uint8_t)label.n);
        buffer_put(to, label);
    }
    buffer_put_u8(to, 0);
}

static void put_data(struct buffer *to, uint16_t type, struct bytes word, unsigned i)
{
    struct buffer data = buffer_with_most(512);
    uint8_t ip[16];

    if (type == DNS_MX) {
        buffer_put_u8(&data, 0);
        buffer_put_u8(&data, (uint8_t)(10 * (i + 1)));
        put_name(&data, bytes_equal(word, BYTES(".")) ? BYTES_NONE : word);
    } else if (type == DNS_TXT) {
        buffer_put_u8(&data, (uint8_t)word.n);
        buffer_put(&data, word);
    } else if (type == DNS_A) {
        assert_true(ip_parse_v4(word, ip));
        buffer_put(&data, (struct bytes){ (const char *)ip + 12, 4 });
    } else {
        assert_true(ip_parse_v6(word, ip));
        buffer_put(&data, (struct bytes){ (const char *)ip, 16 });
    }
    buffer_put_block(to, buffer_bytes(&data));
    buffer_done(&data);
}

static const struct record *find(struct bytes name, uint16_t type)
{
    static const struct record nothing = { "", 0, DNS_NODATA, false, "", NULL };

    for (size_t i = 0; i < w.zone_n; i++)
        if (w.zone[i].type == type && bytes_equal(bytes_of(w.zone[i].name), name))
            return &w.zone[i];
    return &nothing;
}

static void answer_name(struct bytes frame)
{
    struct wire_name_ask ask;
    struct buffer records = buffer_with_most(16384), text = buffer_with_most(32768);
    struct effects fx = effects_none();
    unsigned i = 0;

    assert_true(wire_read_name_ask(frame, &ask));
    const struct record *record = find(ask.name, ask.type);
    struct bytes rest = bytes_of(record->data), word;
    while (bytes_cut(&rest, ask.type == DNS_TXT ? '\n' : ' ', &word))
        put_data(&records, ask.type, word, i++);
    dns_answer_put(&text, &(struct dns_answer){
        .verdict = record->verdict, .proved = record->proved, .ttl = 300,
        .canonical = record->alias == NULL ? BYTES_NONE : bytes_of(record->alias),
        .records = buffer_bytes(&records) });
    wire_tell_name_is(&fx, (struct role_name){ ROLE_RELAY, 0 },
                      &(struct wire_name_is){ ask.token, buffer_bytes(&text) });
    tell(&fx, ROLE_NAMES);
    buffer_done(&records);
    buffer_done(&text);
}

void answer_names(void)
{
    while (w.questions.n > 0) {
        struct buffer all = w.questions;
        size_t at = 0;
        w.questions = buffer_with_most(1 << 20);
        while (at < all.n) {
            uint32_t n;
            memcpy(&n, all.at + at, sizeof(n));
            answer_name((struct bytes){ all.at + at + 4, n });
            at += 4 + n;
        }
        buffer_done(&all);
    }
}

void answer_fetch(unsigned result, const char *body)
{
    struct effects fx = effects_none();

    assert_true(w.fetches_n > 0);
    wire_tell_fetch_is(&fx, (struct role_name){ ROLE_RELAY, 0 }, &(struct wire_fetch_is){
        w.fetches[0], (uint8_t)result, 200, bytes_of(body) });
    memmove(w.fetches, w.fetches + 1, --w.fetches_n * sizeof(w.fetches[0]));
    tell(&fx, ROLE_FETCH);
}

/* ---- the servers */

uint32_t connect(bool well)
{
    uint32_t conn = 0;

    assert_true(w.dials_n > 0);
    uint64_t token = w.dials[0].token;
    memmove(w.dials, w.dials + 1, --w.dials_n * sizeof(w.dials[0]));
    while (w.lines[conn].open)
        conn++;
    if (well) {
        w.lines[conn].open = true;
        w.lines[conn].closing = w.lines[conn].text = w.lines[conn].in_chunk = false;
        buffer_clear(&w.lines[conn].heard);
    }
    step((struct event){ .kind = EV_CONNECTED, .conn = conn, .token = token,
                         .fault = well ? OK : FAULT_UNREACHED });
    if (well)
        step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = bytes_of(w.greeting) });
    return conn;
}

static const char *answer_to(struct line *line, struct bytes said)
{
    if (line->text && !bytes_equal(said, BYTES(".")))
        return NULL;
    if (bytes_begins(said, BYTES("EHLO")))
        return w.ehlo;
    if (bytes_begins(said, BYTES("MAIL"))) {
        w.mails++;
        w.rcpt_at = 0;
    }
    if (bytes_begins(said, BYTES("RCPT"))) {
        const char *reply = w.rcpt_at < COUNT(w.rcpt_reply) ? w.rcpt_reply[w.rcpt_at] : NULL;
        w.rcpt_at++;
        w.rcpts++;
        return reply == NULL ? "250 2.1.5 well\r\n" : reply;
    }
    w.data_ends += line->text;
    if (line->text && w.end_reply != NULL) {
        line->text = false;
        return w.end_reply;
    }
    line->text = bytes_equal(said, BYTES("DATA"));
    return line->text ? "354 go\r\n" : "250 2.0.0 well\r\n";
}

static const char *lie(const char *due)
{
    static const char *const lies[] = {
        "twaddle\r\n", "451 4.3.0 not now\r\n", "554 5.7.0 never\r\n", "421 4.3.2 bye\r\n",
        "354 go on\r\n", "452 4.5.3 too many\r\n", "2\xff\r0 what\r\n", "250 \r\n", "",
        "220 2.0.0 go\r\n",
    };

    return w.lies > 0 && roll(w.lies) == 0 ? lies[roll(COUNT(lies))] : due;
}

/* What was truly said of it. */
static void note(struct line *line, struct bytes said, const char *reply, bool text)
{
    bool well = reply[0] == '2' && is_digit(reply[1]);

    if (bytes_begins(said, BYTES("MAIL")))
        line->rcpts = 0;
    line->rcpts += bytes_begins(said, BYTES("RCPT")) && well;
    if (text && bytes_equal(said, BYTES(".")) && well)
        w.kept += line->rcpts;
}

/* BDAT octets [LAST] */
static void begin_chunk(struct line *line, struct bytes said)
{
    struct bytes number = bytes_upto(bytes_skip(said, 5), ' ');

    line->in_chunk = number_parse(number, &line->chunk);
    line->last = bytes_ends(said, BYTES(" LAST"));
}

static bool take_chunk(uint32_t conn)
{
    struct line *line = &w.lines[conn];
    size_t n = line->heard.n < line->chunk ? line->heard.n : (size_t)line->chunk;
    const char *words = "250 2.0.0 more\r\n";

    buffer_drop(&line->heard, n);
    line->chunk -= n;
    if (line->chunk > 0)
        return n > 0;
    line->in_chunk = false;
    if (line->last) {
        words = w.chunk_reply == NULL ? "250 2.0.0 well\r\n" : w.chunk_reply;
        w.chunk_reply = NULL;
        w.data_ends++;
    }
    step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = bytes_of(words) });
    return true;
}

static bool answer(uint32_t conn)
{
    struct line *line = &w.lines[conn];
    struct bytes heard = buffer_bytes(&line->heard), said;
    struct buffer reply = buffer_with_most(4096);

    if (line->open && !line->closing && line->in_chunk)
        return take_chunk(conn);
    if (!line->open || line->closing || bytes_find(heard, '\n') == heard.n)
        return false;
    (void)bytes_cut(&heard, '\n', &said);
    said = bytes_trim(said);
    if (!line->text && bytes_begins(said, BYTES("BDAT "))) {
        begin_chunk(line, said);
        buffer_drop(&line->heard, line->heard.n - heard.n);
        return true;
    }
    bool text = line->text;
    const char *words = answer_to(line, said);
    if (words != NULL) {
        words = lie(words);
        note(line, said, words, text);
    }
    buffer_drop(&line->heard, line->heard.n - heard.n);
    if (words != NULL)
        step((struct event){ .kind = EV_BYTES, .conn = conn, .bytes = bytes_of(words) });
    buffer_done(&reply);
    return true;
}

void answer_all(void)
{
    bool some = true;

    for (unsigned i = 0; some && i < 2000; i++) {
        some = false;
        for (uint32_t conn = 0; conn < CONNS; conn++)
            some = answer(conn) || some;
    }
}

void hang_up(uint32_t conn)
{
    w.lines[conn].open = w.lines[conn].closing = false;
    step((struct event){ .kind = EV_CLOSED, .conn = conn });
}

void pass(uint64_t ms)
{
    uint64_t until = w.now.mono_ms + ms;

    for (unsigned i = 0; w.alarm_ms != 0 && w.alarm_ms <= until && i < 1000; i++) {
        uint64_t to_ms = w.alarm_ms > w.now.mono_ms ? w.alarm_ms : w.now.mono_ms;
        w.now.wall_ms += to_ms - w.now.mono_ms;
        w.now.mono_ms = to_ms;
        w.alarm_ms = 0;
        step((struct event){ .kind = EV_ALARM });
    }
    w.now.wall_ms += until - w.now.mono_ms;
    w.now.mono_ms = until;
}

/* ---- the store */

const char *const TEXT = "Subject: x\r\n\r\ntext\r\n";

enum { FILLER = 50000 };

void give_with(uint32_t number, const char *const *to, size_t n, const char *text,
                      bool require_tls)
{
    static const struct role_name relay = { ROLE_RELAY, 0 };
    struct buffer head = buffer_with_most(4096);

    envelope_put(&head, &(struct envelope){ .sender = BYTES("s@us.example"), .envid = BYTES("E1"),
                                            .ret = DSN_RET_HDRS, .require_tls = require_tls,
                                            .body = w.body, .smtputf8 = w.utf8, .by = w.by,
                                            .by_trace = w.by_trace, .by_ms = w.by == BY_NOT_GIVEN
                                            ? 0 : (uint64_t)((int64_t)w.now.wall_ms + w.by_ms) });
    for (size_t i = 0; i < n; i++) {
        struct buffer entry = buffer_with_most(4096);
        struct effects fx = effects_none();
        recipient_put(&entry, &(struct recipient){ .address = bytes_of(to[i]),
                                                   .orcpt = w.orcpt == NULL ? BYTES_NONE
                                                          : bytes_of(w.orcpt),
                                                   .notify = DSN_FAILURE });
        if (i == 0)
            wire_tell_job_begin(&fx, relay, &(struct wire_job_begin){
                .job = number, .letter = number, .size = strlen(text),
                .attempt = w.attempt == 0 ? 1 : w.attempt,
                .head = buffer_bytes(&head), .to = buffer_bytes(&entry) });
        else
            wire_tell_job_also(&fx, relay, &(struct wire_job_also){
                .job = number + (uint32_t)i, .with = number, .recipient = (uint32_t)i,
                .attempt = w.attempt == 0 ? 1 : w.attempt, .to = buffer_bytes(&entry) });
        tell(&fx, ROLE_STORE);
        buffer_done(&entry);
    }
    struct effects fx = effects_none();
    wire_tell_job_part(&fx, relay, &(struct wire_job_part){ number, bytes_of(text) });
    tell(&fx, ROLE_STORE);
    for (size_t left = w.filler; left > 0; left -= left < FILLER ? left : FILLER) {
        static char octets[FILLER];
        memset(octets, 0xE4, sizeof(octets));
        fx = effects_none();
        wire_tell_job_part(&fx, relay, &(struct wire_job_part){
            number, { octets, left < FILLER ? left : FILLER } });
        tell(&fx, ROLE_STORE);
    }
    fx = effects_none();
    wire_tell_job_end(&fx, relay, &(struct wire_job_end){ number });
    if (!w.unended)
        tell(&fx, ROLE_STORE);
    effects_done(&fx);
    buffer_done(&head);
}

void give(uint32_t number, const char *to)
{
    give_with(number, &to, 1, TEXT, false);
}

bool said(const char *words)
{
    return bytes_search(buffer_bytes(&w.said), bytes_of(words)) < w.said.n;
}

bool logged(const char *words)
{
    return bytes_search(buffer_bytes(&w.log), bytes_of(words)) < w.log.n;
}

void result_is(uint32_t job, enum job_outcome outcome, unsigned class, unsigned subject,
                      unsigned detail)
{
    const struct wire_job_result *result = &w.results[job];

    assert_int_equal(result->job, job);
    if (result->outcome != outcome || result->class != class || result->subject != subject
        || result->detail != detail)
        fail_msg("job %u: %u %u.%u.%u %s", job, result->outcome, result->class, result->subject,
                 result->detail, w.words[job]);
}

void a_host(void)
{
    zone("a.example", DNS_MX, DNS_INSECURE, false, "mx.a.example");
    zone("mx.a.example", DNS_A, DNS_INSECURE, false, "198.51.100.1");
}

/* For real addresses: those of documentation are nobody's, and guarded. */
void private(void)
{
    begin();
    w.conf.allow_private = true;
    start();
}

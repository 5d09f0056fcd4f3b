/* SPDX-License-Identifier: ISC
 *
 * SMTP and LMTP as mailsink speaks them: everything is taken, every letter is counted.
 */
#include "bench/load/sink.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The number behind "X-Storm-Id: RUN-". */
static bool find_id(const struct sink_conn *conn, uint64_t *ret_id)
{
    const char *end = conn->head.at + conn->head.end, *at;
    uint64_t id = 0;

    at = conn->head.end == 0 ? NULL : memmem(conn->head.at, conn->head.end, "X-Storm-Id: ", 12);
    if (at == NULL)
        return false;
    for (at += 12; at < end && *at != '-' && *at != '\r'; at++)
        continue;
    if (at == end || *at != '-' || at + 1 == end || at[1] < '0' || at[1] > '9')
        return false;
    for (at++; at < end && *at >= '0' && *at <= '9' && id < ID_MOST; at++)
        id = id * 10 + (uint64_t)(*at - '0');
    *ret_id = id;
    return id < ID_MOST;
}

static void count_letter(const struct sink_conn *conn)
{
    unsigned long long zero = 0, now = now_us();
    uint64_t id;

    atomic_compare_exchange_strong(&counts.first_us, &zero, now);
    atomic_store(&counts.last_us, now);
    atomic_fetch_add(&counts.letters, 1);
    atomic_fetch_add(&counts.octets, conn->letter_bytes);
    if (!sink.ids)
        return;
    if (!find_id(conn, &id)) {
        atomic_fetch_add(&counts.no_id, 1);
        return;
    }
    uint8_t bit = (uint8_t)(1u << (id & 7)), before = atomic_fetch_or(&sink_seen[id >> 3], bit);
    atomic_fetch_add((before & bit) != 0 ? &counts.doubles : &counts.unique, 1);
}

static void take_text(struct sink_conn *conn, const char *text, size_t n)
{
    conn->letter_bytes += n;
    if (sink.log != NULL)
        octets_add(&conn->letter, text, n);
    if (sink.ids && conn->head.end < HEADER_MOST) {
        size_t room = HEADER_MOST - conn->head.end;
        octets_add(&conn->head, text, n < room ? n : room);
    }
}

/* A record: length, then text; the reply waits for the sync that follows this turn of the loop. */
static void put_in_log(struct sink_worker *worker, struct sink_conn *conn)
{
    uint64_t n = octets_held(&conn->letter);

    octets_add(&worker->log, &n, sizeof(n));
    octets_add(&worker->log, octets_first(&conn->letter), n);
    octets_clear(&conn->letter);
    conn->unsynced = true;
    if (conn->listed)
        return;
    if (worker->waiting_n == worker->waiting_room) {
        worker->waiting_room = worker->waiting_room == 0 ? 64 : worker->waiting_room * 2;
        worker->waiting = must_resize(worker->waiting,
                                      worker->waiting_room * sizeof(struct sink_conn *));
    }
    conn->listed = true;
    worker->waiting[worker->waiting_n++] = conn;
}

static void reset(struct sink_conn *conn)
{
    octets_clear(&conn->head);
    octets_clear(&conn->letter);
    conn->letter_bytes = 0;
    conn->recipients = 0;
    conn->has_sender = false;
    conn->state = SINK_COMMAND;
}

static void end_letter(struct sink_worker *worker, struct sink_conn *conn)
{
    static atomic_uint turn;
    const char *refusal = NULL;

    if (sink.eod != NULL && atomic_fetch_add(&turn, 1) % sink.eod_every == 0)
        refusal = sink.eod;
    if (refusal == NULL || refusal[0] == '2')
        count_letter(conn);
    else
        atomic_fetch_add(&counts.refused, 1);
    if (sink.log != NULL)
        put_in_log(worker, conn);
    for (unsigned i = 0; i < (sink.lmtp ? conn->recipients : 1); i++) {
        octets_add_text(&conn->out, refusal == NULL ? "250 2.0.0 taken" : refusal);
        octets_add_text(&conn->out, "\r\n");
    }
    if (sink.delay_us > 0)
        conn->wake_us = now_us() + sink.delay_us;
    reset(conn);
}

/* Look for the lone dot; *ret_end when it was found. Returns how much was used. */
static size_t scan_data(struct sink_conn *conn, const char *text, size_t n, bool *ret_end)
{
    size_t i = 0;

    *ret_end = false;
    while (i < n && !*ret_end) {
        char c = text[i];
        const char *cr;
        switch (conn->end) {
        case END_MIDLINE:
            cr = memchr(text + i, '\r', n - i);
            i = cr == NULL ? n - 1 : (size_t)(cr - text);
            conn->end = cr == NULL ? END_MIDLINE : END_CR;
            break;
        case END_CR:
            conn->end = c == '\n' ? END_LINE : c == '\r' ? END_CR : END_MIDLINE;
            break;
        case END_LINE:
            conn->end = c == '.' ? END_DOT : c == '\r' ? END_CR : END_MIDLINE;
            break;
        case END_DOT:
            conn->end = c == '\r' ? END_DOT_CR : END_MIDLINE;
            break;
        case END_DOT_CR:
            *ret_end = c == '\n';
            conn->end = END_MIDLINE;
            break;
        }
        i++;
    }
    return i;
}

static bool is_verb(const char *line, size_t n, const char *verb)
{
    size_t v = strlen(verb);

    return n >= v && strncasecmp(line, verb, v) == 0
        && (n == v || line[v] == ' ' || line[v] == ':');
}

static void on_ehlo(struct sink_conn *conn)
{
    if (sink.no_extensions) {
        octets_add_text(&conn->out, "250 mailsink\r\n");
        return;
    }
    octets_add_text(&conn->out, "250-mailsink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                                "250-ENHANCEDSTATUSCODES\r\n250-SIZE 1073741824\r\n");
    if (sink_tls != NULL && conn->stream.ssl == NULL)
        octets_add_text(&conn->out, "250-STARTTLS\r\n");
    if (sink.mailmax > 0) {
        char limit[48];
        snprintf(limit, sizeof(limit), "250-LIMITS MAILMAX=%u\r\n", sink.mailmax);
        octets_add_text(&conn->out, limit);
    }
    octets_add_text(&conn->out, "250 CHUNKING\r\n");
}

static void on_bdat(struct sink_conn *conn, const char *line, size_t n)
{
    char text[64] = { 0 }, *end;

    memcpy(text, line, n < sizeof(text) ? n : sizeof(text) - 1);
    conn->chunk_left = strtoull(text + 4, &end, 10);
    while (*end == ' ')
        end++;
    conn->last_chunk = strncasecmp(end, "LAST", 4) == 0;
    conn->state = SINK_BDAT;
}

static const char *on_mail(struct sink_conn *conn)
{
    if (conn->has_sender)
        return "503 5.5.1 nested MAIL";
    if (sink.mailmax > 0 && conn->letters >= sink.mailmax) {
        conn->closing = true;
        return "421 4.7.0 no more letters in this session";
    }
    conn->letters++;
    conn->has_sender = true;
    conn->recipients = 0;
    return "250 2.1.0 ok";
}

static const char *on_rcpt(struct sink_conn *conn)
{
    if (sink.rcpt != NULL && sink.rcpt[0] != '2')
        return sink.rcpt;
    conn->recipients++;
    atomic_fetch_add(&counts.recipients, 1);
    return "250 2.1.5 ok";
}

static const char *on_data(struct sink_conn *conn)
{
    if (conn->recipients == 0)
        return "503 5.5.1 no recipients";
    conn->state = SINK_DATA;
    conn->end = END_LINE;
    return "354 go";
}

static const char *on_starttls(struct sink_conn *conn)
{
    octets_clear(&conn->in);        /* nothing may follow before the handshake */
    conn->tls_next = true;
    return "220 2.0.0 go";
}

static const char *on_other(struct sink_conn *conn, const char *line, size_t n)
{
    if (is_verb(line, n, "RSET")) {
        reset(conn);
        return "250 2.0.0 ok";
    }
    if (is_verb(line, n, "NOOP"))
        return "250 2.0.0 ok";
    if (is_verb(line, n, "HELO"))
        return "250 mailsink";
    if (is_verb(line, n, "QUIT")) {
        conn->closing = true;
        return "221 2.0.0 bye";
    }
    if (is_verb(line, n, "STARTTLS") && sink_tls != NULL && conn->stream.ssl == NULL)
        return on_starttls(conn);
    atomic_fetch_add(&counts.bad_commands, 1);
    return "500 5.5.2 what?";
}

static void command(struct sink_conn *conn, const char *line, size_t n)
{
    const char *reply;

    if (is_verb(line, n, "EHLO") || is_verb(line, n, "LHLO")) {
        on_ehlo(conn);
        return;
    }
    if (is_verb(line, n, "BDAT")) {
        on_bdat(conn, line, n);
        return;
    }
    if (is_verb(line, n, "MAIL FROM"))
        reply = on_mail(conn);
    else if (is_verb(line, n, "RCPT TO"))
        reply = on_rcpt(conn);
    else if (is_verb(line, n, "DATA"))
        reply = on_data(conn);
    else
        reply = on_other(conn, line, n);
    octets_add_text(&conn->out, reply);
    octets_add_text(&conn->out, "\r\n");
}

static bool take_line(struct sink_conn *conn)
{
    const char *line = octets_first(&conn->in);
    size_t held = octets_held(&conn->in);
    const char *end = memchr(line, '\n', held);

    if (end == NULL)
        return false;
    size_t n = (size_t)(end - line);
    conn->in.begin += n + 1;
    command(conn, line, n > 0 && line[n - 1] == '\r' ? n - 1 : n);
    return true;
}

static void end_chunk(struct sink_worker *worker, struct sink_conn *conn)
{
    conn->state = SINK_COMMAND;
    if (conn->recipients == 0) {
        octets_add_text(&conn->out, "503 5.5.1 no recipients\r\n");
        reset(conn);
    } else if (conn->last_chunk) {
        atomic_fetch_add(&counts.by_bdat, 1);
        end_letter(worker, conn);
    } else {
        octets_add_text(&conn->out, "250 2.0.0 chunk\r\n");
    }
}

static void take_data(struct sink_worker *worker, struct sink_conn *conn)
{
    const char *text = octets_first(&conn->in);
    bool end;
    size_t n = scan_data(conn, text, octets_held(&conn->in), &end);

    take_text(conn, text, n);
    conn->in.begin += n;
    if (end)
        end_letter(worker, conn);
}

static void take_chunk(struct sink_conn *conn)
{
    size_t n = octets_held(&conn->in);

    n = n < conn->chunk_left ? n : (size_t)conn->chunk_left;
    take_text(conn, octets_first(&conn->in), n);
    conn->in.begin += n;
    conn->chunk_left -= n;
}

bool sink_speak(struct sink_worker *worker, struct sink_conn *conn)
{
    while (octets_held(&conn->in) > 0 && !conn->closing && conn->wake_us == 0 && !conn->tls_next) {
        if (conn->state == SINK_DATA)
            take_data(worker, conn);
        else if (conn->state == SINK_BDAT)
            take_chunk(conn);
        else if (!take_line(conn))
            return octets_held(&conn->in) < LINE_MOST;
        if (conn->state == SINK_BDAT && conn->chunk_left == 0)
            end_chunk(worker, conn);
    }
    return true;
}

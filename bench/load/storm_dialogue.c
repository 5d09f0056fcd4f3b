/* SPDX-License-Identifier: ISC
 *
 * The client's side of SMTP and LMTP: lock-step, with PIPELINING, and with CHUNKING.
 */
#include "bench/load/storm.h"

#include <string.h>

enum { REPLY_MOST = 65536 };

const char *const storm_await_names[AWAITS] = {
    "banner", "EHLO", "STARTTLS", "EHLO over TLS", "MAIL", "RCPT", "DATA", "end of data",
    "BDAT chunk", "QUIT",
};

static void put_command(struct storm_conn *conn, enum storm_await await, const char *before,
                        const char *value, const char *after)
{
    octets_add_text(&conn->out, before);
    octets_add_text(&conn->out, value);
    octets_add_text(&conn->out, after);
    storm_await(conn, await);
}

void storm_hello(struct storm_conn *conn, enum storm_await await)
{
    const char *verb = storm.lmtp ? "LHLO " : storm.no_extensions ? "HELO " : "EHLO ";

    put_command(conn, await, verb, storm.helo, "\r\n");
}

static bool pipelining(const struct storm_conn *conn)
{
    return storm.pipeline && conn->has_pipelining;
}

static bool chunking(const struct storm_conn *conn)
{
    return storm.chunking && conn->has_chunking;
}

static unsigned window_of(const struct storm_conn *conn)
{
    if (!pipelining(conn))
        return 1;
    return storm.window > 0 ? storm.window : chunking(conn) ? 8 : 2;
}

static bool quiet(const struct storm_conn *conn)
{
    return conn->awaited_first == conn->awaited_end;
}

static bool take_ticket(uint64_t *ret_id)
{
    uint64_t ticket = atomic_fetch_add(&storm_tickets, 1);

    *ret_id = storm.first_id + ticket;
    return ticket < storm.total;
}

static void put_mail(struct storm_conn *conn)
{
    char size[40] = ">\r\n";

    if (storm.declare_size)
        snprintf(size, sizeof(size), "> SIZE=%llu\r\n", (unsigned long long)letter_bytes());
    put_command(conn, AWAIT_MAIL, "MAIL FROM:<", storm.from, size);
}

/* The next letter, or QUIT. False: nothing can be said now. */
static bool begin_letter(struct storm_worker *worker, struct storm_conn *conn)
{
    if (conn->letters_end - conn->letters_first >= window_of(conn))
        return false;
    if (storm.idle > 0) {
        worker->held += !conn->held;
        conn->held = true;
        if (!asked_to_stop())
            return false;
    }
    if (conn->begun >= storm.per_connection || asked_to_stop() || !take_ticket(&conn->id)) {
        if (!quiet(conn) && !pipelining(conn))
            return false;
        put_command(conn, AWAIT_QUIT, "QUIT\r\n", "", "");
        conn->state = STORM_QUIT;
        return false;
    }
    conn->begun++;
    if (storm.no_mail) {
        worker->ok++;
        worker->last_ok_us = now_us();
        return true;
    }
    letter_begin(conn);
    conn->began_us[conn->letters_end++ % WINDOW_MOST] = now_us();
    put_mail(conn);
    conn->next = NEXT_RCPT;
    conn->recipient = 0;
    return true;
}

/* storm.to holds at most one %u, in whose place the recipient's number goes. */
static void put_rcpt(struct storm_conn *conn)
{
    const char *mark = strchr(storm.to, '%');
    size_t before = mark == NULL ? strlen(storm.to) : (size_t)(mark - storm.to);
    unsigned long long number = conn->id * storm.recipients + conn->recipient;
    char text[40] = "";

    if (storm.users > 0)
        number %= storm.users;
    if (mark != NULL)
        snprintf(text, sizeof(text), "%u", (unsigned)number);
    octets_add_text(&conn->out, "RCPT TO:<");
    octets_add(&conn->out, storm.to, before);
    put_command(conn, AWAIT_RCPT, text, mark == NULL ? "" : mark + 2, ">\r\n");
    if (++conn->recipient == storm.recipients)
        conn->next = chunking(conn) ? NEXT_TEXT : NEXT_DATA;
}

static void await_end(struct storm_worker *worker, struct storm_conn *conn)
{
    for (unsigned i = 0; i < (storm.lmtp ? storm.recipients : 1); i++)
        storm_await(conn, AWAIT_EOD);
    conn->next = NEXT_MAIL;
    worker->octets_out += letter_bytes();
}

/* A chunk's command, or some of its octets. False: the socket must drain first. */
static bool put_chunk(struct storm_worker *worker, struct storm_conn *conn)
{
    uint64_t all = letter_bytes();

    if (conn->offset == conn->chunk_end) {
        uint64_t n = all - conn->offset;
        char line[64];
        n = storm.chunk > 0 && n > storm.chunk ? storm.chunk : n;
        conn->chunk_end = conn->offset + n;
        snprintf(line, sizeof(line), "BDAT %llu%s\r\n", (unsigned long long)n,
                 conn->chunk_end == all ? " LAST" : "");
        octets_add_text(&conn->out, line);
    }
    if (!letter_put(conn, conn->chunk_end))
        return false;
    if (conn->chunk_end == all)
        await_end(worker, conn);
    else
        storm_await(conn, AWAIT_CHUNK);
    return true;
}

static bool put_text(struct storm_worker *worker, struct storm_conn *conn)
{
    if (chunking(conn))
        return put_chunk(worker, conn);
    if (!letter_put(conn, letter_bytes()))
        return false;
    octets_add_text(&conn->out, ".\r\n");
    await_end(worker, conn);
    return true;
}

void storm_generate(struct storm_worker *worker, struct storm_conn *conn)
{
    bool more = true;

    while (more && conn->state == STORM_UP && octets_held(&conn->out) < OUT_HIGH) {
        if (!pipelining(conn) && !quiet(conn))
            return;
        switch (conn->next) {
        case NEXT_MAIL:
            more = begin_letter(worker, conn);
            break;
        case NEXT_RCPT:
            put_rcpt(conn);
            break;
        case NEXT_DATA:
            put_command(conn, AWAIT_DATA, "DATA\r\n", "", "");
            conn->next = NEXT_AFTER_354;
            return;
        case NEXT_AFTER_354:
            return;
        case NEXT_TEXT:
            more = put_text(worker, conn);
            break;
        }
    }
}

static void begin_tls(struct storm_conn *conn)
{
    conn->stream.ssl = SSL_new(storm_tls);
    SSL_set_fd(conn->stream.ssl, conn->stream.fd);
    SSL_set_connect_state(conn->stream.ssl);
    SSL_set_tlsext_host_name(conn->stream.ssl, "mx.sink.example");
    conn->state = STORM_HANDSHAKE;
    conn->tls_us = now_us();
}

static bool offers(const char *text, size_t n, const char *keyword)
{
    return text != NULL && memmem(text, n, keyword, strlen(keyword)) != NULL;
}

static bool on_ehlo(struct storm_worker *worker, struct storm_conn *conn, bool again,
                    const char *text, size_t n)
{
    conn->has_pipelining = offers(text, n, "PIPELINING");
    conn->has_chunking = offers(text, n, "CHUNKING");
    conn->has_starttls = offers(text, n, "STARTTLS");
    if (storm.tls && !again && !conn->has_starttls) {
        storm_fail(worker, conn, "no STARTTLS", text, n);
        return false;
    }
    if (storm.tls && !again) {
        put_command(conn, AWAIT_STARTTLS, "STARTTLS\r\n", "", "");
        return true;
    }
    if ((storm.pipeline && !conn->has_pipelining) || (storm.chunking && !conn->has_chunking)) {
        storm_fail(worker, conn, "extension not offered", text, n);
        return false;
    }
    conn->state = STORM_UP;
    return true;
}

static void on_end_of_data(struct storm_worker *worker, struct storm_conn *conn)
{
    if (storm.lmtp) {
        if (conn->eod_left == 0)
            conn->eod_left = storm.recipients;
        if (--conn->eod_left > 0)
            return;
    }
    uint64_t now = now_us();
    histogram_add(&worker->accept, now - conn->began_us[conn->letters_first % WINDOW_MOST]);
    if (conn->letters_first == 0)
        histogram_add(&worker->first, now - conn->connect_us);
    conn->letters_first++;
    worker->ok++;
    worker->last_ok_us = now;
}

static bool on_good_reply(struct storm_worker *worker, struct storm_conn *conn,
                          enum storm_await await, const char *text, size_t n)
{
    switch (await) {
    case AWAIT_BANNER:
        histogram_add(&worker->connect, now_us() - conn->connect_us);
        storm_hello(conn, AWAIT_EHLO);
        return true;
    case AWAIT_EHLO:
    case AWAIT_EHLO_AGAIN:
        return on_ehlo(worker, conn, await == AWAIT_EHLO_AGAIN, text, n);
    case AWAIT_STARTTLS:
        begin_tls(conn);
        return true;
    case AWAIT_DATA:
        conn->next = NEXT_TEXT;
        return true;
    case AWAIT_EOD:
        on_end_of_data(worker, conn);
        return true;
    case AWAIT_QUIT:
        storm_close(worker, conn);
        return false;
    case AWAIT_MAIL:
    case AWAIT_RCPT:
    case AWAIT_CHUNK:
    case AWAITS:
        return true;
    }
    return true;
}

/* One whole reply, all its lines. False: the connection is gone. */
static bool on_reply(struct storm_worker *worker, struct storm_conn *conn, const char *text,
                     size_t n)
{
    if (quiet(conn)) {
        storm_fail(worker, conn, "reply to nothing", text, n);
        return false;
    }
    enum storm_await await = conn->awaited[conn->awaited_first++ % AWAITED_MOST];
    worker->replies++;
    if (text[0] == (await == AWAIT_DATA ? '3' : '2'))
        return on_good_reply(worker, conn, await, text, n);
    if (await == AWAIT_QUIT)                    /* of no consequence */
        storm_close(worker, conn);
    else
        storm_fail(worker, conn, storm_await_names[await], text, n);
    return false;
}

/* Octets of the first whole reply; 0: more must come; -1: this is none. */
static ssize_t reply_bytes(const char *text, size_t n)
{
    const char *line = text, *end = text + n, *newline;

    while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (newline - line < 3 || line[0] < '2' || line[0] > '5')
            return -1;
        bool more = newline - line > 3 && line[3] == '-';
        line = newline + 1;
        if (!more)
            return line - text;
    }
    return n > REPLY_MOST ? -1 : 0;
}

bool storm_take_replies(struct storm_worker *worker, struct storm_conn *conn)
{
    while (octets_held(&conn->in) > 0 && conn->state != STORM_HANDSHAKE) {
        const char *text = octets_first(&conn->in);
        ssize_t n = reply_bytes(text, octets_held(&conn->in));
        if (n == 0)
            return true;
        if (n < 0) {
            storm_fail(worker, conn, "malformed reply", text, octets_held(&conn->in));
            return false;
        }
        conn->in.begin += (size_t)n;
        if (!on_reply(worker, conn, text, (size_t)n))
            return false;
    }
    return true;
}

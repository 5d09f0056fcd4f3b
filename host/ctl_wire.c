/* SPDX-License-Identifier: ISC */
#include "host/ctl_wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PART = 16 * 1024, PLAIN_PART = 64 * 1024, IN_MOST = 2 * 1024 * 1024, RAW_MOST = 1024 * 1024,
       WORDS_MOST = 4096 };

uint64_t ctl_now_us(void)
{
    struct timespec at = { 0 };

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

struct ctl_wire ctl_wire_none(void)
{
    return (struct ctl_wire){ .fd = -1, .in = buffer_with_most(IN_MOST),
                              .raw = buffer_with_most(RAW_MOST),
                              .words = buffer_with_most(WORDS_MOST) };
}

static enum wire_said gone(struct ctl_wire *wire, const char *words)
{
    if (wire->words.n == 0)
        buffer_put_text(&wire->words, words);
    return WIRE_GONE;
}

static uint64_t left_us(uint64_t until_us)
{
    uint64_t now_us = ctl_now_us();

    return now_us >= until_us ? 0 : until_us - now_us;
}

/* poll(2) until that moment; 0: it came. */
static int wait_for(int fd, short what, uint64_t until_us, short *ret_came)
{
    struct pollfd watch = { .fd = fd, .events = what };
    int n;

    do {
        uint64_t left_ms = (left_us(until_us) + 999) / 1000;
        n = poll(&watch, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
    } while (n < 0 && errno == EINTR);
    *ret_came = n > 0 ? watch.revents : 0;
    return n;
}

enum wire_said ctl_wire_dial(struct ctl_wire *wire, const struct sockaddr *to, socklen_t n,
                             uint64_t until_us)
{
    int error = 0, on = 1;
    socklen_t error_n = sizeof(error);
    short came;

    wire->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0)
        return gone(wire, strerror(errno));
    if (to->sa_family != AF_UNIX)
        (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(wire->fd, to, n) == 0)
        return WIRE_WELL;
    if (errno != EINPROGRESS)
        return gone(wire, strerror(errno));
    if (wait_for(wire->fd, POLLOUT, until_us, &came) <= 0)
        return WIRE_LATE;
    if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &error_n) < 0)
        error = errno;
    return error == 0 ? WIRE_WELL : gone(wire, strerror(error));
}

void ctl_wire_close(struct ctl_wire *wire)
{
    if (wire->tls != NULL && wire->fd >= 0) {
        tls_close(wire->tls);
        struct bytes last = tls_cipher(wire->tls);
        if (last.n > 0)
            (void)!send(wire->fd, last.at, last.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (wire->fd >= 0)
        close(wire->fd);
    tls_free(wire->tls);
    buffer_done(&wire->in);
    buffer_done(&wire->raw);
    buffer_done(&wire->words);
    *wire = ctl_wire_none();
}

/* ---- octets of the network */

/* What is there, behind what `raw` holds. */
static enum wire_said receive(struct ctl_wire *wire)
{
    char *at = buffer_grow(&wire->raw, PART);
    ssize_t n;

    if (at == NULL)
        return gone(wire, "the server says too much");
    do
        n = recv(wire->fd, at, PART, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    wire->raw.n -= PART - (n < 0 ? 0 : (size_t)n);
    if (n > 0 || (n < 0 && errno == EAGAIN))
        return WIRE_WELL;
    return gone(wire, n == 0 ? "the server closed the connection" : strerror(errno));
}

/* A server that answers before it has heard all is listened to, so that neither waits for the
   other. */
static enum wire_said put_out(struct ctl_wire *wire, struct bytes octets, uint64_t patience_us)
{
    uint64_t until_us = ctl_now_us() + patience_us;
    bool hears = true;
    short came;

    while (octets.n > 0) {
        ssize_t n = send(wire->fd, octets.at, octets.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            octets = bytes_skip(octets, (size_t)n);
            until_us = ctl_now_us() + patience_us;
        }
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            return gone(wire, strerror(errno));
        if (octets.n == 0 || n > 0)
            continue;
        hears = hears && wire->raw.n < RAW_MOST / 2;
        if (wait_for(wire->fd, hears ? POLLIN | POLLOUT : POLLOUT, until_us, &came) <= 0)
            return WIRE_LATE;
        if (hears && (came & POLLIN) != 0)
            hears = receive(wire) == WIRE_WELL;
    }
    return WIRE_WELL;
}

static enum wire_said flush_cipher(struct ctl_wire *wire, uint64_t patience_us)
{
    enum wire_said said = put_out(wire, tls_cipher(wire->tls), patience_us);

    tls_cipher_sent(wire->tls);
    return said;
}

enum wire_said ctl_wire_send(struct ctl_wire *wire, struct bytes octets, uint64_t patience_us)
{
    enum wire_said said = WIRE_WELL;

    if (wire->tls == NULL)
        return put_out(wire, octets, patience_us);
    while (octets.n > 0 && said == WIRE_WELL) {
        struct bytes part = bytes_first(octets, PLAIN_PART);
        octets = bytes_skip(octets, part.n);
        said = tls_write(wire->tls, part) ? flush_cipher(wire, patience_us)
                                          : gone(wire, "TLS failed");
    }
    return said;
}

/* ---- plain octets */

static enum wire_said take_plain(struct ctl_wire *wire)
{
    buffer_put(&wire->in, tls_plain(wire->tls));
    tls_plain_taken(wire->tls);
    return wire->in.bad ? gone(wire, "the server says too much") : WIRE_WELL;
}

static enum wire_said say_tls_failed(struct ctl_wire *wire)
{
    struct tls_facts facts = tls_facts(wire->tls);
    struct tls_verdict verdict = tls_client_verdict(wire->tls);

    if (wire->words.n > 0)
        return WIRE_GONE;
    buffer_put_text(&wire->words, "TLS failed");
    if (facts.alerted) {
        buffer_put_text(&wire->words, facts.alert_ours ? ", our alert: "
                                                       : ", the server's alert: ");
        buffer_put_text(&wire->words, tls_alert_name(facts.alert));
    }
    if (verdict.words != NULL && verdict.words[0] != '\0') {
        buffer_put_text(&wire->words, "; the certificate: ");
        buffer_put_text(&wire->words, verdict.words);
    }
    return WIRE_GONE;
}

/* What came is looked at, once. */
static enum wire_said take(struct ctl_wire *wire, enum tls_said *ret_said)
{
    enum wire_said said = WIRE_WELL;

    *ret_said = TLS_MORE;
    if (wire->tls == NULL) {
        buffer_put(&wire->in, buffer_bytes(&wire->raw));
    } else {
        *ret_said = tls_step(wire->tls, buffer_bytes(&wire->raw));
        if (*ret_said == TLS_OPENED)
            (void)!tls_step(wire->tls, BYTES_NONE);
        said = take_plain(wire);
    }
    buffer_clear(&wire->raw);
    return wire->in.bad ? gone(wire, "the server says too much") : said;
}

enum wire_said ctl_wire_read(struct ctl_wire *wire, uint64_t until_us)
{
    size_t before = wire->in.n;
    enum tls_said heard = TLS_MORE;
    short came;

    if (wire->tls != NULL)              /* what came before may have ended it */
        heard = tls_step(wire->tls, BYTES_NONE);
    if (heard == TLS_FAILED || heard == TLS_CLOSED)
        return heard == TLS_FAILED ? say_tls_failed(wire)
                                   : gone(wire, "the server closed the connection");
    for (;;) {
        bool over = false;
        if (wire->raw.n == 0) {
            if (wait_for(wire->fd, POLLIN, until_us, &came) <= 0)
                return WIRE_LATE;
            over = receive(wire) != WIRE_WELL;
        }
        if (wire->raw.n > 0 && take(wire, &heard) != WIRE_WELL)
            return WIRE_GONE;
        if (wire->in.n > before)
            return WIRE_WELL;
        if (over)
            return WIRE_GONE;
        if (wire->tls != NULL && heard == TLS_FAILED)
            return say_tls_failed(wire);
        if (wire->tls != NULL && heard == TLS_CLOSED)
            return gone(wire, "the server closed the connection");
        if (wire->tls != NULL && flush_cipher(wire, left_us(until_us)) != WIRE_WELL)
            return WIRE_GONE;
        if (left_us(until_us) == 0)     /* records without end, and nothing in them */
            return WIRE_LATE;
    }
}

enum wire_said ctl_wire_secure(struct ctl_wire *wire, struct tls_context *context,
                               const struct tls_want *want, uint64_t until_us)
{
    enum tls_said heard = TLS_MORE;
    short came;

    wire->tls = tls_client_new(context, want);
    if (wire->tls == NULL)
        return gone(wire, "TLS cannot be begun: memory is short, or no TLSA record can be used");
    heard = tls_step(wire->tls, BYTES_NONE);
    while (heard != TLS_OPENED) {
        enum wire_said said = left_us(until_us) == 0 ? WIRE_LATE
                                                     : flush_cipher(wire, left_us(until_us));
        if (heard == TLS_FAILED || heard == TLS_CLOSED)
            return say_tls_failed(wire);
        if (said != WIRE_WELL)
            return said;
        if (wire->raw.n == 0) {
            if (wait_for(wire->fd, POLLIN, until_us, &came) <= 0)
                return WIRE_LATE;
            if (receive(wire) != WIRE_WELL)
                return WIRE_GONE;
        }
        if (take(wire, &heard) != WIRE_WELL)
            return WIRE_GONE;
    }
    return flush_cipher(wire, left_us(until_us));
}

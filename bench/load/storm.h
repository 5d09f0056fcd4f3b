/* SPDX-License-Identifier: ISC
 *
 * bench/load/storm.h: mailstorm's parts: what was asked, a connection and its dialogue, a thread.
 */
#ifndef POSTERN_BENCH_LOAD_STORM_H
#define POSTERN_BENCH_LOAD_STORM_H

#include "bench/load/histogram.h"
#include "bench/load/octets.h"
#include "bench/load/tool.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    READ_BYTES = 16384,
    OUT_HIGH = 256 * 1024,  /* octets queued on a connection before the socket must drain */
    WINDOW_MOST = 256,
    AWAITED_MOST = 2048,    /* replies; more than a window of letters can be owed */
    SAMPLES_MOST = 8,
    SAMPLE_ROOM = 200,
};

struct storm_options {
    const char *address, *helo, *from, *to;
    uint64_t total, first_id, size, chunk, errors_most;
    unsigned long long users;       /* recipients' numbers are below it; 0: any */
    unsigned connections, per_connection, threads, recipients, window;
    bool lmtp, pipeline, chunking, tls, no_extensions, half_close, no_mail, declare_size;
    double limit, idle;     /* seconds */
    double banner;          /* give a connection up that has no banner after so long (0: never) */
    double rate;            /* connections started a second (0: at once) */
};

enum storm_state { STORM_OFF, STORM_CONNECT, STORM_HANDSHAKE, STORM_UP, STORM_QUIT };
enum storm_await {
    AWAIT_BANNER, AWAIT_EHLO, AWAIT_STARTTLS, AWAIT_EHLO_AGAIN, AWAIT_MAIL, AWAIT_RCPT, AWAIT_DATA,
    AWAIT_EOD, AWAIT_CHUNK, AWAIT_QUIT, AWAITS,
};
/* What is said next. */
enum storm_next { NEXT_MAIL, NEXT_RCPT, NEXT_DATA, NEXT_AFTER_354, NEXT_TEXT };

struct storm_conn {
    struct stream stream;
    enum storm_state state;
    enum storm_next next;
    uint32_t events;
    struct octets in, out;
    unsigned awaited_first, awaited_end;        /* awaited[first .. end), round and round */
    unsigned letters_first, letters_end;        /* in flight; began_us likewise */
    unsigned begun, recipient, eod_left;
    uint64_t id, offset, chunk_end;             /* of the letter being sent */
    uint64_t connect_us, tls_us;
    bool has_pipelining, has_chunking, has_starttls, held, shut;
    char header[512];
    uint8_t awaited[AWAITED_MOST];
    uint64_t began_us[WINDOW_MOST];
};

struct storm_worker {
    pthread_t thread;
    int poll;
    unsigned n, live, held, samples;
    bool opened;                                /* with --idle: each slot was used once */
    uint64_t started_us, held_since, stopped_us;
    struct storm_conn *conns;
    uint64_t ok, failed, opens, opens_failed, octets_out, replies, handshakes, last_ok_us;
    struct histogram accept, connect, tls, first;  /* first: connect to the first 250 */
    char sample[SAMPLES_MOST][SAMPLE_ROOM];
};

extern struct storm_options storm;
extern SSL_CTX *storm_tls;
extern struct sockaddr_storage storm_peer;
extern socklen_t storm_peer_length;
extern atomic_ullong storm_tickets, storm_failed;

/* Letters: all alike but for their number. */
void letter_prepare(void);
void letter_done(void);
uint64_t letter_bytes(void);
void letter_begin(struct storm_conn *conn);
/* Queue as much of the letter as fits; true once all up to that octet is queued. */
bool letter_put(struct storm_conn *conn, uint64_t up_to);

/* Say what the protocol allows to be said now. */
void storm_generate(struct storm_worker *worker, struct storm_conn *conn);
/* Take whole replies out of the input. False: the connection is gone. */
bool storm_take_replies(struct storm_worker *worker, struct storm_conn *conn);
/* EHLO, LHLO or HELO, answered as `await`. */
void storm_hello(struct storm_conn *conn, enum storm_await await);
extern const char *const storm_await_names[AWAITS];

void storm_close(struct storm_worker *worker, struct storm_conn *conn);
/* Give the connection up; what is in flight on it counts as failed. */
void storm_fail(struct storm_worker *worker, struct storm_conn *conn, const char *where,
                const char *text, size_t n);
static inline void storm_await(struct storm_conn *conn, enum storm_await await)
{
    conn->awaited[conn->awaited_end++ % AWAITED_MOST] = (uint8_t)await;
}

/* A thread's loop, until all is sent or time is out. */
void *storm_run(void *worker);

#endif

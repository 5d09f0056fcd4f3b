/* SPDX-License-Identifier: ISC
 *
 * bench/load/sink.h: mailsink's parts: what was asked, what was counted, a connection, a thread.
 */
#ifndef POSTERN_BENCH_LOAD_SINK_H
#define POSTERN_BENCH_LOAD_SINK_H

#include "bench/load/octets.h"
#include "bench/load/tool.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    LINE_MOST = 4096,       /* longest command line taken */
    READ_BYTES = 65536,
    HEADER_MOST = 8192,     /* how far into a letter its number is looked for */
    ID_MOST = 64 << 20,
};

struct sink_options {
    const char *address;
    unsigned threads;
    bool lmtp;
    uint64_t expect;        /* end once so many letters came (0: no) */
    double limit, linger;   /* seconds: end at the latest; wait for doubles after `expect` */
    const char *eod, *rcpt; /* replies to the end of data and to RCPT, or NULL */
    uint64_t delay_us;      /* wait before the reply to the end of data */
    unsigned eod_every;     /* `eod` is the answer to every n-th letter only */
    const char *cert, *key;
    bool no_tickets;
    unsigned mailmax;       /* letters a session; 0: no bound */
    bool no_extensions;
    bool ids;               /* keep account of the numbers in X-Storm-Id */
    const char *log;        /* write each letter to this file, sync before the reply */
};

struct sink_counts {
    atomic_ullong letters, unique, doubles, no_id, refused, by_bdat, recipients, octets;
    atomic_ullong connections, tls, resumed, bad_commands, syncs, first_us, last_us;
    atomic_int open, open_most;
};

enum sink_state { SINK_COMMAND, SINK_DATA, SINK_BDAT, SINK_TLS };
/* Where in CRLF.CRLF the text stands. */
enum sink_end { END_MIDLINE, END_CR, END_LINE, END_DOT, END_DOT_CR };

struct sink_conn {
    struct stream stream;
    enum sink_state state;
    enum sink_end end;
    bool wants_write, last_chunk, closing, has_sender, tls_next;
    bool unsynced;          /* its replies wait for the log */
    bool listed;            /* in worker->waiting */
    unsigned recipients, letters;
    uint64_t chunk_left, letter_bytes, wake_us;
    struct octets in, out, head, letter;
    struct sink_conn *next_delayed;
};

struct sink_worker {
    pthread_t thread;
    int poll, listener;
    struct sink_conn *delayed;
    struct octets log;              /* letters taken in this turn of the loop */
    struct sink_conn **waiting;     /* who waits for the sync; NULL: gone since */
    size_t waiting_n, waiting_room;
    int log_file;
    off_t log_at;
};

extern struct sink_options sink;
extern struct sink_counts counts;
extern SSL_CTX *sink_tls;
extern _Atomic uint8_t *sink_seen;

/* Work through what was read; replies go to conn->out. False: the client must go. */
bool sink_speak(struct sink_worker *worker, struct sink_conn *conn);
/* A thread's loop, until asked to stop. */
void *sink_run(void *worker);
/* Make ready what sink_run needs. Ends the process on failure. */
void sink_listen(struct sink_worker *worker);
void sink_open_log(struct sink_worker *worker, unsigned number);

#endif

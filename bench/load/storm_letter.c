/* SPDX-License-Identifier: ISC
 *
 * The letters mailstorm sends: one text for all, and a header of its own for each.
 */
#include "bench/load/storm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 65536, LINE = 78 };

static uint32_t run_id;
static char *text;
static size_t text_n, header_n;

void letter_begin(struct storm_conn *conn)
{
    int n = snprintf(conn->header, sizeof(conn->header),
                     "From: <%s>\r\nTo: <list@sink.example>\r\n"
                     "Date: Mon, 01 Jan 2024 00:00:00 +0000\r\nSubject: load test message\r\n"
                     "Message-ID: <%08x.%010" PRIu64 "@storm.example>\r\n"
                     "X-Storm-Id: %08x-%010" PRIu64 "\r\n\r\n",
                     storm.from, run_id, conn->id, run_id, conn->id);

    header_n = (size_t)n;       /* the same for all: each number has its fixed width */
    conn->offset = conn->chunk_end = 0;
}

void letter_prepare(void)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct storm_conn *sample = must_have(1, sizeof(*sample));
    uint32_t dice = 2463534242;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    run_id = (uint32_t)now.tv_sec ^ (uint32_t)now.tv_nsec ^ (uint32_t)getpid() << 16;
    letter_begin(sample);
    text_n = storm.size > header_n + 4 ? (size_t)storm.size - header_n : 4;
    text = must_have(text_n, 1);
    for (size_t i = 0; i < text_n; i++) {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        text[i] = i % LINE == LINE - 2 ? '\r' : i % LINE == LINE - 1 ? '\n' : base64[dice & 63];
    }
    text[text_n - 2] = '\r';
    text[text_n - 1] = '\n';
    if (text[text_n - 3] == '\r')
        text[text_n - 3] = 'x';
    free(sample);
}

void letter_done(void)
{
    free(text);
}

uint64_t letter_bytes(void)
{
    return header_n + text_n;
}

bool letter_put(struct storm_conn *conn, uint64_t up_to)
{
    while (conn->offset < up_to && octets_held(&conn->out) < OUT_HIGH) {
        bool in_header = conn->offset < header_n;
        uint64_t n = up_to - conn->offset, most = in_header ? header_n - conn->offset : PIECE;
        n = n < most ? n : most;
        octets_add(&conn->out, in_header ? conn->header + conn->offset
                                         : text + (conn->offset - header_n), (size_t)n);
        conn->offset += n;
    }
    return conn->offset == up_to;
}

/* SPDX-License-Identifier: ISC
 *
 * bench/load/tool.h: what the load tools share: clocks, memory, arguments, JSON, byte streams.
 *
 * These are tools, not the server: they end the process when the machine refuses them something.
 */
#ifndef POSTERN_BENCH_LOAD_TOOL_H
#define POSTERN_BENCH_LOAD_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <openssl/ssl.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Monotonic microseconds; and seconds since 1970, to line up the reports of two processes. */
uint64_t now_us(void);
double now_epoch(void);

/* Print "NAME: why" and end with that status. */
_Noreturn void give_up(const char *what, int status);

/* Zeroed memory, or the end of the process. */
void *must_have(size_t n, size_t size);
void *must_resize(void *old, size_t n);

/* Arguments. A number that is none ends the process with status 2. Sizes take k, M, G. */
uint64_t argument_count(const char *text);
uint64_t argument_size(const char *text);
double argument_seconds(const char *text);

/* HOST:PORT or unix:PATH as an address; an empty HOST is any. Ends the process if neither. */
socklen_t resolve(const char *text, struct sockaddr_storage *ret_address);

/* As many descriptors as the machine lets us have; no SIGPIPE; SIGINT and SIGTERM set *stop. */
void prepare_process(void);
bool asked_to_stop(void);
void ask_to_stop(void);

/* A socket, with TLS when ssl is not NULL. */
struct stream {
    int fd;
    SSL *ssl;
};

/* Octets moved; 0: would block; -1: error or end. */
ssize_t stream_read(struct stream *stream, void *to, size_t n);
ssize_t stream_write(struct stream *stream, const void *from, size_t n);
/* A handshake's next step: 1 done, 0 more to come (*ret_write: it waits to write), -1 failed. */
int stream_handshake(struct stream *stream, bool *ret_write);
void stream_close(struct stream *stream);

/* A JSON string, control and non-ASCII octets escaped. */
void json_text(FILE *to, const char *text);
/* User and system time of this process so far, in seconds. */
void processor_time(double *ret_user, double *ret_system);

#endif

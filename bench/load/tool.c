/* SPDX-License-Identifier: ISC */
#include "bench/load/tool.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static atomic_bool stop;

uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

double now_epoch(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void give_up(const char *what, int status)
{
    perror(what);
    exit(status);
}

void *must_have(size_t n, size_t size)
{
    void *at = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);

    if (at == NULL)
        give_up("memory", 70);
    return at;
}

void *must_resize(void *old, size_t n)
{
    void *at = realloc(old, n == 0 ? 1 : n);

    if (at == NULL)
        give_up("memory", 70);
    return at;
}

static _Noreturn void not_a_number(const char *text)
{
    fprintf(stderr, "not a number: %s\n", text);
    exit(2);
}

uint64_t argument_count(const char *text)
{
    char *end;

    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-')
        not_a_number(text);
    return number;
}

double argument_seconds(const char *text)
{
    char *end;
    double number = strtod(text, &end);

    if (end == text || *end != '\0' || !(number >= 0))
        not_a_number(text);
    return number;
}

uint64_t argument_size(const char *text)
{
    static const char units[] = "kmg";
    char *end;
    double number = strtod(text, &end);

    if (end == text || !(number >= 0))
        not_a_number(text);
    for (size_t i = 0; *end != '\0' && i < 3; i++)
        if ((*end | 32) == units[i]) {
            for (size_t times = 0; times <= i; times++)
                number *= 1024;
            end++;
        }
    if (*end != '\0')
        not_a_number(text);
    return (uint64_t)number;
}

static socklen_t resolve_unix(const char *path, struct sockaddr_storage *ret_address)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "too long for a socket's path: %s\n", path);
        exit(2);
    }
    memcpy(address.sun_path, path, strlen(path));
    memcpy(ret_address, &address, sizeof(address));
    return sizeof(address);
}

socklen_t resolve(const char *text, struct sockaddr_storage *ret_address)
{
    char host[256];
    const char *colon = strrchr(text, ':');
    struct addrinfo hint = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;

    memset(ret_address, 0, sizeof(*ret_address));
    if (strncmp(text, "unix:", 5) == 0)
        return resolve_unix(text + 5, ret_address);
    if (colon == NULL || (size_t)(colon - text) >= sizeof(host)) {
        fprintf(stderr, "an address is HOST:PORT or unix:PATH, not %s\n", text);
        exit(2);
    }
    size_t n = (size_t)(colon - text);
    if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    int error = getaddrinfo(n == 0 ? NULL : host, colon + 1, &hint, &found);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", host, gai_strerror(error));
        exit(1);
    }
    socklen_t length = found->ai_addrlen;
    memcpy(ret_address, found->ai_addr, length);
    freeaddrinfo(found);
    return length;
}

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

void prepare_process(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

bool asked_to_stop(void) { return atomic_load(&stop); }
void ask_to_stop(void) { atomic_store(&stop, true); }

static ssize_t ssl_result(struct stream *stream, int done)
{
    if (done > 0)
        return done;
    int error = SSL_get_error(stream->ssl, done);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static bool later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

ssize_t stream_read(struct stream *stream, void *to, size_t n)
{
    if (stream->ssl != NULL)
        return ssl_result(stream, SSL_read(stream->ssl, to, (int)n));
    ssize_t got = read(stream->fd, to, n);
    if (got == 0)
        return -1;
    return got > 0 ? got : later() ? 0 : -1;
}

ssize_t stream_write(struct stream *stream, const void *from, size_t n)
{
    if (stream->ssl != NULL)
        return ssl_result(stream, SSL_write(stream->ssl, from, (int)n));
    ssize_t put = send(stream->fd, from, n, MSG_NOSIGNAL);
    return put >= 0 ? put : later() ? 0 : -1;
}

int stream_handshake(struct stream *stream, bool *ret_write)
{
    int done = SSL_do_handshake(stream->ssl);

    if (done == 1)
        return 1;
    int error = SSL_get_error(stream->ssl, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return -1;
    *ret_write = error == SSL_ERROR_WANT_WRITE;
    return 0;
}

void stream_close(struct stream *stream)
{
    SSL_free(stream->ssl);
    close(stream->fd);
    *stream = (struct stream){ .fd = -1 };
}

void json_text(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c < 32 || c > 126)
            fprintf(to, "\\u%04x", c);
        else
            fputc(c, to);
    }
    fputc('"', to);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void processor_time(double *ret_user, double *ret_system)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    *ret_user = seconds_of(used.ru_utime);
    *ret_system = seconds_of(used.ru_stime);
}

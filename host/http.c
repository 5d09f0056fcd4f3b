/* SPDX-License-Identifier: ISC */
#include "host/http.h"

#include "base/arena.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MEMORY_OF_CONNECTION = 32 * 1024, ACCEPTS_OF_TURN = 64, NAME_MOST = 256 };

struct listener {
    struct watcher watch;       /* first: a watcher is cast to its listener */
    struct http *of;
    int fd;
};

enum asking { ASKING_FREE, ASKING_BEGUN, ASKING_BODY, ASKING_WAITS, ASKING_ANSWERED };

/* One request, from its first line to the end of its answer. */
struct asker {
    enum asking state;
    struct http *of;
    struct MHD_Connection *connection;
    struct MHD_Response *response;      /* ANSWERED; NULL: there is no memory for one */
    unsigned status;
    struct web_request request;
    struct buffer target, body;
    bool refused;                       /* the body is too large: it is read and thrown away */
};

struct http {
    struct guest guest;         /* first: a guest is cast to its http */
    struct watcher watch;
    struct loop *loop;
    struct MHD_Daemon *daemon;
    void *of;
    void (*asked)(void *of, uint64_t token, const struct web_request *request);
    struct listener listeners[HTTP_LISTEN_MOST];
    size_t n_listeners;
    size_t bodies;              /* octets of all together */
    bool resumed;               /* somebody was answered since the library last ran */
    struct asker askers[LIMIT_WEB_CLIENTS];
};

/* ---- a request ---- */

/* The library calls this with the first line; what is returned comes back with all else of it. */
static void *on_target(void *of, const char *target, struct MHD_Connection *connection)
{
    struct http *http = of;

    for (size_t i = 0; i < COUNT(http->askers); i++) {
        struct asker *asker = &http->askers[i];
        if (asker->state != ASKING_FREE)
            continue;
        *asker = (struct asker){ .state = ASKING_BEGUN, .of = http, .connection = connection,
                                 .target = buffer_with_most(WEB_TARGET_MOST + 1),
                                 .body = buffer_with_most(WEB_BODY_MOST) };
        buffer_put(&asker->target, bytes_first(bytes_of(target), WEB_TARGET_MOST + 1));
        return asker;
    }
    return NULL;
}

static struct bytes field_of(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

    return value == NULL ? BYTES_NONE : bytes_of(value);
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *words)
{
    struct bytes text = bytes_of(words);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text.n, (void *)(uintptr_t)text.at,
                                        MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_NO;

    if (response == NULL)
        return MHD_NO;
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                "text/plain; charset=utf-8") == MHD_YES
        && MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES)
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result say_too_large(struct MHD_Connection *connection)
{
    return say(connection, MHD_HTTP_CONTENT_TOO_LARGE, "At most 16 MiB can be read at once.\n");
}

static bool declares_too_much(struct MHD_Connection *connection)
{
    struct bytes length = field_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    enum { DIGITS = 8 };        /* of WEB_BODY_MOST */
    uint64_t n = 0;

    while (length.n > 1 && length.at[0] == '0')
        length = bytes_skip(length, 1);
    if (length.n > DIGITS)
        return true;
    for (size_t i = 0; i < length.n; i++)
        n = n * 10 + (uint64_t)(length.at[i] - '0');    /* digits: the library has looked */
    return n > WEB_BODY_MOST;
}

static enum MHD_Result on_head(struct asker *asker, struct MHD_Connection *connection,
                               const char *method)
{
    if (declares_too_much(connection))
        return say_too_large(connection);
    asker->state = ASKING_BODY;
    asker->request = (struct web_request){
        .method = bytes_first(bytes_of(method), NAME_MOST),
        .target = buffer_bytes(&asker->target),
        .accept = field_of(connection, MHD_HTTP_HEADER_ACCEPT),
        .content_type = field_of(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
        .accept_language = field_of(connection, MHD_HTTP_HEADER_ACCEPT_LANGUAGE),
    };
    return asker->target.bad ? MHD_NO : MHD_YES;
}

static void on_part(struct asker *asker, const char *part, size_t n)
{
    struct http *http = asker->of;

    if (asker->refused)
        return;
    if (n <= HTTP_BODIES_MOST - http->bodies)
        buffer_put(&asker->body, (struct bytes){ part, n });
    else
        asker->body.bad = true;
    if (!asker->body.bad) {
        http->bodies += n;
        return;
    }
    asker->refused = true;
    http->bodies -= asker->body.n;
    buffer_done(&asker->body);
}

static enum MHD_Result on_whole(struct asker *asker, struct MHD_Connection *connection)
{
    struct http *http = asker->of;

    if (asker->refused)
        return say_too_large(connection);
    asker->request.body = buffer_bytes(&asker->body);
    asker->state = ASKING_WAITS;
    MHD_suspend_connection(connection);
    http->asked(http->of, (uint64_t)(asker - http->askers), &asker->request);
    return MHD_YES;
}

static enum MHD_Result on_request(void *of, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *part,
                                  size_t *part_n, void **request)
{
    struct asker *asker = *request;

    (void)of, (void)url, (void)version;
    if (asker == NULL)
        return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "Too many are asking.\n");
    switch (asker->state) {
    case ASKING_BEGUN:
        return on_head(asker, connection, method);
    case ASKING_BODY:
        if (*part_n == 0)
            return on_whole(asker, connection);
        on_part(asker, part, *part_n);
        *part_n = 0;
        return MHD_YES;
    case ASKING_WAITS:
        return MHD_YES;
    case ASKING_ANSWERED:
        return asker->response == NULL ? MHD_NO
             : MHD_queue_response(connection, asker->status, asker->response);
    case ASKING_FREE:
        break;
    }
    return MHD_NO;
}

static void on_over(void *of, struct MHD_Connection *connection, void **request,
                    enum MHD_RequestTerminationCode how)
{
    struct asker *asker = *request;

    (void)of, (void)connection, (void)how;
    if (asker == NULL)
        return;
    if (asker->response != NULL)
        MHD_destroy_response(asker->response);
    asker->of->bodies -= asker->body.n;
    buffer_done(&asker->target);
    buffer_done(&asker->body);
    asker->state = ASKING_FREE;
    *request = NULL;
}

/* ---- its answer ---- */

static bool add_headers(struct MHD_Response *to, const struct web_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (MHD_add_response_header(to, headers[i].name, headers[i].value) != MHD_YES)
            return false;
    return true;
}

static struct MHD_Response *response_of(const struct web_response *from)
{
    struct bytes body = buffer_bytes(&from->body);
    struct web_header type = { MHD_HTTP_HEADER_CONTENT_TYPE, from->type };
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.n, (void *)(uintptr_t)body.at, MHD_RESPMEM_MUST_COPY);

    if (response == NULL)
        return NULL;
    if (add_headers(response, &type, 1)
        && add_headers(response, web_headers_always, web_headers_always_n)
        && add_headers(response, from->headers, from->n_headers))
        return response;
    MHD_destroy_response(response);
    return NULL;
}

void http_answer(struct http *http, uint64_t token, const struct web_response *response)
{
    struct asker *asker = token < COUNT(http->askers) ? &http->askers[token] : NULL;

    assert(asker != NULL && asker->state == ASKING_WAITS);
    asker->response = response_of(response);
    asker->status = response->status;
    asker->state = ASKING_ANSWERED;
    MHD_resume_connection(asker->connection);
    http->resumed = true;
}

/* ---- the loop ---- */

static uint64_t due_ms(struct guest *guest)
{
    struct http *http = (struct http *)guest;
    unsigned long long left;

    /* Of those the library says nothing. */
    if (http->resumed)
        return 0;
    return MHD_get_timeout(http->daemon, &left) == MHD_YES ? http->loop->now.mono_ms + left
                                                           : UINT64_MAX;
}

/* Also when nothing came: who is silent too long is cut off, who was answered goes on. */
static void turn(struct guest *guest)
{
    struct http *http = (struct http *)guest;

    http->resumed = false;
    (void)MHD_run(http->daemon);
}

static void on_library(struct watcher *watcher, uint32_t events)
{
    (void)watcher, (void)events;        /* its turn comes in each turn of the loop */
}

static void on_client(struct watcher *watcher, uint32_t events)
{
    struct listener *listener = (struct listener *)watcher;

    (void)events;
    for (unsigned i = 0; i < ACCEPTS_OF_TURN; i++) {
        struct sockaddr_storage name;
        socklen_t n = sizeof(name);
        int fd = accept4(listener->fd, (struct sockaddr *)&name, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        /* When it will not have it (too many), it has closed it. */
        (void)MHD_add_connection(listener->of->daemon, fd, (struct sockaddr *)&name, n);
    }
}

bool http_listen(struct http *http, int fd)
{
    struct listener *listener = &http->listeners[http->n_listeners];

    if (http->n_listeners == HTTP_LISTEN_MOST) {
        close(fd);
        return false;
    }
    *listener = (struct listener){ { on_client }, http, fd };
    http->n_listeners++;
    return loop_watch(http->loop, fd, EPOLLIN, &listener->watch);
}

/* ---- its life ---- */

struct http *http_new(struct loop *loop, void *of,
                      void (*asked)(void *of, uint64_t token, const struct web_request *request))
{
    struct http *http = mem_new(sizeof(*http));
    const union MHD_DaemonInfo *epoll;

    if (http == NULL)
        return NULL;
    *http = (struct http){ .guest = { due_ms, turn }, .watch = { on_library }, .loop = loop,
                           .of = of, .asked = asked };
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        on_request, http,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_over, http,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_WEB_CLIENTS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_OF_CONNECTION,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    epoll = http->daemon == NULL ? NULL
          : MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (epoll == NULL || !loop_watch(loop, epoll->epoll_fd, EPOLLIN, &http->watch)) {
        http_free(http);
        return NULL;
    }
    assert(loop->guest == NULL);
    loop->guest = &http->guest;
    return http;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    for (size_t i = 0; i < http->n_listeners; i++) {
        loop_unwatch(http->loop, http->listeners[i].fd);
        close(http->listeners[i].fd);
    }
    if (http->loop->guest == &http->guest)
        http->loop->guest = NULL;
    if (http->daemon != NULL) {
        loop_unwatch(http->loop, MHD_get_daemon_info(http->daemon,
                                                     MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
        for (size_t i = 0; i < COUNT(http->askers); i++)
            if (http->askers[i].state == ASKING_WAITS) {
                http->askers[i].state = ASKING_ANSWERED;
                MHD_resume_connection(http->askers[i].connection);
            }
        MHD_stop_daemon(http->daemon);
    }
    loop_bury(http->loop, http);
}

/* SPDX-License-Identifier: ISC
 *
 * host/http.h: requests over HTTP/1.1 taken off the wire, by libmicrohttpd, inside a loop; what is
 * answered is web/web.h's to say.
 *
 * It has no thread: the library's own epoll descriptor is one more that the loop waits for. Each
 * request is whole before it is told. Bounds: LIMIT_WEB_CLIENTS connections, WEB_BODY_MOST octets
 * of one body, HTTP_BODIES_MOST of all together, 15 s of silence.
 */
#ifndef POSTERN_HOST_HTTP_H
#define POSTERN_HOST_HTTP_H

#include "host/loop.h"
#include "web/web.h"

enum {
    HTTP_LISTEN_MOST = 16,              /* sockets */
    HTTP_BODIES_MOST = 64 * 1024 * 1024,
    HTTP_SILENCE_S = 15,
};

struct http;

/* `asked` is called for each request: it lives until http_answer with its token, which must come
   once, then or later. A loop has at most one. NULL: no memory, or the library cannot. */
MUST_USE struct http *http_new(struct loop *loop, void *of,
                               void (*asked)(void *of, uint64_t token,
                                             const struct web_request *request));
/* Those not answered are cut off. */
void http_free(struct http *http);
/* Take who comes on this listening socket; it is taken over. False: it cannot be waited for. */
MUST_USE bool http_listen(struct http *http, int fd);
void http_answer(struct http *http, uint64_t token, const struct web_response *response);

/* The pages alone, with no mail server behind them: until SIGINT or SIGTERM. The sockets are taken
   over. An exit status of sysexits.h. */
int http_alone(const int *fds, size_t n);

#endif

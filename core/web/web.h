/* SPDX-License-Identifier: ISC
 *
 * web/web.h: what the server says over HTTP (RFC 9110), as a function: a request in, a response
 * out. Pages, JSON, figures.
 *
 * Stands on base, mail and bounce. Knows no socket and no HTTP library: whoever listens (host/http)
 * takes requests off the wire, and sends what is answered here. All of a request is a stranger's.
 */
#ifndef POSTERN_WEB_WEB_H
#define POSTERN_WEB_WEB_H

#include "base/buffer.h"
#include "web/figures.h"

enum {
    WEB_BODY_MOST = 16 * 1024 * 1024,   /* of a request: the largest bounce one may paste */
    WEB_TARGET_MOST = 4096,             /* of a request's target, as it stands on the wire */
    WEB_ANSWER_MOST = 32 * 1024 * 1024, /* of a response's body */
    WEB_HEADERS_MOST = 4,               /* of a response's own */
};

struct web_request {
    struct bytes method;                /* "GET"; case matters */
    struct bytes target;                /* as on the wire: path, and "?" and query if any */
    struct bytes accept, content_type, accept_language;     /* empty: the field is not there */
    struct bytes body;                  /* at most WEB_BODY_MOST */
};

/* What a route may know besides its request. */
struct web_facts {
    uint64_t wall_ms;
    const struct web_figures *figures;  /* NULL: unknown, or no server stands behind this page */
    bool server;                        /* a mail server stands behind it */
    enum web_store store;
};

struct web_header {
    const char *name, *value;           /* constant texts */
};

struct web_response {
    unsigned status;                    /* 200, 404, ... */
    const char *type;                   /* Content-Type; a constant text */
    struct web_header headers[WEB_HEADERS_MOST];
    size_t n_headers;
    struct buffer body;                 /* of a HEAD too: its listener leaves it out */
};

/* Sent with each response: no script from anywhere, no frame, no referrer, no guessing of types. */
extern const struct web_header web_headers_always[];
extern const size_t web_headers_always_n;

/* An empty response; done by web_response_done. */
struct web_response web_response_new(void);
void web_response_done(struct web_response *response);

/* Does the answer need web_facts.figures? Then whoever listens asks for them first. */
bool web_needs_figures(const struct web_request *request);

/* The answer: always one; when the body does not fit, or memory is short, a short 500. What the
   response held is forgotten. */
void web_answer(const struct web_request *request, const struct web_facts *facts,
                struct web_response *response);

#endif

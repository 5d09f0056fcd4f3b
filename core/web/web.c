/* SPDX-License-Identifier: ISC */
#include "web/web.h"

#include "web/web_int.h"

#include <assert.h>

const struct web_header web_headers_always[] = {
    { "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
      "script-src 'sha256-XXjUKx3PQJqQbQQWmqATG1BqCcjkvbE/cfm1pJm1YAI='; "
      "base-uri 'none'; frame-ancestors 'none'" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Cache-Control", "no-store" },
};
const size_t web_headers_always_n = COUNT(web_headers_always);

struct web_response web_response_new(void)
{
    return (struct web_response){ .body = buffer_with_most(WEB_ANSWER_MOST) };
}

void web_response_done(struct web_response *response)
{
    buffer_done(&response->body);
}

/* ---- routes */

/* A path that ends with '/' (but for "/" itself) stands for all below it: `rest` is what follows.
   Others are matched whole. */
struct route {
    const char *path;
    bool get, post;
    bool figures;               /* it needs them */
    bool server;                /* it is there only where a mail server stands behind */
    void (*answer)(const struct web_asked *asked, struct web_response *response);
};

static const struct route routes[] = {
    { "/", .get = true, .post = true, .answer = web_front_page },
    { "/codes", .get = true, .answer = web_code_list },
    { "/codes/", .get = true, .answer = web_code_page },
    { "/v1/explain", .post = true, .answer = web_explain },
    { "/v1/codes", .get = true, .answer = web_code_list_json },
    { "/v1/codes/", .get = true, .answer = web_code_json },
    { "/healthz", .get = true, .server = true, .answer = web_healthz },
    { "/metrics", .get = true, .server = true, .figures = true, .answer = web_metrics },
};

static bool route_is(const struct route *route, struct bytes path, struct bytes *ret_rest)
{
    struct bytes own = bytes_of(route->path);

    if (own.n > 1 && bytes_ends(own, BYTES("/"))) {
        *ret_rest = bytes_skip(path, own.n);
        return bytes_begins(path, own) && path.n > own.n;
    }
    *ret_rest = BYTES_NONE;
    return bytes_equal(path, own);
}

static const struct route *find_route(struct bytes path, struct bytes *ret_rest)
{
    for (size_t i = 0; i < COUNT(routes); i++)
        if (route_is(&routes[i], path, ret_rest))
            return &routes[i];
    return NULL;
}

bool web_needs_figures(const struct web_request *request)
{
    struct buffer path = buffer_with_most(WEB_TARGET_MOST);
    struct bytes query, rest;
    const struct route *route = web_read_target(request->target, &path, &query)
                              ? find_route(buffer_bytes(&path), &rest) : NULL;
    bool needs = route != NULL && route->figures;

    buffer_done(&path);
    return needs;
}

/* ---- answers that every route shares */

void web_say(struct web_response *response, unsigned status, const char *words)
{
    response->status = status;
    response->type = "text/plain; charset=utf-8";
    buffer_clear(&response->body);
    buffer_put_text(&response->body, words);
}

void web_add_header(struct web_response *response, const char *name, const char *value)
{
    assert(response->n_headers < WEB_HEADERS_MOST);
    response->headers[response->n_headers++] = (struct web_header){ name, value };
}

static bool is_get(struct bytes method)
{
    return bytes_equal(method, BYTES("GET")) || bytes_equal(method, BYTES("HEAD"));
}

/* RFC 9110, 15.5.6: a 405 names the methods that there are. */
static void refuse_method(const struct route *route, struct web_response *response)
{
    web_say(response, 405, "There is no such method for this page.\n");
    web_add_header(response, "Allow", route->get && route->post ? "GET, HEAD, POST"
                                    : route->get ? "GET, HEAD" : "POST");
}

static void answer_path(struct web_asked *asked, struct bytes path, struct web_response *response)
{
    struct bytes method = asked->request->method;
    const struct route *route = find_route(path, &asked->rest);

    if (route == NULL || (route->server && !asked->facts->server))
        web_say(response, 404, "There is no such page.\n");
    else if (!(route->get && is_get(method))
             && !(route->post && bytes_equal(method, BYTES("POST"))))
        refuse_method(route, response);
    else
        route->answer(asked, response);
}

void web_answer(const struct web_request *request, const struct web_facts *facts,
                struct web_response *response)
{
    struct buffer path = buffer_with_most(WEB_TARGET_MOST);
    struct web_asked asked = { .request = request, .facts = facts };

    buffer_clear(&response->body);
    response->n_headers = 0;
    if (request->target.n > WEB_TARGET_MOST)
        web_say(response, 414, "The address is too long.\n");
    else if (request->body.n > WEB_BODY_MOST)
        web_say(response, 413, "At most 16 MiB can be read at once.\n");
    else if (!web_read_target(request->target, &path, &asked.query))
        web_say(response, 400, "This is no address of a page.\n");
    else
        answer_path(&asked, buffer_bytes(&path), response);
    if (response->body.bad) {
        response->n_headers = 0;
        web_say(response, 500, "The answer does not fit, or memory is short. Try again later.\n");
    }
    buffer_done(&path);
}

/* SPDX-License-Identifier: ISC
 *
 * web/web_int.h: what the routes share.
 */
#ifndef POSTERN_WEB_WEB_INT_H
#define POSTERN_WEB_WEB_INT_H

#include "web/web.h"

/* A request at its route. */
struct web_asked {
    const struct web_request *request;
    const struct web_facts *facts;
    struct bytes rest;          /* of the path behind the route's own; decoded */
    struct bytes query;         /* as on the wire, still encoded */
};

/* The target of a request (RFC 9112, 3.2.1): its path decoded into ret_path, its query borrowed.
   False: no origin-form, a bad escape, a NUL or another control, no UTF-8, or an empty, "." or ".."
   segment. */
MUST_USE bool web_read_target(struct bytes target, struct buffer *ret_path,
                              struct bytes *ret_query);

/* The value of a query's (or of an urlencoded form's) field, decoded; false: it is not there, or no
   text. */
MUST_USE bool web_read_field(struct bytes query, struct bytes name, struct buffer *ret_value);

/* A short answer in plain text; `words` end with a line end. */
void web_say(struct web_response *response, unsigned status, const char *words);
/* Constant texts; at most WEB_HEADERS_MOST. */
void web_add_header(struct web_response *response, const char *name, const char *value);

/* ---- the routes of web.c's table: each sets status, type and body */
void web_front_page(const struct web_asked *asked, struct web_response *response);
void web_explain(const struct web_asked *asked, struct web_response *response);
void web_code_page(const struct web_asked *asked, struct web_response *response);
void web_code_list(const struct web_asked *asked, struct web_response *response);
void web_code_json(const struct web_asked *asked, struct web_response *response);
void web_code_list_json(const struct web_asked *asked, struct web_response *response);
void web_healthz(const struct web_asked *asked, struct web_response *response);
void web_metrics(const struct web_asked *asked, struct web_response *response);

#endif

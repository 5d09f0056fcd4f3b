/* SPDX-License-Identifier: ISC
 *
 * host/fetch.h: what the role `fetch` fetches with: libcurl, driven by the loop. It speaks HTTPS
 * (TLS 1.2 or later, HTTP/1.1) with a host whose certificate names it and that an authority vouches
 * for, follows no redirection, knows no proxy, and looks up no name.
 */
#ifndef POSTERN_HOST_FETCH_H
#define POSTERN_HOST_FETCH_H

#include "dns/fetch.h"
#include "host/loop.h"

struct fetcher;

/* Ready: after this it opens no file. `authorities`: PEM; those that cannot be read are left out.
   `tell` is called once for each order that was not given up, `status` 0 when nothing of HTTP came;
   the body lives for the call. NULL: memory or descriptors are short. */
MUST_USE struct fetcher *fetcher_new(struct loop *loop, struct bytes authorities, void *of,
                                     void (*tell)(void *of, uint64_t token,
                                                  enum fetch_result result, unsigned status,
                                                  struct bytes body));
/* What is under way is told no more. */
void fetcher_free(struct fetcher *fetcher);

/* Do what the order (as dns/fetch.h codes it) says. */
void fetcher_ask(struct fetcher *fetcher, uint64_t token, struct bytes order);
/* Give that one up; nothing is told of it. */
void fetcher_end(struct fetcher *fetcher, uint64_t token);

#endif

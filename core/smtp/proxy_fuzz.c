/* SPDX-License-Identifier: ISC
 *
 * A PROXY header of any octets: once there is an answer, more octets change nothing; what is used
 * was there and is bounded. The same octets as the argument of XCLIENT.
 */
#include "smtp/proxy.h"
#include "smtp/xclient.h"

#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void try_proxy(struct bytes in)
{
    enum proxy_taken answer = PROXY_MORE;
    size_t answered_used = 0;

    for (size_t n = 0; n <= in.n; n++) {
        struct net_address client = { .port = 7 };
        size_t used = 0;
        enum proxy_taken taken = proxy_take(bytes_first(in, n), &used, &client);
        must(answer == PROXY_MORE || taken == answer);
        must(used <= n && used <= PROXY_MOST && (taken != PROXY_MORE || n < PROXY_MOST));
        must((used > 0) == (taken == PROXY_CLIENT || taken == PROXY_OWN));
        must(taken == PROXY_CLIENT || client.port == 7);
        must(answer == PROXY_MORE || used == answered_used);
        answer = taken;
        answered_used = used;
    }
}

static void try_xclient(struct bytes in)
{
    struct buffer helo = buffer_with_most(LIMIT_DOMAIN);
    struct xclient xclient;

    if (xclient_parse(in, &helo, &xclient))
        must(xclient.has_helo == (helo.n > 0) && helo.n <= LIMIT_DOMAIN);
    buffer_done(&helo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 2 * PROXY_MOST)
        return 0;
    char *exact = malloc(n == 0 ? 1 : n);
    must(exact != NULL);
    if (n > 0)
        memcpy(exact, data, n);
    try_proxy((struct bytes){ exact, n });
    try_xclient((struct bytes){ exact, n });
    free(exact);
    return 0;
}

/* SPDX-License-Identifier: ISC */
#include "dns/fetch.h"

#include "dns/name.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A URL that reads leads to a name, and holds nothing that could lead elsewhere. */
static void check_url(struct bytes text)
{
    struct fetch_url url;

    if (!fetch_url_read(text, &url))
        return;
    if (text.n > FETCH_URL_MOST || !dns_name_is_plain(url.host) || url.port == 0
        || bytes_find(url.host, '@') < url.host.n
        || (url.path.n > 0 && url.path.at[0] != '/' && url.path.at[0] != '?'))
        abort();
    for (size_t i = 0; i < text.n; i++)
        if (octet(text.at[i]) <= ' ' || octet(text.at[i]) > '~')
            abort();
}

/* The octets as a URL, and as an order; what reads is written as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size };
    struct fetch_order order;
    struct buffer again = buffer_with_most(size + 64);

    check_url(text);
    if (fetch_order_read(text, &order)) {
        check_url(order.url);
        if (order.addresses.n == 0 || order.addresses.n > 16 * FETCH_ADDRESSES_MOST)
            abort();
        fetch_order_put(&again, &order);
        if (!bytes_equal(buffer_bytes(&again), text))
            abort();
    }
    buffer_done(&again);
    return 0;
}

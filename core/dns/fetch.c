/* SPDX-License-Identifier: ISC */
#include "dns/fetch.h"

#include "base/reader.h"
#include "dns/name.h"

static bool read_port(struct bytes text, uint16_t *ret_port)
{
    uint32_t port = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.at[i]) || text.n > 5)
            return false;
        port = port * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* The last label of a name is never all digits (RFC 3696, 2); that of an address is. */
static bool is_address(struct bytes host)
{
    struct bytes last = bytes_skip(host, bytes_find_last(host, '.') == host.n
                                         ? 0 : bytes_find_last(host, '.') + 1);

    for (size_t i = 0; i < last.n; i++)
        if (!is_digit(last.at[i]))
            return false;
    return true;
}

bool fetch_url_read(struct bytes text, struct fetch_url *ret_url)
{
    struct bytes scheme = BYTES("https://"), rest = bytes_skip(text, scheme.n);
    struct fetch_url url = { .port = 443 };
    size_t end = 0;

    if (text.n > FETCH_URL_MOST || !bytes_begins_nocase(text, scheme))
        return false;
    for (size_t i = 0; i < rest.n; i++)
        if (rest.at[i] <= ' ' || rest.at[i] > '~' || rest.at[i] == '\\' || rest.at[i] == '#')
            return false;
    while (end < rest.n && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    url.path = bytes_skip(rest, end);
    rest = bytes_first(rest, end);
    url.host = bytes_upto(rest, ':');
    if (!dns_name_is_plain(url.host) || is_address(url.host))
        return false;
    if (url.host.n < rest.n && !read_port(bytes_skip(rest, url.host.n + 1), &url.port))
        return false;
    *ret_url = url;
    return true;
}

void fetch_order_put(struct buffer *to, const struct fetch_order *order)
{
    buffer_put_u8(to, (uint8_t)order->kind);
    buffer_put_block(to, order->url);
    buffer_put_block(to, order->addresses);
    buffer_put(to, order->body);
}

bool fetch_order_read(struct bytes text, struct fetch_order *ret_order)
{
    struct reader in = reader_of(text);
    struct fetch_url url;
    uint8_t kind = read_u8(&in);
    struct fetch_order order = { .url = read_block(&in), .addresses = read_block(&in) };

    order.body = read_rest(&in);
    if (!reader_ok(&in) || kind < FETCH_POLICY || kind >= FETCH_KINDS
        || order.addresses.n == 0 || order.addresses.n % 16 != 0
        || order.addresses.n / 16 > FETCH_ADDRESSES_MOST || !fetch_url_read(order.url, &url))
        return false;
    order.kind = (enum fetch_kind)kind;
    *ret_order = order;
    return true;
}

const char *fetch_result_words(enum fetch_result result)
{
    switch (result) {
    case FETCH_WELL: return "fetched";
    case FETCH_STATUS: return "the server has another answer than 200";
    case FETCH_NO_ADDRESS: return "its host has no address to go to";
    case FETCH_UNREACHED: return "its host does not answer";
    case FETCH_UNTRUSTED: return "no authority vouches for its host";
    case FETCH_NO_TLS: return "TLS with its host failed";
    case FETCH_GARBLED: return "what came is no whole answer of HTTP";
    case FETCH_TOO_LONG: return "it is longer than is taken";
    case FETCH_WRONG_TYPE: return "it is not of the type asked for";
    case FETCH_LATE: return "it took too long";
    case FETCH_NOT_NOW: return "too much is being fetched";
    case FETCH_RESULTS: break;
    }
    return "";
}

const char *fetch_result_tlsrpt(enum fetch_result result)
{
    switch (result) {
    case FETCH_WELL: case FETCH_NOT_NOW: case FETCH_RESULTS: return "";
    case FETCH_UNTRUSTED: return "sts-webpki-invalid";
    case FETCH_STATUS: case FETCH_NO_ADDRESS: case FETCH_UNREACHED: case FETCH_NO_TLS:
    case FETCH_GARBLED: case FETCH_TOO_LONG: case FETCH_WRONG_TYPE: case FETCH_LATE:
        break;
    }
    return "sts-policy-fetch-error";
}

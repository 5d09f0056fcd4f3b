/* SPDX-License-Identifier: ISC */
#include "smtp/proxy.h"

#include <string.h>

enum {
    FIXED = 16, SIGNATURE = 12, AT_COMMAND = 12, AT_FAMILY = 13, AT_LENGTH = 14,
    COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21,
    FAMILY_UNKNOWN = 0x00, FAMILY_TCP4 = 0x11, FAMILY_TCP6 = 0x21,
    TCP4_BYTES = 12, TCP6_BYTES = 36, TLV_HEAD = 3,
};

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
_Static_assert(sizeof(signature) == SIGNATURE + 1, "the signature has 12 octets");

static unsigned u16_at(struct bytes in, size_t at)
{
    return (unsigned)octet(in.at[at]) << 8 | octet(in.at[at + 1]);
}

/* What follows the addresses: each a kind, a length and so many octets. */
static bool tlvs_fit(struct bytes rest)
{
    while (rest.n > 0) {
        if (rest.n < TLV_HEAD || rest.n - TLV_HEAD < u16_at(rest, 1))
            return false;
        rest = bytes_skip(rest, TLV_HEAD + u16_at(rest, 1));
    }
    return true;
}

static enum proxy_taken take_addresses(unsigned family, struct bytes body,
                                       struct net_address *ret_client)
{
    struct net_address client = { .port = 0 };
    size_t n = family == FAMILY_TCP4 ? TCP4_BYTES : TCP6_BYTES;

    if (family == FAMILY_UNKNOWN)
        return PROXY_OWN;
    if ((family != FAMILY_TCP4 && family != FAMILY_TCP6) || body.n < n
        || !tlvs_fit(bytes_skip(body, n)))
        return PROXY_BAD;
    if (family == FAMILY_TCP4) {
        client.ip[10] = client.ip[11] = 0xFF;
        memcpy(client.ip + 12, body.at, 4);
        client.port = (uint16_t)u16_at(body, 8);
    } else {
        memcpy(client.ip, body.at, 16);
        client.port = (uint16_t)u16_at(body, 32);
    }
    *ret_client = client;
    return PROXY_CLIENT;
}

enum proxy_taken proxy_take(struct bytes in, size_t *ret_used, struct net_address *ret_client)
{
    size_t known = in.n < SIGNATURE ? in.n : SIGNATURE;

    if (known > 0 && memcmp(in.at, signature, known) != 0)
        return PROXY_BAD;
    if (in.n <= AT_COMMAND)
        return PROXY_MORE;
    unsigned command = octet(in.at[AT_COMMAND]);
    if (command != COMMAND_LOCAL && command != COMMAND_PROXY)
        return PROXY_BAD;
    if (in.n < FIXED)
        return PROXY_MORE;
    size_t length = u16_at(in, AT_LENGTH);
    if (FIXED + length > PROXY_MOST)
        return PROXY_BAD;
    if (in.n < FIXED + length)
        return PROXY_MORE;
    enum proxy_taken taken = PROXY_OWN;
    if (command == COMMAND_PROXY)
        taken = take_addresses(octet(in.at[AT_FAMILY]),
                               bytes_first(bytes_skip(in, FIXED), length), ret_client);
    if (taken != PROXY_BAD)
        *ret_used = FIXED + length;
    return taken;
}

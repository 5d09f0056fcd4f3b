/* SPDX-License-Identifier: ISC */
#include "plan/net.h"

#include "base/ip.h"
#include "base/number.h"

#include <string.h>

enum { V4_BEFORE = 96, ALL_BITS = 128 };

void net_mask(uint8_t ip[static 16], unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits <= 8 * i ? 0 : bits - 8 * i;
        if (kept < 8)
            ip[i] &= (uint8_t)(0xFF00U >> kept);
    }
}

bool net_parse(struct bytes text, struct net *ret_net)
{
    size_t slash = bytes_find(text, '/');
    struct bytes host = bytes_first(text, slash), width = bytes_skip(text, slash + 1);
    struct net net = { .bits = ALL_BITS };
    uint8_t masked[16];
    uint64_t bits;

    bool v4 = ip_parse_v4(host, net.ip);
    if (!v4 && !ip_parse_v6(host, net.ip))
        return false;
    if (slash < text.n) {
        if (!number_parse(width, &bits) || bits > (v4 ? ALL_BITS - V4_BEFORE : ALL_BITS)
            || (width.n > 1 && width.at[0] == '0'))
            return false;
        net.bits = (uint8_t)(bits + (v4 ? V4_BEFORE : 0));
    }
    memcpy(masked, net.ip, sizeof(masked));
    net_mask(masked, net.bits);
    if (memcmp(masked, net.ip, sizeof(masked)) != 0)
        return false;
    *ret_net = net;
    return true;
}

bool net_holds(const struct net *net, const uint8_t ip[static 16])
{
    uint8_t masked[16];

    memcpy(masked, ip, sizeof(masked));
    net_mask(masked, net->bits);
    return memcmp(masked, net->ip, sizeof(masked)) == 0;
}

bool nets_take(struct conf_texts texts, struct arena *arena, struct nets *ret_nets)
{
    struct net *list = NULL;
    size_t n = 0;

    if (texts.n > 0)
        list = arena_take(arena, texts.n * sizeof(*list));
    if (texts.n > 0 && list == NULL)
        return false;
    for (size_t i = 0; i < texts.n; i++)
        n += net_parse(texts.list[i], &list[n]);
    *ret_nets = (struct nets){ list, n };
    return true;
}

bool nets_hold(const struct nets *nets, const uint8_t ip[static 16])
{
    for (size_t i = 0; i < nets->n; i++)
        if (net_holds(&nets->list[i], ip))
            return true;
    return false;
}

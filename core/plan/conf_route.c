/* SPDX-License-Identifier: ISC */
#include "plan/conf.h"

#include <string.h>

bool conf_route_parse(struct bytes text, struct conf_route *ret_route)
{
    struct conf_route route = { 0 };
    struct conf_listen listen;
    size_t equals = bytes_find(text, '=');
    struct bytes server = equals == text.n ? text : bytes_skip(text, equals + 1);

    if (equals < text.n && bytes_begins(text, BYTES("unix:")))
        server = text;
    route.domain = bytes_first(text, server.n == text.n ? 0 : equals);
    if (server.n != text.n && route.domain.n == 0)
        return false;
    if (bytes_begins(server, BYTES("unix:"))) {
        route.path = bytes_skip(server, 5);
        if (route.path.n < 2 || route.path.n > LIMIT_SOCKET_PATH || route.path.at[0] != '/')
            return false;
    } else {
        if (!conf_listen_parse(server, &listen) || listen.any)
            return false;
        route.at = listen.at;
    }
    *ret_route = route;
    return true;
}

bool conf_web_parse(struct bytes text, struct conf_web *ret_web)
{
    static const uint8_t v4_loopback[13] = { [10] = 0xFF, [11] = 0xFF, [12] = 127 };
    static const uint8_t v6_loopback[16] = { [15] = 1 };
    struct conf_web web = { .off = bytes_equal(text, BYTES("no")) };
    struct conf_route route;

    if (!web.off) {
        if (!conf_route_parse(text, &route) || route.domain.n > 0)
            return false;
        if (route.path.n == 0 && memcmp(route.at.ip, v4_loopback, sizeof(v4_loopback)) != 0
            && memcmp(route.at.ip, v6_loopback, sizeof(v6_loopback)) != 0)
            return false;
        web.path = route.path;
        web.at = route.at;
    }
    *ret_web = web;
    return true;
}

/* SPDX-License-Identifier: ISC */
#include "plan/conf.h"

#include "base/ip.h"
#include "base/number.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "mail/literal.h"

enum { SMTP_PORT = 25 };

/* What stands before "=", cut from *rest; empty: there is none. */
static struct bytes take_domain(struct bytes *rest)
{
    size_t equals = bytes_find(*rest, '=');
    struct bytes domain = bytes_first(*rest, equals == rest->n ? 0 : equals);

    if (equals < rest->n)
        *rest = bytes_skip(*rest, equals + 1);
    return domain;
}

static bool is_host(struct bytes name)
{
    struct bytes label;

    if (name.n == 0 || name.n > LIMIT_DOMAIN || name.at[name.n - 1] == '.')
        return false;
    while (bytes_cut(&name, '.', &label)) {
        if (label.n == 0 || label.n > LIMIT_LABEL)
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!is_alnum(label.at[i]) && label.at[i] != '-' && label.at[i] != '_')
                return false;
    }
    return true;
}

static bool take_port(struct bytes text, struct net_address *to)
{
    uint64_t port = SMTP_PORT;

    if (text.n > 0 && (text.at[0] != ':' || !number_parse(bytes_skip(text, 1), &port)
                       || port == 0 || port > 65535))
        return false;
    to->port = (uint16_t)port;
    return true;
}

bool conf_hop_parse(struct bytes text, struct conf_hop *ret_hop)
{
    struct conf_hop hop = { .host = BYTES_NONE };
    bool said = bytes_find(text, '=') < text.n;

    hop.domain = take_domain(&text);
    if (said && hop.domain.n == 0)
        return false;
    size_t end = text.n > 0 && text.at[0] == '[' ? bytes_find(text, ']') : bytes_find(text, ':');
    struct bytes host = bytes_first(text, end);
    if (text.n > 0 && text.at[0] == '[') {
        if (end == text.n || !ip_parse_v6(bytes_skip(host, 1), hop.at.ip))
            return false;
        end++;
    } else if (!ip_parse_v4(host, hop.at.ip)) {
        if (!is_host(host))
            return false;
        hop.host = host;
    }
    if (!take_port(bytes_skip(text, end), &hop.at))
        return false;
    *ret_hop = hop;
    return true;
}

bool conf_hop_find(const struct conf *conf, struct bytes domain_ascii, struct conf_hop *ret_hop)
{
    for (size_t i = 0; i < conf->route.n; i++)
        if (bytes_equal_nocase(bytes_upto(conf->route.list[i], '='), domain_ascii))
            return conf_hop_parse(conf->route.list[i], ret_hop);
    return conf->smarthost.n > 0 && conf_hop_parse(conf->smarthost.list[0], ret_hop);
}

static void put_hop(const struct conf_hop *hop, struct buffer *to)
{
    buffer_put_char(to, '=');
    if (hop->host.n == 0) {
        net_address_put(to, &hop->at);
        return;
    }
    for (size_t i = 0; i < hop->host.n; i++)
        buffer_put_char(to, to_lower(hop->host.at[i]));
    buffer_put_char(to, ':');
    buffer_put_uint(to, hop->at.port);
}

bool conf_destination_put(const struct conf *conf, struct bytes address, struct buffer *to)
{
    char room[LIMIT_PATH];      /* on the stack: want of memory must not look like a bad name */
    struct buffer ascii = { .at = room, .room = sizeof(room), .most = sizeof(room) };
    struct address parsed;
    struct conf_hop hop;
    bool well = address_parse(address, true, &parsed, NULL) && parsed.domain.n > 0;

    if (well && parsed.literal)
        literal_put_normal(&ascii, parsed.domain);
    else if (well)
        well = domain_to_ascii(parsed.domain, &ascii);
    if (well && conf_hop_find(conf, buffer_bytes(&ascii), &hop))
        put_hop(&hop, to);
    else if (well)
        buffer_put(to, buffer_bytes(&ascii));
    return well && !ascii.bad && !to->bad;
}

struct bytes conf_destination_shown(struct bytes name)
{
    return bytes_skip(name, bytes_begins(name, BYTES("=")) ? 1 : 0);
}

bool conf_tls_parse(struct bytes text, struct bytes *ret_domain, enum conf_tls *ret_policy)
{
    static const struct { const char *word; enum conf_tls policy; } words[] = {
        { "may", CONF_TLS_MAY }, { "encrypt", CONF_TLS_ENCRYPT }, { "verify", CONF_TLS_VERIFY },
        { "dane", CONF_TLS_DANE }, { "none", CONF_TLS_NONE },
    };
    bool said = bytes_find(text, '=') < text.n;
    struct bytes domain = take_domain(&text);

    for (size_t i = 0; i < COUNT(words) && !(said && domain.n == 0); i++)
        if (bytes_equal(text, bytes_of(words[i].word))) {
            *ret_domain = domain;
            *ret_policy = words[i].policy;
            return true;
        }
    return false;
}

enum conf_tls conf_tls_of(const struct conf *conf, struct bytes domain_ascii)
{
    enum conf_tls found = CONF_TLS_MAY, policy;
    struct bytes domain;

    for (size_t i = 0; i < conf->tls_policy.n; i++) {
        if (!conf_tls_parse(conf->tls_policy.list[i], &domain, &policy))
            continue;
        if (domain.n > 0 && bytes_equal_nocase(domain, domain_ascii))
            return policy;
        if (domain.n == 0)
            found = policy;
    }
    return found;
}

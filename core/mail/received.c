/* SPDX-License-Identifier: ISC */
#include "mail/received.h"

#include "base/id.h"
#include "base/ip.h"
#include "base/utf8.h"
#include "mail/date.h"

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (octet(text.at[i]) > 127)
            return false;
    }
    return true;
}

static bool stands_in_domain(char c)
{
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '[' || c == ']';
}

/* Domain / address-literal, or what comes nearest. U-labels only for a client that spoke UTF8SMTP
   (RFC 6531, 3.7.3). */
static void put_helo(struct buffer *to, struct bytes helo, bool utf8)
{
    struct bytes name = bytes_first(helo, LIMIT_DOMAIN);

    if (name.n == 0)
        buffer_put(to, BYTES("unknown"));
    while (name.n > 0) {
        uint32_t point;
        size_t n = utf8_take(name, &point);
        bool known = n == 1 ? stands_in_domain(name.at[0])
                            : n > 1 && utf8 && !utf8_is_unsafe(point);
        buffer_put(to, known ? bytes_first(name, n) : BYTES("?"));
        name = bytes_skip(name, n == 0 ? 1 : n);
    }
}

/* TCP-info = address-literal. A peer without an internet address (a unix socket) has none: a
   comment. */
static void put_peer(struct buffer *to, struct bytes peer)
{
    uint8_t ip[16];
    bool v4 = ip_parse_v4(peer, ip);

    if (v4 || ip_parse_v6(peer, ip)) {
        buffer_put_text(to, v4 ? "([" : "([IPv6:");
        buffer_put(to, peer);
        buffer_put_text(to, "])");
        return;
    }
    buffer_put_char(to, '(');
    put_helo(to, peer, false);
    buffer_put_char(to, ')');
}

void received_put(struct buffer *to, const struct envelope *envelope, struct bytes recipient,
                  uint64_t id)
{
    char name[ID_TEXT];

    id_write(id, name);
    buffer_put_text(to, "Received: from ");
    put_helo(to, envelope->helo, envelope->smtputf8);
    buffer_put_char(to, ' ');
    put_peer(to, envelope->peer);
    buffer_put_text(to, "\r\n\tby ");
    buffer_put(to, envelope->host);
    buffer_put_text(to, " with ");
    buffer_put(to, envelope->protocol);
    buffer_put_text(to, " id ");
    buffer_put(to, (struct bytes){ name, ID_TEXT });
    buffer_put_text(to, "\r\n\t");
    /* 7-bit letters get no 8-bit field from us (RFC 6531, 3.7.3); "for" may be left out, and is
       where several would be named, of whom each is none of the others' business. */
    if (recipient.n > 0 && (envelope->smtputf8 || is_ascii(recipient))) {
        buffer_put_text(to, "for <");
        buffer_put(to, recipient);
        buffer_put_char(to, '>');
    }
    buffer_put_text(to, "; ");
    date_put(to, envelope->received_ms);
    buffer_put_text(to, "\r\n");
}

void delivery_put(struct buffer *to, const struct envelope *envelope, struct bytes recipient,
                  uint64_t id)
{
    buffer_put_text(to, "Return-Path: <");
    buffer_put(to, envelope->sender);
    buffer_put_text(to, ">\r\nDelivered-To: ");
    buffer_put(to, recipient);
    buffer_put_text(to, "\r\n");
    received_put(to, envelope, recipient, id);
}

/* SPDX-License-Identifier: ISC */
#include "smtp/xclient.h"

#include "base/ip.h"
#include "base/limits.h"
#include "base/number.h"
#include "mail/xtext.h"

/* Each reads a decoded value; false: it is wrong. */
typedef bool read_value(struct bytes value, struct xclient *xclient);

static bool read_ip(struct bytes value, uint8_t ret_ip[static 16])
{
    const struct bytes mark = BYTES("IPV6:");

    return bytes_begins_nocase(value, mark) ? ip_parse_v6(bytes_skip(value, mark.n), ret_ip)
                                            : ip_parse_v4(value, ret_ip);
}

static bool read_port_number(struct bytes value, uint16_t *ret_port)
{
    uint64_t number;

    if (!number_parse(value, &number) || number > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)number;
    return true;
}

static bool read_addr(struct bytes value, struct xclient *xclient)
{
    return xclient->has_ip = read_ip(value, xclient->ip);
}

static bool read_port(struct bytes value, struct xclient *xclient)
{
    return xclient->has_port = read_port_number(value, &xclient->port);
}

static bool read_proto(struct bytes value, struct xclient *xclient)
{
    xclient->esmtp = bytes_equal_nocase(value, BYTES("ESMTP"));
    return xclient->has_proto = xclient->esmtp || bytes_equal_nocase(value, BYTES("SMTP"));
}

static bool read_helo(struct bytes value, struct xclient *xclient)
{
    return xclient->has_helo = value.n > 0;
}

static bool read_text(struct bytes value, struct xclient *xclient)
{
    (void)xclient;
    return value.n > 0;
}

static bool read_destaddr(struct bytes value, struct xclient *xclient)
{
    uint8_t ip[16];

    (void)xclient;
    return read_ip(value, ip);
}

static bool read_destport(struct bytes value, struct xclient *xclient)
{
    uint16_t port;

    (void)xclient;
    return read_port_number(value, &port);
}

enum { HELO_ROW = 4 };
static const struct { struct bytes name; read_value *read; } rows[] = {
    { BYTES_INIT("NAME"), read_text }, { BYTES_INIT("ADDR"), read_addr },
    { BYTES_INIT("PORT"), read_port }, { BYTES_INIT("PROTO"), read_proto },
    [HELO_ROW] = { BYTES_INIT("HELO"), read_helo },
    { BYTES_INIT("LOGIN"), read_text }, { BYTES_INIT("DESTADDR"), read_destaddr },
    { BYTES_INIT("DESTPORT"), read_destport },
};

static bool is_unknown(struct bytes value)
{
    return bytes_equal_nocase(value, BYTES("[UNAVAILABLE]"))
        || bytes_equal_nocase(value, BYTES("[TEMPUNAVAIL]"));
}

/* `seen`: a bit for each row that came already. */
static bool take_attribute(struct bytes text, unsigned *seen, struct buffer *helo,
                           struct xclient *xclient)
{
    struct buffer value = buffer_with_most(LIMIT_DOMAIN);
    struct bytes name = bytes_upto(text, '='), given = bytes_skip(text, name.n + 1);
    size_t i = 0;

    while (i < COUNT(rows) && !bytes_equal_nocase(name, rows[i].name))
        i++;
    if (i == COUNT(rows) || (*seen & 1U << i) != 0)
        return false;
    *seen |= 1U << i;
    if (is_unknown(given))
        return true;
    bool well = xtext_decode(given, &value) && !value.bad
        && rows[i].read(buffer_bytes(&value), xclient);
    if (well && i == HELO_ROW)
        buffer_put(helo, buffer_bytes(&value));
    buffer_done(&value);
    return well && !helo->bad;
}

bool xclient_parse(struct bytes argument, struct buffer *helo, struct xclient *ret_xclient)
{
    struct xclient xclient = { .has_ip = false };
    struct bytes text;
    unsigned seen = 0;

    while (bytes_cut(&argument, ' ', &text))
        if (!take_attribute(text, &seen, helo, &xclient))
            return false;
    if (seen == 0)
        return false;
    *ret_xclient = xclient;
    return true;
}

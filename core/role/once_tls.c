/* SPDX-License-Identifier: ISC */
#include "base/safe.h"
#include "crypt/tls.h"
#include "role/once_int.h"

static void put_hex(struct buffer *to, struct bytes octets)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < octets.n; i++) {
        if (i > 0 && i % 2 == 0)
            buffer_put_char(to, ' ');
        buffer_put_char(to, digits[octet(octets.at[i]) >> 4]);
        buffer_put_char(to, digits[octet(octets.at[i]) & 15]);
    }
}

static void put_json(const struct wire_tls_row *row, struct buffer *to)
{
    struct json json = json_to(to);
    struct buffer hex = buffer_with_most(1024);
    bool failed = row->what == TLS_NEWS_FAILED;

    put_hex(&hex, row->offered);
    json_put_object(&json);
    json_put_text(&json, "tls", failed ? BYTES("came-back-in-clear") : BYTES("name-unknown"));
    json_put_text(&json, "name", row->name);
    json_put_uint(&json, failed ? "letters" : "times", row->count);
    once_json_moment(&json, "first", row->first_ms);
    once_json_moment(&json, "last", row->last_ms);
    if (failed) {
        json_put_text(&json, "peer", row->peer);
        json_put_text(&json, "alert", bytes_of(tls_alert_name(row->alert)));
        json_put_text(&json, "by", row->ours ? BYTES("us") : BYTES("peer"));
        json_put_text(&json, "ciphers", buffer_bytes(&hex));
    }
    json_put_object_end(&json);
    json_line_end(&json);
    buffer_done(&hex);
}

static void put_failed(const struct once_style *style, const struct wire_tls_row *row,
                       struct buffer *to)
{
    safe_put_plain(to, row->peer);
    buffer_put(to, BYTES(" could not agree on TLS and sent "));
    once_put_count(to, row->count, "letter");
    buffer_put(to, BYTES(" in clear, last "));
    once_put_moment(to, style, row->last_ms);
    buffer_put(to, BYTES("\n    asked for the name "));
    if (row->name.n > 0)
        once_put_path(to, row->name);
    else
        buffer_put(to, BYTES("of nobody"));
    buffer_put(to, row->alert == 0 ? BYTES("; went away without an alert")
                 : row->ours ? BYTES("; we said ") : BYTES("; it said "));
    if (row->alert != 0)
        buffer_put_text(to, tls_alert_name(row->alert));
    buffer_put(to, BYTES("\n    offered the ciphers "));
    put_hex(to, row->offered);
    buffer_put_char(to, '\n');
}

void once_tls_row(const struct once_style *style, const struct wire_tls_row *row,
                  struct buffer *to)
{
    if (style->json) {
        put_json(row, to);
    } else if (row->what == TLS_NEWS_FAILED) {
        put_failed(style, row, to);
    } else {
        once_put_path(to, row->name);
        buffer_put(to, BYTES(" was asked for "));
        once_put_count(to, row->count, "time");
        buffer_put(to, BYTES(" and stands in no certificate, last "));
        once_put_moment(to, style, row->last_ms);
        buffer_put_char(to, '\n');
    }
}

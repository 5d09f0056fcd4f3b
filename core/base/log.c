/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include "base/limits.h"
#include "base/utf8.h"

static void put_key(struct buffer *line, const char *key)
{
    buffer_put_char(line, ' ');
    buffer_put_text(line, key);
    buffer_put_char(line, '=');
}

void log_begin(struct buffer *line, const char *event)
{
    buffer_put(line, BYTES("event="));
    buffer_put_text(line, event);
}

void log_uint(struct buffer *line, const char *key, uint64_t value)
{
    put_key(line, key);
    buffer_put_uint(line, value);
}

static bool is_word(struct bytes value)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.at[i] <= ' ' || value.at[i] == '"' || value.at[i] == '=' || value.at[i] == '\\'
            || octet(value.at[i]) >= 0x7F)
            return false;
    return value.n > 0;
}

static void put_hex(struct buffer *line, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";

    buffer_put(line, BYTES("\\x"));
    buffer_put_char(line, digits[c >> 4]);
    buffer_put_char(line, digits[c & 15]);
}

static void put_escaped(struct buffer *line, struct bytes value)
{
    while (value.n > 0) {
        uint32_t point;
        size_t n = utf8_take(value, &point);

        if (n == 1 && (point == '"' || point == '\\')) {
            buffer_put_char(line, '\\');
            buffer_put_char(line, value.at[0]);
        } else if (n > 0 && !utf8_is_unsafe(point)) {
            buffer_put(line, bytes_first(value, n));
        } else {
            n = n == 0 ? 1 : n;
            for (size_t i = 0; i < n; i++)
                put_hex(line, octet(value.at[i]));
        }
        value = bytes_skip(value, n);
    }
}

static void put_value(struct buffer *line, struct bytes value)
{
    if (is_word(value)) {
        buffer_put(line, value);
        return;
    }
    buffer_put_char(line, '"');
    put_escaped(line, value);
    buffer_put_char(line, '"');
}

void log_ours(struct buffer *line, const char *key, struct bytes value)
{
    put_key(line, key);
    put_value(line, value);
}

void log_theirs(struct buffer *line, const char *key, struct bytes value)
{
    put_key(line, key);
    put_value(line, bytes_first(value, LIMIT_LOG_FIELD));
    if (value.n > LIMIT_LOG_FIELD)
        buffer_put(line, BYTES("..."));
}

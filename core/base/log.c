/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include "base/limits.h"
#include "base/safe.h"

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

static void put_value(struct buffer *line, struct bytes value)
{
    if (is_word(value)) {
        buffer_put(line, value);
        return;
    }
    buffer_put_char(line, '"');
    safe_put(line, value);
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

/* SPDX-License-Identifier: ISC */
#include "base/json.h"

#include "base/utf8.h"

#include <assert.h>

struct json json_to(struct buffer *to)
{
    return (struct json){ .to = to };
}

static bool in_object(const struct json *json)
{
    return (json->objects >> json->depth & 1) != 0;
}

/* Before each member: the comma behind the one before. Depth 0 is no container and has no bit. */
static void put_comma(struct json *json)
{
    uint32_t bit = 1u << json->depth;

    if (json->depth > 0 && (json->begun & bit) != 0)
        buffer_put_char(json->to, ',');
    json->begun |= bit;
}

static void before_value(struct json *json)
{
    assert(json->keyed == in_object(json));
    if (!json->keyed)
        put_comma(json);
    json->keyed = false;
}

static void open(struct json *json, char c, bool object)
{
    before_value(json);
    buffer_put_char(json->to, c);
    assert(json->depth + 1 < JSON_DEPTH_MOST);
    json->depth++;
    uint32_t bit = 1u << json->depth;
    json->begun &= ~bit;
    json->objects = object ? json->objects | bit : json->objects & ~bit;
}

static void shut(struct json *json, char c, bool object)
{
    assert(json->depth > 0 && in_object(json) == object && !json->keyed);
    json->depth--;
    buffer_put_char(json->to, c);
}

void json_put_object(struct json *json) { open(json, '{', true); }
void json_put_object_end(struct json *json) { shut(json, '}', true); }
void json_put_array(struct json *json) { open(json, '[', false); }
void json_put_array_end(struct json *json) { shut(json, ']', false); }

static void put_hex4(struct buffer *to, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";

    buffer_put(to, BYTES("\\u"));
    for (unsigned shift = 16; shift > 0; shift -= 4)
        buffer_put_char(to, digits[unit >> (shift - 4) & 15]);
}

static void put_escape(struct buffer *to, uint32_t point)
{
    static const struct { uint32_t point; char letter; } shorts[] = {
        { '"', '"' }, { '\\', '\\' }, { '\n', 'n' }, { '\r', 'r' }, { '\t', 't' },
    };

    for (size_t i = 0; i < COUNT(shorts); i++) {
        if (shorts[i].point == point) {
            buffer_put_char(to, '\\');
            buffer_put_char(to, shorts[i].letter);
            return;
        }
    }
    if (point >= 0x10000) {     /* RFC 8259, 7: a surrogate pair */
        put_hex4(to, 0xD800 + ((point - 0x10000) >> 10));
        put_hex4(to, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
        put_hex4(to, point);
    }
}

/* Bits are set for the octets of `eight` that are zero, and perhaps for some behind the first. */
static uint64_t zeros(uint64_t eight)
{
    return (eight - 0x0101010101010101) & ~eight & 0x8080808080808080;
}

/* Do all eight octets stand in a string as they are? */
static bool plain_eight(const char *at)
{
    uint64_t eight;

    memcpy(&eight, at, 8);
    uint64_t low = (eight - 0x2020202020202020) & ~eight & 0x8080808080808080;
    return (low | (eight & 0x8080808080808080) | zeros(eight ^ 0x2222222222222222)
            | zeros(eight ^ 0x5c5c5c5c5c5c5c5c) | zeros(eight ^ 0x7f7f7f7f7f7f7f7f)) == 0;
}

/* How much of the text stands in a string as it is; most of what is written is of that kind. */
static size_t plain_start(struct bytes text)
{
    size_t n = 0;

    while (n + 8 <= text.n && plain_eight(text.at + n))
        n += 8;
    while (n < text.n && text.at[n] >= ' ' && text.at[n] < 0x7F && text.at[n] != '"'
           && text.at[n] != '\\')
        n++;
    return n;
}

static void put_string(struct buffer *to, struct bytes text)
{
    buffer_put_char(to, '"');
    while (text.n > 0) {
        size_t plain = plain_start(text);
        uint32_t point;
        if (plain > 0) {
            buffer_put(to, bytes_first(text, plain));
            text = bytes_skip(text, plain);
            continue;
        }
        size_t n = utf8_take(text, &point);
        if (n == 0)
            put_escape(to, 0xFFFD);
        else if (point == '"' || point == '\\' || utf8_is_unsafe(point))
            put_escape(to, point);
        else
            buffer_put(to, bytes_first(text, n));
        text = bytes_skip(text, n == 0 ? 1 : n);
    }
    buffer_put_char(to, '"');
}

void json_key(struct json *json, const char *key)
{
    assert(in_object(json) && !json->keyed);
    put_comma(json);
    buffer_put_char(json->to, '"');
    buffer_put_text(json->to, key);
    buffer_put(json->to, BYTES("\":"));
    json->keyed = true;
}

void json_text(struct json *json, struct bytes text)
{
    before_value(json);
    put_string(json->to, text);
}

void json_uint(struct json *json, uint64_t number)
{
    before_value(json);
    buffer_put_uint(json->to, number);
}

void json_int(struct json *json, int64_t number)
{
    before_value(json);
    if (number < 0)
        buffer_put_char(json->to, '-');
    buffer_put_uint(json->to, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void json_bool(struct json *json, bool value)
{
    before_value(json);
    buffer_put_text(json->to, value ? "true" : "false");
}

void json_put_null(struct json *json)
{
    before_value(json);
    buffer_put(json->to, BYTES("null"));
}

void json_line_end(struct json *json)
{
    assert(json->depth == 0 && !json->keyed);
    buffer_put_char(json->to, '\n');
}

void json_put_text(struct json *json, const char *key, struct bytes text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_put_uint(struct json *json, const char *key, uint64_t number)
{
    json_key(json, key);
    json_uint(json, number);
}

void json_put_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

/* SPDX-License-Identifier: ISC */
#include "base/buffer.h"

#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { ROOM_FIRST = 64 };

struct buffer buffer_with_most(size_t most)
{
    return (struct buffer){ .most = most };
}

void buffer_done(struct buffer *buffer)
{
    mem_free(buffer->at);
    *buffer = buffer_with_most(buffer->most);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->n = 0;
    buffer->bad = false;
}

void buffer_shrink(struct buffer *buffer, size_t keep)
{
    if (buffer->room > keep)
        buffer_done(buffer);
    else
        buffer_clear(buffer);
}

bool buffer_reserve(struct buffer *buffer, size_t n)
{
    if (n <= buffer->room - buffer->n)
        return true;
    if (n > buffer->most || buffer->most - n < buffer->n)
        return buffer->bad = true, false;
    size_t want = buffer->n + n, room = buffer->room == 0 ? ROOM_FIRST : buffer->room;
    while (room < want)
        room = room > buffer->most / 2 ? buffer->most : room * 2;
    room = room < buffer->most ? room : buffer->most;
    char *at = mem_resize(buffer->at, room);
    if (at == NULL)
        return buffer->bad = true, false;
    buffer->at = at;
    buffer->room = room;
    return true;
}

char *buffer_grow(struct buffer *buffer, size_t n)
{
    if (!buffer_reserve(buffer, n))
        return NULL;
    char *at = buffer->at + buffer->n;
    buffer->n += n;
    return at;
}

void buffer_put_more(struct buffer *buffer, struct bytes text)
{
    char *at = buffer_grow(buffer, text.n);
    if (at != NULL)
        memcpy(at, text.at, text.n);
}

void buffer_put_chars(struct buffer *buffer, char c, size_t count)
{
    char *at = count == 0 ? NULL : buffer_grow(buffer, count);

    if (at != NULL)
        memset(at, c, count);
}

void buffer_put_uint(struct buffer *buffer, uint64_t number)
{
    buffer_put_uint_wide(buffer, number, 1);
}

void buffer_put_uint_wide(struct buffer *buffer, uint64_t number, unsigned width)
{
    char digits[32];
    size_t at = sizeof(digits);

    assert(width <= sizeof(digits));
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || sizeof(digits) - at < width);
    buffer_put(buffer, (struct bytes){ digits + at, sizeof(digits) - at });
}

static void put_little(struct buffer *buffer, uint64_t number, size_t n)
{
    char *at = buffer_grow(buffer, n);

    if (at == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        at[i] = (char)(uint8_t)(number >> (8 * i));
}

void buffer_put_u8(struct buffer *buffer, uint8_t number) { put_little(buffer, number, 1); }
void buffer_put_u16(struct buffer *buffer, uint16_t number) { put_little(buffer, number, 2); }
void buffer_put_u32(struct buffer *buffer, uint32_t number) { put_little(buffer, number, 4); }
void buffer_put_u64(struct buffer *buffer, uint64_t number) { put_little(buffer, number, 8); }

void buffer_put_block(struct buffer *buffer, struct bytes text)
{
    if (text.n > UINT32_MAX) {
        buffer->bad = true;
        return;
    }
    buffer_put_u32(buffer, (uint32_t)text.n);
    buffer_put(buffer, text);
}

void buffer_drop(struct buffer *buffer, size_t n)
{
    assert(n <= buffer->n);
    buffer->n -= n;
    if (n > 0 && buffer->n > 0)
        memmove(buffer->at, buffer->at + n, buffer->n);
}

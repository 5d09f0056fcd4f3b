/* SPDX-License-Identifier: ISC
 *
 * base/buffer.h: octets that grow, up to a maximum stated when the buffer is born.
 *
 * Failure is sticky: what does not fit (the maximum, or no memory) sets `bad` and is left out
 * whole; the writer asks once, at the end.
 */
#ifndef POSTERN_BASE_BUFFER_H
#define POSTERN_BASE_BUFFER_H

#include "base/bytes.h"

struct buffer {
    char *at;
    size_t n, room, most;
    bool bad;
};

/* An empty buffer that never holds more than `most` octets. Costs nothing until first used. */
struct buffer buffer_with_most(size_t most);
void buffer_done(struct buffer *buffer);
/* Forget the text and `bad`, keep the memory. */
void buffer_clear(struct buffer *buffer);
/* Give the memory back too when more than `keep` octets are held. The text is forgotten. */
void buffer_shrink(struct buffer *buffer, size_t keep);

/* The text so far. Borrows; lives until the buffer is next written. */
static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){ buffer->n == 0 ? "" : buffer->at, buffer->n };
}

/* Room for n more octets, to be written by the caller; or NULL, and `bad` is set. buffer->n is
   already moved on. */
MUST_USE char *buffer_grow(struct buffer *buffer, size_t n);
/* Make sure that n more octets fit without moving memory again; false as buffer_grow. */
bool buffer_reserve(struct buffer *buffer, size_t n);

/* As buffer_put, when there is perhaps no room yet. */
void buffer_put_more(struct buffer *buffer, struct bytes text);
static inline void buffer_put(struct buffer *buffer, struct bytes text)
{
    if (text.n > buffer->room - buffer->n) {
        buffer_put_more(buffer, text);
    } else if (text.n > 0) {
        memcpy(buffer->at + buffer->n, text.at, text.n);
        buffer->n += text.n;
    }
}
static inline void buffer_put_char(struct buffer *buffer, char c)
{
    if (buffer->n < buffer->room)
        buffer->at[buffer->n++] = c;
    else
        buffer_put_more(buffer, (struct bytes){ &c, 1 });
}
void buffer_put_chars(struct buffer *buffer, char c, size_t count);
static inline void buffer_put_text(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, bytes_of(text));
}
/* In decimal; with leading zeros up to `width` digits. */
void buffer_put_uint(struct buffer *buffer, uint64_t number);
void buffer_put_uint_wide(struct buffer *buffer, uint64_t number, unsigned width);
/* Little-endian, for records and frames. */
void buffer_put_u8(struct buffer *buffer, uint8_t number);
void buffer_put_u16(struct buffer *buffer, uint16_t number);
void buffer_put_u32(struct buffer *buffer, uint32_t number);
void buffer_put_u64(struct buffer *buffer, uint64_t number);
/* A length as u32, then the octets. */
void buffer_put_block(struct buffer *buffer, struct bytes text);

/* Take the first n octets away and move the rest to the front. n <= buffer->n. */
void buffer_drop(struct buffer *buffer, size_t n);

#endif

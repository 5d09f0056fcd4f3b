/* SPDX-License-Identifier: ISC
 *
 * base/reader.h: a cursor over octets that cannot overrun.
 *
 * Failure is sticky: a read past the end yields zero or an empty slice and every later read does
 * too, so a parser reads straight down and asks once, at the end.
 */
#ifndef POSTERN_BASE_READER_H
#define POSTERN_BASE_READER_H

#include "base/bytes.h"

struct reader {
    struct bytes all;
    size_t at;
    bool bad;
};

static inline struct reader reader_of(struct bytes text) { return (struct reader){ .all = text }; }
static inline bool reader_ok(const struct reader *in) { return !in->bad; }
static inline bool reader_empty(const struct reader *in) { return in->at == in->all.n; }
/* True when all was read and nothing failed. */
static inline bool reader_finished(const struct reader *in) { return !in->bad && reader_empty(in); }
static inline struct bytes reader_left(const struct reader *in)
{
    return bytes_skip(in->all, in->at);
}

/* Little-endian, as buffer_put_u* writes. */
uint8_t read_u8(struct reader *in);
uint16_t read_u16(struct reader *in);
uint32_t read_u32(struct reader *in);
uint64_t read_u64(struct reader *in);
/* The next n octets, borrowed from the text; empty and bad when there are fewer. */
struct bytes read_bytes(struct reader *in, size_t n);
/* What buffer_put_block wrote. */
struct bytes read_block(struct reader *in);
struct bytes read_rest(struct reader *in);

/* For grammars: the next octet without taking it, or -1 at the end. */
static inline int peek_octet(const struct reader *in)
{
    return in->at < in->all.n ? octet(in->all.at[in->at]) : -1;
}
/* Take c, or the text (ASCII case set aside), when it stands next; else take nothing. */
bool take_char(struct reader *in, char c);
bool take_nocase(struct reader *in, struct bytes text);
/* Take octets while the class says so; returns what was taken, which may be empty. */
struct bytes take_while(struct reader *in, bool (*class)(char));

#endif

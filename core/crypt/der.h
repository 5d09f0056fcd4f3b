/* SPDX-License-Identifier: ISC
 *
 * crypt/der.h: ASN.1 values in the distinguished encoding (X.690), read by a cursor that cannot
 * overrun and written from the inside out.
 *
 * Keys, certificates and lists of revoked ones come from strangers. Only what DER allows is read:
 * lengths are definite, in their shortest form and within what encloses them. A reader takes the
 * elements that its structure names, in order, so nesting goes as deep as the code does.
 */
#ifndef POSTERN_CRYPT_DER_H
#define POSTERN_CRYPT_DER_H

#include "base/buffer.h"
#include "base/bytes.h"

enum der_tag {
    DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BITS = 0x03, DER_OCTETS = 0x04, DER_NULL = 0x05,
    DER_OID = 0x06, DER_UTF8 = 0x0C, DER_PRINTABLE = 0x13, DER_TELETEX = 0x14, DER_IA5 = 0x16,
    DER_UTC_TIME = 0x17, DER_TIME = 0x18, DER_UNIVERSAL = 0x1C, DER_BMP = 0x1E,
    DER_SEQUENCE = 0x30, DER_SET = 0x31,
    DER_CONTEXT_0 = 0xA0, DER_CONTEXT_1 = 0xA1, DER_CONTEXT_2 = 0xA2, DER_CONTEXT_3 = 0xA3,
};

/* A cursor over elements that follow one another. Failure is sticky, as in base/reader.h: an
   element that is not there, or is another, makes it bad and gives an empty slice. */
struct der {
    struct bytes left;
    bool bad;
};

static inline struct der der_of(struct bytes text) { return (struct der){ .left = text }; }
/* All was read and nothing failed. */
static inline bool der_finished(const struct der *in) { return !in->bad && in->left.n == 0; }
/* Does an element of that tag stand next? */
bool der_is(const struct der *in, unsigned tag);
/* Step over the next element, which has that tag. Its content, and its whole, borrow. */
struct bytes der_take(struct der *in, unsigned tag);
struct bytes der_take_whole(struct der *in, unsigned tag);
/* Step over any element; its tag goes to *ret_tag. */
struct bytes der_take_any(struct der *in, unsigned *ret_tag);
/* A cursor over the content of the next element; bad when this one is. */
struct der der_enter(struct der *in, unsigned tag);

/* The content of an INTEGER, checked to be in its shortest form. Two's complement. */
struct bytes der_take_integer(struct der *in);
/* The same for one that is not negative: without the octet that only holds its sign. Zero is one
   octet. */
struct bytes der_take_unsigned(struct der *in);
/* One that is not negative and fits. */
uint64_t der_take_small(struct der *in);
/* The octets of a BIT STRING that has whole octets. */
struct bytes der_take_bits(struct der *in);
/* UTCTime or GeneralizedTime, in UTC as RFC 5280 4.1.2.5 asks; a UTCTime may leave out its
   seconds (RFC 1422). A year of two digits below 50 is of this century. Seconds since 1970. */
int64_t der_take_time(struct der *in);
/* The NULL that stands behind many algorithms, or nothing. */
void der_skip_null(struct der *in);

/* ---- writing. What does not fit makes the buffer bad. */

/* Where an element began: der_end puts its tag and length there and moves the content up. */
static inline size_t der_begin(const struct buffer *to) { return to->n; }
void der_end(struct buffer *to, size_t begun, unsigned tag);
void der_put(struct buffer *to, unsigned tag, struct bytes content);
/* A number that is not negative, given by its octets, most significant first; none are zero. */
void der_put_unsigned(struct buffer *to, struct bytes octets);
void der_put_small(struct buffer *to, uint64_t number);
void der_put_bits(struct buffer *to, struct bytes octets);
/* UTCTime with seconds for the years 1950 to 2049, else GeneralizedTime (RFC 5280, 4.1.2.5). */
void der_put_time(struct buffer *to, int64_t seconds);
static inline void der_put_null(struct buffer *to) { der_put(to, DER_NULL, BYTES_NONE); }

#endif

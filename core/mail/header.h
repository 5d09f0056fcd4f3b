/* SPDX-License-Identifier: ISC
 *
 * mail/header.h: the one reader of header sections (RFC 5322, 2.2 and 4.5); storage, loops, MIME
 * and later signatures all see the same fields. Stands on base; knows no field's meaning but in
 * header_scan.
 *
 * A line ends at LF; a CR before it belongs to the line end, any other CR is text. A field is a
 * line with a name of printable ASCII and a colon, and the lines behind it that begin with space
 * or tab. What is odd is taken as follows, never changed, and named in `flaws`:
 *
 *   "From " or ">From " as first line        (mbox) passed over
 *   space or tab first on the first line     passed over
 *   white space between name and colon       a field (RFC 5322, 4.5.8), the name without it
 *   colon first on a line                    a field with an empty name
 *   no colon; a space, control, NUL or       no field: the section ends before this line and the
 * body   8-bit octet in the name                  begins with it, as if an empty line stood between
 *   a section over LIMIT_HEADER_BYTES        ends there
 *
 * So a text without any header is all body. None of this is a reason to refuse a letter by itself;
 * who refuses, does it by these flaws with 550 5.6.0.
 */
#ifndef POSTERN_MAIL_HEADER_H
#define POSTERN_MAIL_HEADER_H

#include "base/buffer.h"
#include "base/bytes.h"

enum header_flaw {
    HEADER_MBOX_LINE = 1 << 0,
    HEADER_LEADING_SPACE = 1 << 1,
    HEADER_SPACE_BEFORE_COLON = 1 << 2,
    HEADER_EMPTY_NAME = 1 << 3,
    HEADER_NO_COLON = 1 << 4,
    HEADER_BAD_NAME = 1 << 5,
    HEADER_NUL = 1 << 6,            /* in a field's text */
    HEADER_BARE_CR = 1 << 7,
    HEADER_BARE_LF = 1 << 8,
    HEADER_LONG_LINE = 1 << 9,      /* more than 998 octets (RFC 5322, 2.1.1) */
    HEADER_8BIT = 1 << 10,          /* in a field's text: RFC 6532, or a mistake */
    HEADER_TOO_LONG = 1 << 11,
};

struct header_field {
    struct bytes name;      /* as written; lives as `body` does */
    struct bytes body;      /* all behind the colon, folding kept, without the last line end */
    uint64_t at, end;       /* from the start of the section: the field, and behind its line end */
    bool cut;               /* longer than the reader holds: body is its beginning */
};

enum header_step { HEADER_MORE, HEADER_FIELD, HEADER_END };

/* Zero is not ready: header_reader_for. It allocates only for a wanted field that does not lie in
   one piece. What comes out does not depend on where the pieces were cut. */
struct header_reader {
    bool (*wants)(struct bytes name);   /* which fields to yield and hold; NULL: all */
    struct buffer held;         /* the field under way, as far as it came in earlier pieces */
    uint64_t at;                /* octets taken so far */
    uint64_t line_at;           /* where the line under way began */
    uint64_t field_at;          /* where the field under way began */
    uint64_t body_at;           /* after HEADER_END: where the body begins */
    uint64_t flaw_at;           /* where the line of the first flaw began */
    unsigned flaws;             /* enum header_flaw, all that were seen */
    unsigned fields;            /* whole ones so far, wanted or not */
    uint16_t name_n;            /* octets of the name under way, white space behind it left out */
    uint8_t mode;               /* of header.c */
    bool field_open, field_skipped, field_cut;
    bool last_cr;               /* the octet before was CR */
    bool ended;
    bool empty_line;            /* it was an empty line that ended the section */
};

struct header_reader header_reader_for(bool (*wants)(struct bytes name));
/* Forget the section, keep the memory. */
void header_reader_clear(struct header_reader *reader);
void header_reader_done(struct header_reader *reader);

/* Take octets from *piece up to a wanted field's end, the section's end or the piece's end.
   HEADER_FIELD: call again; the field lives until that call, and as long as the piece. HEADER_END:
   what is left in *piece is body; when a line that is no field ended the section, the body began
   before it, at body_at, and `held` has its octets up to *piece. */
enum header_step header_next(struct header_reader *reader, struct bytes *piece,
                             struct header_field *ret_field);
/* The text ended. HEADER_FIELD once when a wanted field was under way, else HEADER_END. */
enum header_step header_finish(struct header_reader *reader, struct header_field *ret_field);

/* The body of a field on one line: line ends of folding taken away, white space at both ends too
   (RFC 5322, 2.2.3). */
void header_unfold(struct buffer *to, struct bytes body);

#endif

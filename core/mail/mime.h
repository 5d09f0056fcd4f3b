/* SPDX-License-Identifier: ISC
 *
 * mail/mime.h: the structure of a letter (RFC 2045, 2046): which octets are whose header and body.
 * It reads a stream, changes nothing, decodes nothing, and recurses nowhere; what it holds is
 * bounded by LIMIT_MIME_DEPTH, LIMIT_MIME_PARTS and MIME_TEXT_MOST. The tree does not depend on
 * how the text was cut.
 *
 * A boundary is a whole line: "--", the boundary, perhaps "--", perhaps white space (RFC 2046,
 * 5.1.1). It counts for the innermost open multipart that has it, closes what is inside, and is
 * looked for in header sections too. What two readers might take in two ways is named in the
 * part's flaws and taken here in one:
 *
 *   two Content-Type fields, two Content-Transfer-Encoding fields   the first counts
 *   a multipart or message that is base64 or quoted-printable       opaque: no parts inside
 *   a multipart without a boundary it could have                     opaque
 *   deeper than the limit, or more parts than the limit              opaque
 */
#ifndef POSTERN_MAIL_MIME_H
#define POSTERN_MAIL_MIME_H

#include "base/arena.h"
#include "base/limits.h"
#include "mail/header.h"

enum mime_coding {
    CODING_7BIT, CODING_8BIT, CODING_BINARY, CODING_QUOTED_PRINTABLE, CODING_BASE64, CODING_UNKNOWN,
};

enum mime_flaw {
    MIME_TWO_TYPES = 1 << 0,
    MIME_TWO_CODINGS = 1 << 1,
    MIME_TWO_BOUNDARIES = 1 << 2,       /* or one told in two ways */
    MIME_NO_BOUNDARY = 1 << 3,          /* none, empty, or longer than MIME_BOUNDARY_MOST */
    MIME_UNKNOWN_CODING = 1 << 4,
    MIME_CODED_COMPOSITE = 1 << 5,      /* a multipart or message/rfc822 not 7bit, 8bit or binary */
    MIME_BAD_TYPE = 1 << 6,             /* Content-Type is there, but no type can be read from it */
    MIME_BAD_HEADER = 1 << 7,           /* a line that is no field ended its section */
    MIME_NOT_CLOSED = 1 << 8,           /* the last boundary never came */
    MIME_NO_PARTS = 1 << 9,             /* a multipart in which no boundary came */
    MIME_TOO_DEEP = 1 << 10,
    MIME_TOO_MANY = 1 << 11,            /* on the multipart whose next part was over the limit */
    MIME_NO_MEMORY = 1 << 12,           /* something could not be kept: what follows is opaque */
};

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };

enum {
    MIME_BOUNDARY_MOST = 250,           /* RFC 2046, 5.1.1, says 70 */
    MIME_TEXT_MOST = 4 * 1024 * 1024,   /* types and dispositions of all parts */
    MIME_NO_PARENT = -1,
};

struct mime_part {
    enum mime_kind kind;
    int32_t parent;             /* index of the multipart or message it lies in */
    uint32_t depth;             /* 0 for the letter itself */
    uint32_t children;
    struct bytes type, subtype; /* in lower case; text/plain, or message/rfc822 in a digest, by
    default */
    struct bytes content_type, disposition;     /* the fields' bodies, for content.h, or empty */
    enum mime_coding coding;
    bool coding_seen, type_seen;    /* the field was there */
    unsigned flaws;             /* enum mime_flaw */
    uint64_t header_at, body_at, end;   /* octets of the letter; the line end before a boundary is
    not                                        the part's */
};

struct mime_open;               /* a part under way; see mime.c */

struct mime {
    struct mime_part *parts;    /* in the order they begin; [0] is the letter */
    uint32_t n, room;
    struct arena texts;
    struct header_reader reader;    /* of the innermost part, while `in_header` */
    struct mime_open *open;     /* the parts under way, outermost first */
    uint32_t depth;             /* how many there are */
    uint32_t boundaries;        /* how many of them wait for a boundary */
    uint64_t at;                /* octets taken */
    uint64_t line_at;           /* where the line under way began */
    uint64_t line_end_at;       /* where the line end before it began */
    char *line;                 /* the beginning of a line that may be a boundary */
    uint32_t line_n;
    bool in_header, line_open, line_held, last_cr;
    bool opaque;                /* nothing more is looked for */
};

/* False when there is no memory; mime_done is well even then. */
MUST_USE bool mime_init(struct mime *mime);
void mime_done(struct mime *mime);
/* Feed it the whole letter, in any pieces. */
void mime_feed(struct mime *mime, struct bytes piece);
/* The letter is over: parts[0 .. n) stand. */
void mime_finish(struct mime *mime);
/* All flaws of all parts. */
unsigned mime_flaws(const struct mime *mime);
/* A flaw in words, for the log: the first of the set; "" for none. */
const char *mime_flaw_name(unsigned flaws);

#endif

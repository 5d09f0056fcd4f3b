/* SPDX-License-Identifier: ISC
 *
 * bounce/returned_int.h: the third part of a report: what is given back of the letter.
 *
 * All of it goes back when it is short or RET=FULL asks so, and when it can stand in a message as
 * it is: lines of at most 998 octets ended by CRLF, no NUL, not the report's own boundary. One with
 * 8-bit octets is made into 7 bits first, unless the report needs SMTPUTF8 anyhow. Else, when that
 * cannot be (it is signed), and with RET=HDRS, its header section goes back; in quoted-printable
 * when that cannot stand as it is. A report of success or delay gives the header back, whatever RET
 * says (RFC 3461, 4.3).
 */
#ifndef POSTERN_BOUNCE_RETURNED_INT_H
#define POSTERN_BOUNCE_RETURNED_INT_H

#include "bounce/report.h"

enum { RETURNED_SHORT_LINE = 76, RETURNED_LONG_LINE = 998 };

struct returned {
    const char *type;           /* of the part */
    struct bytes text;          /* borrows from the letter, or from `made` */
    struct buffer made;
    bool qp, eight_bit;
};

struct returned returned_of(const struct report *report, struct bytes boundary);
void returned_done(struct returned *returned);
/* The part's header and body. */
void returned_put(struct buffer *to, const struct returned *returned);

/* Printable ASCII, tabs and CRLF alone, in lines of at most `most` octets? */
bool returned_is_plain(struct bytes text, size_t most);
/* Quoted-printable (RFC 2045, 6.7) of a text. Line ends other than CRLF are encoded. */
void returned_put_qp(struct buffer *to, struct bytes text);

#endif

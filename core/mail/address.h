/* SPDX-License-Identifier: ISC
 *
 * mail/address.h: a mailbox address of an envelope (RFC 5321, 4.1.2; RFC 6531, 3.3).
 *
 * The local part is kept as it was written, quotes and all, through every layer; two addresses are
 * compared in normal form. Domains are compared as A-labels.
 */
#ifndef POSTERN_MAIL_ADDRESS_H
#define POSTERN_MAIL_ADDRESS_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"

/* The longest normal form: a composed local part can grow, quotes and backslashes may be added. */
enum { ADDRESS_NORMAL_MOST = 8 * LIMIT_LOCAL_PART + 2 + 1 + LIMIT_DOMAIN + LIMIT_ADDRESS };

/* flaw.expected, this very pointer, when the local part is "" in quotes: the grammar allows it,
   nobody can have it, and a reply says 553 5.1.3 rather than 501. */
extern const char ADDRESS_EMPTY_LOCAL[];

/* What is wrong with a text, and where: for replies and for `postern check`. */
struct flaw {
    size_t at;              /* octets from the start of the text */
    const char *expected;   /* what should stand there, in a few words */
};

/* Slices of the text that was read; all empty for the null path "<>". */
struct address {
    struct bytes whole;     /* local "@" domain, as written; for "<Postmaster>" local alone */
    struct bytes local;     /* as written, with its quotes */
    struct bytes domain;    /* as written, without "@"; a literal with its brackets */
    bool quoted;            /* the local part is a Quoted-string */
    bool literal;           /* the domain is an address literal */
    bool utf8;              /* an octet above 127 stands in it: needs SMTPUTF8 */
};

/* A Mailbox, all of the text and nothing else. `allow_utf8`: RFC 6531. On failure ret_address is
   untouched and reterr_flaw (which may be NULL) says what was expected where. */
MUST_USE bool address_parse(struct bytes text, bool allow_utf8, struct address *ret_address,
                            struct flaw *reterr_flaw);

/* A Path as in MAIL FROM and RCPT TO: "<" [ A-d-l ":" ] Mailbox ">", "<>", "<Postmaster>". A source
   route is read and dropped. Reads from the start of the text; *ret_used is what it took. */
MUST_USE bool address_parse_path(struct bytes text, bool allow_utf8, struct address *ret_address,
                                 size_t *ret_used, struct flaw *reterr_flaw);

static inline bool address_is_null(struct address address) { return address.whole.n == 0; }

/* The normal form: quotes and backslashes that change nothing taken away ("\"a\"@b" is a@b), the
   domain in lower case as A-labels (a domain libidn2 refuses: lower case as it stands), a literal
   spelt in one way, UTF-8 composed (NFC). The local part keeps its case, except "postmaster". For
   comparing and for keys only: what is kept and sent is address.whole. Put behind what `to`
   holds. */
void address_put_normal(struct buffer *to, struct address address);
/* Equal in normal form; local parts case-sensitive except "postmaster" (RFC 5321, 2.4,
   4.5.1). */
bool address_equal(struct address a, struct address b);

#endif

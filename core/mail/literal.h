/* SPDX-License-Identifier: ISC
 *
 * mail/literal.h: address literals (RFC 5321, 4.1.3), texts in brackets in place of a domain.
 */
#ifndef POSTERN_MAIL_LITERAL_H
#define POSTERN_MAIL_LITERAL_H

#include "base/buffer.h"
#include "base/bytes.h"

enum literal_kind { LITERAL_IPV4, LITERAL_IPV6, LITERAL_GENERAL };

struct literal {
    enum literal_kind kind;
    uint8_t ip[16];         /* IPv4 mapped (RFC 4291, 2.5.5.2); zeros for LITERAL_GENERAL */
};

/* All of the text, brackets included, in any form of 4.1.3. "IPv6:" must be followed by an IPv6
   address: it is no tag of the general form. */
MUST_USE bool literal_parse(struct bytes text, struct literal *ret_literal);

/* One text for one address, brackets included: as RFC 5952 has it, and the general form in lower
   case. For comparison; text is one that literal_parse took. */
void literal_put_normal(struct buffer *to, struct bytes text);

#endif

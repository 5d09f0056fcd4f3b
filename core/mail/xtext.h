/* SPDX-License-Identifier: ISC
 *
 * mail/xtext.h: the texts of RFC 3461 that travel in parameters, xtext (4) and the address forms of
 * RFC 6533 (3). Stands on base.
 *
 * What is decoded here is printed in reports, so nothing that could break a line may hide in it:
 * a control octet is refused in every form (CVE-2020-28021).
 */
#ifndef POSTERN_MAIL_XTEXT_H
#define POSTERN_MAIL_XTEXT_H

#include "base/buffer.h"

/* RFC 3461, 4:  xtext = *( xchar / hexchar ), hexchar = "+" and two upper case hexadecimal digits.
   True, and what it says behind what `to` holds, when it is well formed and says printable ASCII
   alone; `to` may be NULL. Of a text that is refused something may have been put. */
MUST_USE bool xtext_decode(struct bytes text, struct buffer *to);
/* The same as xtext: what is not an xchar is escaped. */
void xtext_put(struct buffer *to, struct bytes text);

/* An address as an original recipient: "rfc822;" and xtext, or when not all of it is ASCII "utf-8;"
   and utf-8-addr-xtext, which every path takes (RFC 6533, 3). to->bad when it is no UTF-8. */
void orcpt_put(struct buffer *to, struct bytes address);
/* An original recipient (RFC 3461, 4.2):  addr-type ";" xtext. With the type utf-8 the address is
   utf-8-addr-xtext, "\x{...}" for a character, or, where `utf8` allows it, utf-8-addr-unitext (RFC
   6533, 3). The type, ";" and what the address says are put. */
MUST_USE bool orcpt_decode(struct bytes text, bool utf8, struct buffer *to);

#endif

/* SPDX-License-Identifier: ISC
 *
 * mail/domain.h: domain names in their two forms (IDNA2008, RFC 5890 and 5891, with the mapping of
 * UTS 46, non-transitional), by libidn2. Pure: the same text always gives the same answer.
 *
 * A text is at most LIMIT_PATH octets; an A-label form keeps LIMIT_DOMAIN and LIMIT_LABEL.
 */
#ifndef POSTERN_MAIL_DOMAIN_H
#define POSTERN_MAIL_DOMAIN_H

#include "base/buffer.h"
#include "base/bytes.h"

/* The A-label form, in lower case, behind what `to` holds. False, and nothing is put, when the
   text is no domain name of IDNA2008: a character not allowed, a label or name too long, an empty
   label, "xn--" that decodes to nothing, or no memory. One dot at the end is kept. */
MUST_USE bool domain_to_ascii(struct bytes domain, struct buffer *to);
/* The U-label form, for people's eyes only. False as above. */
MUST_USE bool domain_to_unicode(struct bytes domain, struct buffer *to);
/* The form that domains are compared in: A-labels, or where there are none, the text in lower
   case. */
void domain_put_normal(struct bytes domain, struct buffer *to);
/* Equal as A-labels, case set aside. */
bool domain_equal(struct bytes a, struct bytes b);

/* All octets are ASCII letters, digits, hyphens and dots. */
bool domain_is_ldh(struct bytes domain);

#endif

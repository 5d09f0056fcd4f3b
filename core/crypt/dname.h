/* SPDX-License-Identifier: ISC
 *
 * crypt/dname.h: distinguished names (X.501), which certificates give to people and authorities.
 *
 * A name is kept as its DER, a slice. Words in it are a stranger's: who shows them escapes them
 * (base/safe.h).
 */
#ifndef POSTERN_CRYPT_DNAME_H
#define POSTERN_CRYPT_DNAME_H

#include "crypt/der.h"

enum { DNAME_PARTS_MOST = 32, DNAME_MOST = 4096 };

/* One attribute of a name, in the order of the name: country first, person last. */
struct dname_part {
    unsigned level;             /* which RelativeDistinguishedName it belongs to, from 0 */
    struct bytes type;          /* the content of its object identifier */
    unsigned tag;               /* enum der_tag of its value */
    struct bytes value;
};

/* The parts of a name; false when the DER is no name, or has more than DNAME_PARTS_MOST parts or
   DNAME_MOST octets. Slices borrow from the name. No part at all is a name too, the empty one. */
MUST_USE bool dname_read(struct bytes der, struct dname_part ret_parts[static DNAME_PARTS_MOST],
                         size_t *ret_n);

/* The same name? Case, blanks at the ends, the number of blanks inside and which string type
   holds a text do not matter (X.520, caseIgnoreMatch; ASCII letters only). */
bool dname_equal(struct bytes a, struct bytes b);
/* Does `name` begin with all of `above` and go on? RFC 1422, 3.4.2.3, asks that of who is
   certified and of who certifies. */
bool dname_is_below(struct bytes name, struct bytes above);

/* "CN = alice, OU = Persona Certificate, C = US": the person first, as RIPEM writes it. An "=" and
   a "\" inside a value get a "\", so that no value can pass for another attribute. In UTF-8;
   controls are left as they are. */
void dname_put_text(struct bytes der, struct buffer *to);
/* The reverse, of a text a person typed: "CN=..., O=..." with the person first. Types are the
   short names that dname_put_text writes, and dotted numbers are not taken. `old`: strings as
   RFC 1422 knew them (T.61 for what PrintableString cannot hold), else UTF-8. False when the text
   is no name: an unknown type, an empty value, a country that has not two letters. */
MUST_USE bool dname_read_text(struct bytes text, bool old, struct buffer *to);
/* The name that RIPEM gives to a mail address: C=US, O=RSA Data Security, Inc., OU=Persona
   Certificate, CN=address. */
MUST_USE bool dname_persona(struct bytes address, struct buffer *to);

/* The mail address that stands in a name: its emailAddress, else a common name with an "@" in it;
   empty when neither is there. Borrows. */
struct bytes dname_mailbox(struct bytes der);

#endif

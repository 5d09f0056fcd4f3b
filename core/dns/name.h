/* SPDX-License-Identifier: ISC
 *
 * dns/name.h: names of the DNS in its wire form and as text (RFC 1035, 3.1 and 5.1).
 *
 * Stands on base. Names in text are A-labels in lower case without the dot at the end; the root is
 * "". Names are read from the data of records as a resolver hands them on: without compression.
 */
#ifndef POSTERN_DNS_NAME_H
#define POSTERN_DNS_NAME_H

#include "base/buffer.h"
#include "base/reader.h"

enum { DNS_NAME_MOST = 253, DNS_LABEL_MOST = 63 };     /* octets of text (RFC 1035, 2.3.4) */

/* Reads one name; its text behind what `to` holds. Octets other than letters, digits, hyphen and
   underscore are put as \DDD, so that the text never holds a stranger's dot, blank or control
   octet. False: it is cut short, compressed or too long; then nothing was put, and `in` is bad. */
MUST_USE bool dns_name_read(struct reader *in, struct buffer *to);

/* Is the text the name of a host that may be asked for: labels of letters, digits, hyphens and
   underscores, none empty or too long? */
bool dns_name_is_plain(struct bytes text);

#endif

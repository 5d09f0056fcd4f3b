/* SPDX-License-Identifier: ISC
 *
 * dns/provider.h: who runs a mail server, as far as its name says so.
 *
 * Stands on base. A name is no proof: anybody may call a host of his own so below his own domain,
 * but nobody below the domains in the table except who has them.
 */
#ifndef POSTERN_DNS_PROVIDER_H
#define POSTERN_DNS_PROVIDER_H

#include "base/bytes.h"

/* "Google" and the like; "" when the table does not know the name (A-labels, any case, with or
   without the dot at its end). Static. */
const char *provider_of(struct bytes host);

#endif

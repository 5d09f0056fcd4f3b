/* SPDX-License-Identifier: ISC
 *
 * sim/armour.h: both other sides of the TLS of sim/tls_stand_in.h: the same records, as a client of
 * ours, and as a server elsewhere, makes and reads them.
 */
#ifndef POSTERN_SIM_ARMOUR_H
#define POSTERN_SIM_ARMOUR_H

#include "base/buffer.h"
#include "sim/dice.h"

enum armour_said {
    ARMOUR_MORE,        /* nothing is whole yet */
    ARMOUR_READY,       /* the server has signed: say armour_through, then all goes wrapped */
    ARMOUR_TEXT,        /* there is more in `plain` */
    ARMOUR_OVER,        /* a close, an alert, or no record at all */
};

/* The hello, with the name asked for; and: we are through. */
void armour_hello(struct buffer *to, struct bytes name);
void armour_through(struct buffer *to);
/* Text in records of any sizes. */
void armour_wrap(struct buffer *to, struct bytes text, struct dice *dice);
/* One record off the front of `from`. */
enum armour_said armour_take(struct buffer *from, struct buffer *plain);

/* The server's side: its certificate, the answer to a hello; and one record off the front of
   `from`: READY is a hello, of which the name does not matter here. */
void armour_certificate(struct buffer *to, struct bytes certificate);
enum armour_said armour_take_served(struct buffer *from, struct buffer *plain);

#endif

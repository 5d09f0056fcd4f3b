/* SPDX-License-Identifier: ISC
 *
 * bounce/mbox.h: the messages of an mbox (RFC 4155), from a file of any size through a window of
 * fixed size. Stands on base.
 *
 * A line that begins with "From " begins a message; ">From " stays as it is. What does not fit the
 * window is left out: the reader gets a message's start, and the rest is skipped. Reports have all
 * that matters at their start.
 */
#ifndef POSTERN_BOUNCE_MBOX_H
#define POSTERN_BOUNCE_MBOX_H

#include "base/bytes.h"

struct mbox {
    bool skipping;              /* the rest of a message that was too long */
    size_t seen;                /* of the window's octets, without a new message's start */
};

enum mbox_answer {
    MBOX_MESSAGE,               /* *ret_message; drop *ret_used octets of the window */
    MBOX_DROP,                  /* no message: drop *ret_used octets and ask again */
    MBOX_MORE,                  /* read more into the window */
    MBOX_END,
};

/* What the window begins with. `full`: it cannot grow. `whole`: the file ends with it. Begin with
   an empty struct. Borrows from the window. */
enum mbox_answer mbox_next(struct mbox *mbox, struct bytes window, bool full, bool whole,
                           struct bytes *ret_message, size_t *ret_used);

#endif

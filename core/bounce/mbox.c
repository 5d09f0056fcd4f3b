/* SPDX-License-Identifier: ISC */
#include "bounce/mbox.h"

static const struct bytes mark = BYTES_INIT("\nFrom ");

/* The start of the next message behind the first octet, or window.n. */
static size_t next_start(struct bytes window, size_t from)
{
    size_t at = from + bytes_search(bytes_skip(window, from), mark);

    return at < window.n ? at + 1 : window.n;
}

enum mbox_answer mbox_next(struct mbox *mbox, struct bytes window, bool full, bool whole,
                           struct bytes *ret_message, size_t *ret_used)
{
    size_t start = next_start(window, mbox->seen < window.n ? mbox->seen : window.n);
    bool found = start < window.n, was_skipping = mbox->skipping;

    if (window.n == 0 && whole)
        return MBOX_END;
    if (!found && !full && !whole) {
        mbox->seen = window.n > mark.n ? window.n - mark.n : 0;
        return MBOX_MORE;
    }
    /* the last octets may be the start of a mark */
    *ret_used = found || whole || window.n <= mark.n ? start : window.n - mark.n;
    *ret_message = bytes_first(window, *ret_used);
    mbox->seen = 0;
    mbox->skipping = !found && !whole;
    return was_skipping ? MBOX_DROP : MBOX_MESSAGE;
}

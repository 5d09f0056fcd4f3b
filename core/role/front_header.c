/* SPDX-License-Identifier: ISC
 *
 * role/front_header.c: what is read of a letter's header while its text passes by.
 */
#include "role/front_int.h"

/* What no later reader could be trusted to take as we do; all else that is odd is kept as it came
   (mail/header.h says how each is read). */
enum {
    REFUSED_FLAWS = HEADER_NUL | HEADER_BARE_CR | HEADER_BARE_LF | HEADER_TOO_LONG,
};

/* Our own Delivered-To for one of these recipients: it was here before (SRV-102). */
static bool was_here(const struct header_scan *scan, const struct session *session)
{
    size_t n = scan->delivered == 0 ? 0 : smtp_server_recipients(session->smtp);

    for (size_t i = 0; i < n; i++)
        if (header_scan_was_delivered_to(scan, smtp_server_recipient(session->smtp, i)))
            return true;
    return false;
}

enum smtp_verdict header_verdict(struct front *front, struct letter *letter,
                                const struct session *session)
{
    struct header_scan *scan = &letter->header;

    header_scan_finish(scan);
    if (scan->received > LIMIT_RECEIVED_FIELDS || was_here(scan, session)
        || (scan->delivered > 0 && alias_was_here(front, session, scan)))
        return SMTP_LOOP;
    if ((scan->reader.flaws & REFUSED_FLAWS) != 0)
        return SMTP_BAD_HEADER;
    return SMTP_YES;
}

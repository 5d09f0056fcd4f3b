/* SPDX-License-Identifier: ISC
 *
 * bounce/cover.h: our card in front of a bounce that arrives for somebody here: a new message whose
 * first part is the card, in text and HTML, and whose second is the bounce as it came, octet for
 * octet. Stands on base and mail.
 *
 * A bounce is easily forged. The card tells what it says only when it names a letter that somebody
 * knows to have been sent from here; else it says that this cannot be confirmed, and holds no word,
 * address or link of it.
 */
#ifndef POSTERN_BOUNCE_COVER_H
#define POSTERN_BOUNCE_COVER_H

#include "base/buffer.h"
#include "bounce/rules.h"
#include "mail/envelope.h"

enum {
    COVER_LETTER_MOST = 256 * 1024,     /* larger letters get none */
    COVER_PARTS_MOST = 160 * 1024,      /* what stands around one */
};

/* By what is known before its text came: from the null sender or a MAILER-DAEMON, and no report of
   our own, which has its card. Anything else need not be looked at. */
bool cover_may(const struct envelope *envelope);

/* Is that letter (its text as it came, lines with CRLF) a bounce, a notice of failure or delay,
   that gets one? Not when it is signed as a whole: multipart/signed (RFC 1847) or CMS (RFC 8551).
   What it names the letter by is put behind `ret_message_id` (without brackets) and `ret_envid`
   (Original-Envelope-Id, RFC 3464, 2.2.1); nothing, where it says nothing that could be. */
bool cover_wanted(const struct rules *rules, struct bytes text, struct buffer *ret_message_id,
                  struct buffer *ret_envid);

struct cover {
    const struct envelope *envelope;    /* of the bounce */
    struct bytes recipient;             /* whose copy it is, and its number in the letter */
    uint32_t number;
    uint64_t letter;                    /* its id */
    struct bytes text;
    bool known;                         /* it names a letter of that recipient's */
};

/* The whole new message, with CRLF, behind what `to` holds; to->bad when it does not fit or memory
   is short. The same facts give the same octets. */
void cover_put(struct buffer *to, const struct rules *rules, const struct cover *cover);

#endif

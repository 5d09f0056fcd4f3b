/* SPDX-License-Identifier: ISC
 *
 * smtp/outbox.h: replies in the order of the commands, with holes for letters not yet on the disk.
 *
 * Stands on base and mail. A letter that is whole but not settled leaves a hole; what is said
 * after it waits. Holes may be filled in any order; each leaves when all before it are filled.
 *
 *   sent | may be sent (`out`) | hole | said behind it | hole | said behind it      (`held`)
 */
#ifndef POSTERN_SMTP_OUTBOX_H
#define POSTERN_SMTP_OUTBOX_H

#include "base/buffer.h"
#include "smtp/reply.h"
#include "smtp/server.h"

struct hole;

struct outbox {
    struct buffer out, held;
    uint64_t held_from;         /* the place of held.at[0] among all octets ever held */
    struct hole *ring;
    uint32_t room, first, count;
    bool hushed;                /* a letter's fate is unknown: nothing from its hole on is sent */
    bool shut;                  /* that hole is the next: nothing will be sent at all */
};

struct outbox outbox_none(void);
void outbox_done(struct outbox *outbox);

/* The next reply, whole or (then the outbox is broken) not at all. */
void outbox_say(struct outbox *outbox, enum reply reply, struct reply_words words);
/* The same for a text of several lines, each with its CRLF; `text` is ours. */
void outbox_say_text(struct outbox *outbox, struct bytes text);
/* The next reply is that of the letter `token`. False when there is no memory for the hole. */
MUST_USE bool outbox_hole(struct outbox *outbox, uint32_t token);
/* Fill it. Unknown tokens are passed over. */
void outbox_fill(struct outbox *outbox, uint32_t token, enum smtp_verdict verdict, struct bytes id);

/* Another command may be taken: none of the bounds is near. */
bool outbox_has_room(const struct outbox *outbox);
/* A reply was lost for want of memory: the session cannot be answered rightly any more. */
static inline bool outbox_broken(const struct outbox *outbox)
{
    return outbox->out.bad || outbox->held.bad;
}
/* What may be sent was sent. */
void outbox_sent(struct outbox *outbox);

#endif

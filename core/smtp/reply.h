/* SPDX-License-Identifier: ISC
 *
 * smtp/reply.h: the replies of the server machine, all made from reply.def.
 *
 * Stands on base and mail.
 */
#ifndef POSTERN_SMTP_REPLY_H
#define POSTERN_SMTP_REPLY_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "mail/status.h"
#include "smtp/reply.def"

enum reply {
    REPLY_NONE,
#define REPLY_ENUM_R(NAME, basic, class, subject, detail, text) REPLY_##NAME,
#define REPLY_ENUM_P(NAME, basic, text) REPLY_##NAME,
    REPLY_LIST(REPLY_ENUM_R, REPLY_ENUM_P)
#undef REPLY_ENUM_R
#undef REPLY_ENUM_P
    REPLY_COUNT
};

/* What a reply's "{}" and "#" stand for. */
struct reply_words {
    struct bytes word;
    uint64_t number;
};

#define NO_WORDS ((struct reply_words){ .word = BYTES_NONE })

unsigned reply_basic(enum reply reply);
/* All zero when it has none. */
struct status_code reply_code(enum reply reply);
/* One line, its CRLF included. */
void reply_put(struct buffer *to, enum reply reply, struct reply_words words);

#endif

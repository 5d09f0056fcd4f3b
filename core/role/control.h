/* SPDX-License-Identifier: ISC
 *
 * role/control.h: what passes on the control socket, between a command and the admin role.
 *
 *   request = u32 length, then `length` octets: words, each ended by NUL (the last one too)
 *   answer  = *( u32 length, u8 kind, length - 1 octets )       ; the last frame is CONTROL_EXIT
 *
 * Numbers are little-endian. A length is 1 .. LIMIT_CONTROL_FRAME; anything else is a flaw, and
 * the connection is closed. One request a connection.
 */
#ifndef POSTERN_ROLE_CONTROL_H
#define POSTERN_ROLE_CONTROL_H

#include "base/buffer.h"
#include "base/limits.h"

enum { CONTROL_LENGTH = 4, CONTROL_WORDS_MOST = 40 };

enum control_kind {
    CONTROL_OUT = 1,        /* for standard output */
    CONTROL_ERR,            /* for standard error */
    CONTROL_EXIT,           /* one octet: the exit status; nothing follows */
};

enum control_took { CONTROL_TOOK, CONTROL_NEEDS_MORE, CONTROL_FLAW };

/* A request; to->bad when it would be too long. */
void control_put_request(struct buffer *to, const struct bytes *words, size_t n);
/* The words of a request that begins the text; slices borrow. FLAW: a length or a word that
   cannot be, or octets behind the request. */
enum control_took control_take_request(struct bytes text,
                                       struct bytes ret_words[static CONTROL_WORDS_MOST],
                                       size_t *ret_n);

/* The octets as frames of that kind, as many as are needed; none for no octets. */
void control_put(struct buffer *to, enum control_kind kind, struct bytes octets);
void control_put_exit(struct buffer *to, int status);

struct control_frame {
    enum control_kind kind;
    struct bytes octets;        /* borrowed */
    uint8_t status;             /* EXIT */
};
/* The first frame of the text; *ret_used is what it took. */
enum control_took control_take(struct bytes text, struct control_frame *ret_frame,
                               size_t *ret_used);

#endif

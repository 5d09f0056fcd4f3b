/* SPDX-License-Identifier: ISC
 *
 * role/wire.h: the messages between roles, all from wire.def.
 *
 * A sibling process is a stranger: what it sends is read with a reader, and a frame that does not
 * read, or that is not allowed on its channel, is a flaw: the world closes that channel. It never
 * meets an assert.
 */
#ifndef POSTERN_ROLE_WIRE_H
#define POSTERN_ROLE_WIRE_H

#include "base/effects.h"
#include "role/wire.def"

enum wire_kind {
    WIRE_NOTHING = 0,
#define M(NAME, name) WIRE_##NAME##_MESSAGE,
    WIRE_LIST(M)
#undef M
    WIRE_KINDS
};

typedef uint8_t wire_u8;
typedef uint16_t wire_u16;
typedef uint32_t wire_u32;
typedef uint64_t wire_u64;
typedef struct bytes wire_bytes;
typedef struct bytes wire_tail;

/* struct wire_letter_taken { uint32_t token; uint64_t id; } and so on. Slices borrow from the
   frame. */
#define F(type, field) wire_##type field;
#define M(NAME, name) struct wire_##name { WIRE_##NAME(F) };
WIRE_LIST(M)
#undef M
#undef F

/* The kind of a frame; WIRE_NOTHING when it is empty or of no known kind. */
enum wire_kind wire_kind_of(struct bytes frame);
/* Its name, for logs. */
const char *wire_name(enum wire_kind kind);
/* May `from` send this kind to `to`? */
bool wire_allowed(enum wire_kind kind, enum role_kind from, enum role_kind to);

/* wire_read_NAME: the fields of a frame of that kind; false when it does not read to its very end.
   wire_tell_NAME: send one; a tail is sent from where it lies: it must live until the next step. */
#define M(NAME, name)                                                                      \
    MUST_USE bool wire_read_##name(struct bytes frame, struct wire_##name *ret_message);   \
    void wire_tell_##name(struct effects *fx, struct role_name to,                         \
                          const struct wire_##name *message);
WIRE_LIST(M)
#undef M

/* Octets of a frame that are left for a tail, when the other fields are short. */
enum { WIRE_TAIL_MOST = 60 * 1024 };

/* Why the store refuses a letter. */
enum refusal {
    REFUSED_NOT_NOW = 1,    /* 451 4.3.0: the disk failed; nothing is kept */
    REFUSED_NO_SPACE,       /* 452 4.3.1 */
    REFUSED_TOO_LARGE,      /* 552 5.3.4 */
    REFUSED_UNKNOWN,        /* it cannot be known whether it was kept: close without a word */
};

/* The kinds of key of WIRE_TRACE_ASK. */
enum trace_by {
    TRACE_BY_ID = 1, TRACE_BY_MESSAGE_ID, TRACE_BY_ADDRESS, TRACE_BY_TLS,
    TRACE_BY_ENVID,     /* what ENVID= said (RFC 3461, 4.4), decoded */
};
/* What WIRE_TLS_NEWS and WIRE_TLS_ROW tell. */
enum tls_news { TLS_NEWS_FAILED = 1, TLS_NEWS_NAME };
/* Of a HOLD_ORDER. */
enum hold_result {
    HOLD_WELL, HOLD_NOT_NOW,
    HOLD_NOT_CERTAIN,       /* writing it failed: look again */
    HOLD_NOT_THERE,         /* it was not suspended */
    HOLD_TOO_MANY,
};

/* Outcomes of WIRE_JOB_RESULT. */
enum job_outcome {
    JOB_DELIVERED = 1, JOB_LATER, JOB_FAILED,
    JOB_BUSY,       /* it was not even begun: not now, and this was no attempt */
    JOB_WAITS,      /* later, however old the letter becomes */
    JOB_RELAYED,    /* taken by a server elsewhere that reports of nothing (RFC 3461, 5.2.2) */
    JOB_PASSED,     /* and by one that reports itself as the sender asked (5.2.1) */
    JOB_TRACED,     /* by one elsewhere, and the sender who set a time hears that (RFC 2852) */
};
/* States of WIRE_STORE_STATE. */
enum store_state { STORE_CLOSED, STORE_OPEN, STORE_LOW, STORE_READ_ONLY };
/* Verdicts of WIRE_MAILBOX_IS. */
enum mailbox_is { MAILBOX_NO, MAILBOX_YES, MAILBOX_UNKNOWN };

#endif

/* SPDX-License-Identifier: ISC
 *
 * host/testing_role.h: a small role that does what a test tells it to, and remembers what it was
 * told.
 */
#ifndef POSTERN_HOST_TESTING_ROLE_H
#define POSTERN_HOST_TESTING_ROLE_H

#include "host/conn.h"
#include "role/role.h"

struct testing_role {
    /* what it saw */
    unsigned seen[EV_CHILD + 1];
    struct event last, accepted;
    size_t octets, of[128];     /* EV_BYTES, all and by connection */
    uint64_t io_token;
    char io_text[64];
    char told[256];             /* of each frame its peer, and the octets after its kind */
    char peers[256];            /* + and - with the peer's kind and index, for up and down */

    /* what it does: on each EV_BYTES the next letter of `wants` ("*": the last one for ever): e
       echo (also when there is none), n nothing, P pause, C "!" and close, A abort */
    const char *wants;
    size_t answer;              /* octets to send in place of an echo */
    const char *on_end;         /* on EV_END: send this and close; NULL: close */
    bool resume;                /* on EV_ALARM: resume connection 0 */
    struct io io;               /* on EV_ALARM, when its token is not 0 */
    bool out_of_memory;
};

extern const struct role_ops testing_ops;

/* Listen on a free port of that family's loopback; the port, or -1 when there is no such family. */
int testing_listen(struct conns *conns, int family, uint32_t index);
/* On 127.0.0.1, but -1 when the role cannot take it. */
int testing_listen_softly(struct conns *conns);
int testing_connect(int port);
int testing_connect6(int port);

#endif

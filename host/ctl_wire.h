/* SPDX-License-Identifier: ISC
 *
 * host/ctl_wire.h: one connection to a server as a command has it: octets out and in, in clear or
 * inside TLS, each step with an end in time.
 */
#ifndef POSTERN_HOST_CTL_WIRE_H
#define POSTERN_HOST_CTL_WIRE_H

#include "crypt/tls_client.h"

#include <sys/socket.h>

struct ctl_wire {
    int fd;                     /* -1: not connected */
    struct tls *tls;            /* NULL: in clear */
    struct buffer in;           /* what came, plain, until the caller takes it */
    struct buffer raw;          /* what came while we were sending */
    struct buffer words;        /* after GONE: why */
};

enum wire_said { WIRE_WELL, WIRE_LATE, WIRE_GONE };

/* Microseconds of a clock that never goes back. */
uint64_t ctl_now_us(void);

struct ctl_wire ctl_wire_none(void);
/* Connect, until that moment. */
MUST_USE enum wire_said ctl_wire_dial(struct ctl_wire *wire, const struct sockaddr *to, socklen_t n,
                                      uint64_t until_us);
void ctl_wire_close(struct ctl_wire *wire);

/* All of the octets; each time that some were taken, patience begins anew. Who hears nothing may
   have said something: after GONE still read. */
MUST_USE enum wire_said ctl_wire_send(struct ctl_wire *wire, struct bytes octets,
                                      uint64_t patience_us);
/* Wait for more in wire->in. */
MUST_USE enum wire_said ctl_wire_read(struct ctl_wire *wire, uint64_t until_us);
/* Make a handshake; wire->tls tells of it, also when it failed. */
MUST_USE enum wire_said ctl_wire_secure(struct ctl_wire *wire, struct tls_context *context,
                                        const struct tls_want *want, uint64_t until_us);

#endif

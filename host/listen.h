/* SPDX-License-Identifier: ISC
 *
 * host/listen.h: the sockets a server listens on, made before anything else runs.
 *
 * Every front has a socket of its own for each address (SO_REUSEPORT). master keeps them all
 * open, so what waits in the backlog of a front that died is there for the next.
 */
#ifndef POSTERN_HOST_LISTEN_H
#define POSTERN_HOST_LISTEN_H

#include "base/buffer.h"
#include "plan/conf.h"

#include "base/event.h"

enum {
    LISTEN_BACKLOG = 1024,
    LISTEN_MOST = 64,           /* sockets of one front */
    LISTEN_SUBMIT = 1 << 20,    /* in place of an entry: the socket `submit` */
};

struct listen_set {
    size_t n;
    int fds[LISTEN_MOST];
    uint32_t entries[LISTEN_MOST];      /* which entry of the setting each comes from */
};

/* Read ADDRESS:PORT, [IPV6]:PORT or *:PORT: how many addresses it stands for (*: IPv4, then
   IPv6), 0 when it is none of these. */
unsigned listen_parse(struct bytes entry, struct net_address ret_addresses[static 2]);

/* A set for each of `copies` fronts. False: nothing is left open, and a line in reterr_words says
   which entry it was and why. */
MUST_USE bool listen_open(struct conf_texts entries, size_t copies, struct listen_set *ret_sets,
                          struct buffer *reterr_words);
/* From the entries of `before` to those of `after`, all or nothing: a socket whose entry stays is
   kept, a new one is made, the others are closed. False: as listen_open, and all stays. */
MUST_USE bool listen_change(struct conf_texts before, struct conf_texts after, size_t copies,
                            struct listen_set *sets, struct buffer *reterr_words);
void listen_close(struct listen_set *sets, size_t copies);

/* The unix socket at this path, mode 0660, its folder made. A socket that nobody answers is
   replaced. -1: a line in reterr_words says why. */
MUST_USE int listen_control(struct bytes path, struct buffer *reterr_words);

/* The same, mode 0666: anybody may connect. */
MUST_USE int listen_submit(struct bytes path, struct buffer *reterr_words);

/* The same for one entry of `web`: a socket on a path (its mode 0660) or a loopback address. */
MUST_USE int listen_web(const struct conf_web *web, struct bytes entry,
                        struct buffer *reterr_words);

#endif

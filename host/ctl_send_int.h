/* SPDX-License-Identifier: ISC
 *
 * host/ctl_send_int.h: what the files of postern send share.
 *
 *   ctl_send.c        its words, its files, one server after the other
 *   ctl_send_line.c   one connection: what role/once_send.h asks for is done
 *   ctl_send_route.c  which servers
 */
#ifndef POSTERN_HOST_CTL_SEND_INT_H
#define POSTERN_HOST_CTL_SEND_INT_H

#include "host/address.h"
#include "host/ctl_int.h"
#include "host/ctl_wire.h"
#include "role/once_send.h"

enum { SEND_TARGETS_MOST = 100, SEND_NAME_ROOM = 256, SEND_TLSA_MOST = 100 };

/* An address of a server. */
struct send_target {
    char name[SEND_NAME_ROOM];          /* as it was asked for */
    char shown[SEND_NAME_ROOM];         /* its address as text; "" for a unix socket */
    unsigned port;
    struct address_buffer address;
    bool near;                          /* nobody sits between */
    struct bytes tlsa;                  /* records that may prove it, each a block */
};

struct sending {
    struct send_order order;
    const char *conf_path;
    struct send_means means;
    struct sender *sender;
    struct tls_context *tls;
    struct send_target targets[SEND_TARGETS_MOST];
    size_t targets_n;
    char host[SEND_NAME_ROOM], from[SEND_NAME_ROOM + 16];
    struct buffer text, script, password, authorities;
    struct buffer tlsa[SEND_TARGETS_MOST];      /* what targets' slices borrow from */
    struct buffer why;                  /* no target: in words, and the exit status */
    int why_status;
};

/* ctl_send_route.c. Fills targets; none: `why` says why not. EX_OK, or EX_USAGE and the like with
   words on standard error. */
MUST_USE int send_find_targets(struct sending *sending);
void send_say_target(struct send_target *target, const struct sockaddr *to, socklen_t n);

/* ctl_send_line.c. False: the next target may be tried. */
void send_show(struct sending *sending);
bool send_talk(struct sending *sending, const struct send_target *target);

#endif

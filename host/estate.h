/* SPDX-License-Identifier: ISC
 *
 * host/estate.h: what a whole server holds of this machine, and the share of each role.
 *
 * master makes all of it before anything else runs, with the rights it was started with.
 */
#ifndef POSTERN_HOST_ESTATE_H
#define POSTERN_HOST_ESTATE_H

#include "host/actor.h"
#include "host/box.h"
#include "host/conf_file.h"
#include "host/home.h"
#include "host/listen.h"
#include "host/users.h"

struct estate {
    const struct conf *conf;    /* borrowed; `fronts` is the number there shall be */
    struct conf_file *file;     /* borrowed: where conf is from; NULL: it cannot be reloaded */
    struct conf_file *before;   /* host/reload.h */
    bool together;              /* all roles in one process */
    struct log_sink *log;       /* borrowed */
    const struct role_ops *(*ops_of)(enum role_kind kind);
    struct listen_set fronts[LIMIT_FRONTS];
    int control_fd, submit_fd, spool_fd, mail_fd, keys_fd;
    struct buffer anchor;       /* the keys of the root of the DNS, as their file has them */
    int web_fds[HTTP_LISTEN_MOST];
    size_t n_web;
    bool by_users;              /* each role runs as a user of its own */
    struct user users[ROLE_KINDS];
    const struct home *home;    /* of a child that is a system user, once it is known */
};

/* Open all of it. 0, or an exit status of sysexits.h and in reterr_words why, in whole lines. */
MUST_USE int estate_open(struct estate *estate, const struct conf *conf, struct log_sink *log,
                         struct buffer *reterr_words);
/* How many fronts there shall be. */
uint64_t estate_fronts(const struct conf *conf, bool together);
/* The control socket's name goes too. */
void estate_close(struct estate *estate);
/* Lines that say where it listens. */
void estate_log(const struct estate *estate);

/* Give the role what its row of rights.def says. False: it cannot live. */
MUST_USE bool estate_equip(const struct estate *estate, struct actor *actor);
/* The box of its process, not entered yet. */
struct box estate_box(const struct estate *estate, enum role_kind kind);
/* The descriptors of the role's share, for a process that closes all others; at most LISTEN_MOST
   + 3 + HTTP_LISTEN_MOST. */
size_t estate_share(const struct estate *estate, struct role_name role, int *ret_fds);

#endif

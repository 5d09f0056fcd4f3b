/* SPDX-License-Identifier: ISC
 *
 * role/rights.h: rights.def as a table. A world gives a role what its row says,
 * and nothing besides.
 */
#ifndef POSTERN_ROLE_RIGHTS_H
#define POSTERN_ROLE_RIGHTS_H

#include "base/event.h"

enum right {
    MAY_BIND = 1,       /* make listening sockets, before anything else runs */
    MAY_FORK = 2,       /* start, end and reap the others */
    MAY_SMTP = 4,       /* accept on the sockets of `listen`; receive and send */
    MAY_SPOOL = 8,      /* files below the spool */
    MAY_MAIL = 16,      /* files below the mail root */
    MAY_CONTROL = 32,   /* accept on the control socket */
    MAY_CONNECT = 64,   /* connect to mail servers, by unix socket and TCP; receive and send */
    MAY_FOREIGN = 256,  /* other people's libraries run in it: a forbidden call fails there, and
                           does not end the process */
    MAY_KEYS = 512,     /* read the folder of `certificates` */
    MAY_WEB = 1024,     /* answer over HTTP on the sockets of `web` */
    MAY_DNS = 4096,     /* ask the DNS: sockets of its own, UDP too */
    MAY_FETCH = 8192,   /* connect to web servers, by TCP; receive and send */
    MAY_HOME = 2048,    /* be a system user: files below that one's home */
};

struct role_rights {
    const char *name;       /* "front" */
    unsigned may;           /* enum right, together */
    unsigned lanes;         /* host threads for files; 0: it has no files */
    const char *holds;
};

/* The row of that kind. */
const struct role_rights *rights_of(enum role_kind kind);
/* Is there a channel between the two? The order does not matter. */
bool rights_talk(enum role_kind a, enum role_kind b);

#endif

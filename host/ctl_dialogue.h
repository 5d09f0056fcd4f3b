/* SPDX-License-Identifier: ISC
 *
 * host/ctl_dialogue.h: one SMTP connection to our own server, as sendmail needs it: lines out,
 * replies in, both shown. A client for any server is role/once_send.h.
 */
#ifndef POSTERN_HOST_CTL_DIALOGUE_H
#define POSTERN_HOST_CTL_DIALOGUE_H

#include "base/buffer.h"

#include <stdio.h>

enum { DIALOGUE_REPLY_MOST = 64 * 1024 };

struct dialogue {
    int fd;
    FILE *shown;            /* where each line is shown, a stranger's escaped; NULL: nowhere */
    struct buffer in;
    struct buffer reply;    /* the lines of the last reply without their codes, each ended by LF */
};

/* On a connection that is there; it is the dialogue's from now on. */
void dialogue_begin(struct dialogue *dialogue, int fd, FILE *shown);
void dialogue_close(struct dialogue *dialogue);
/* A line, CRLF is added. False: the connection is gone. */
MUST_USE bool dialogue_line(struct dialogue *dialogue, struct bytes line);
/* Octets as they are, shown as their number. */
MUST_USE bool dialogue_text(struct dialogue *dialogue, struct bytes text);
/* The code of the next whole reply (RFC 5321, 4.2.1), or -1: none came, or it is none. */
int dialogue_reply(struct dialogue *dialogue);

#endif

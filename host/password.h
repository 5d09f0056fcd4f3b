/* SPDX-License-Identifier: ISC
 *
 * host/password.h: a pass phrase from a terminal without echo, a file or a descriptor. Never from
 * the command line or the environment, which others can read.
 */
#ifndef POSTERN_HOST_PASSWORD_H
#define POSTERN_HOST_PASSWORD_H

#include "base/buffer.h"

struct password_from {
    const char *file;           /* its first line; NULL: not given */
    int fd;                     /* its first line; -1: not given */
};

/* The pass phrase into *ret_password, which is begun here and wiped by password_done. `prompt` is
   shown on the terminal; `twice` asks again there and compares. 0, or an exit status, and the
   reason on standard error. */
MUST_USE int password_read(const struct password_from *from, const char *prompt, bool twice,
                           struct buffer *ret_password);
void password_done(struct buffer *password);

#endif

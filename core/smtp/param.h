/* SPDX-License-Identifier: ISC
 *
 * smtp/param.h: the parameters behind the address of MAIL and RCPT. Stands on base and mail.
 */
#ifndef POSTERN_SMTP_PARAM_H
#define POSTERN_SMTP_PARAM_H

#include "base/bytes.h"
#include "mail/envelope.h"
#include "smtp/reply.h"

struct mail_params {
    uint64_t size;              /* SIZE=; UINT64_MAX when it does not fit 64 bits; 0: not given */
    enum body_kind body;
    bool utf8;
};

/* Read what stands behind the closing ">". REPLY_NONE when all is well; else the refusal, and
   *ret_keyword is our own word for the parameter it speaks of. */
enum reply mail_params_parse(struct bytes text, struct mail_params *ret_params,
                             struct bytes *ret_keyword);
/* RCPT has no parameter yet: any is refused. */
enum reply rcpt_params_parse(struct bytes text);

#endif

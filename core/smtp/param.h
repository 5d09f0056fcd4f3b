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
    bool require_tls;           /* RFC 8689 */
    enum dsn_ret ret;
    struct bytes envid;         /* as written, checked; borrows from the command line */
    enum by_mode by;            /* RFC 2852 */
    bool by_trace;
    int32_t by_s;               /* from the MAIL command on; above 0 with BY_RETURN */
    int8_t priority;            /* RFC 6710, -9 .. 9 */
    uint32_t recipe;            /* octets of it in front of the raw form; 0: the text is itself */
};

struct rcpt_params {
    uint8_t notify;             /* enum dsn_notify */
    struct bytes orcpt;         /* as written, checked; borrows from the command line */
};

/* Read what stands behind the closing ">". REPLY_NONE when all is well; else the refusal, and
   *ret_keyword is our own word for the parameter it speaks of. */
enum reply mail_params_parse(struct bytes text, struct mail_params *ret_params,
                             struct bytes *ret_keyword);
/* The same for RCPT; `utf8`: the letter's MAIL had SMTPUTF8. */
enum reply rcpt_params_parse(struct bytes text, bool utf8, struct rcpt_params *ret_params,
                             struct bytes *ret_keyword);

#endif

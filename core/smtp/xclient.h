/* SPDX-License-Identifier: ISC
 *
 * smtp/xclient.h: the argument of XCLIENT, by which a proxy in front of us names its client
 * (Postfix's XCLIENT_README; nginx speaks it too).
 *
 *   argument  = attribute *( SP attribute )
 *   attribute = ( "NAME" / "ADDR" / "PORT" / "PROTO" / "HELO" / "LOGIN" / "DESTADDR" / "DESTPORT" )
 *               "=" ( xtext / "[UNAVAILABLE]" / "[TEMPUNAVAIL]" )
 */
#ifndef POSTERN_SMTP_XCLIENT_H
#define POSTERN_SMTP_XCLIENT_H

#include "base/buffer.h"

#define XCLIENT_ATTRIBUTES "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"

struct xclient {
    bool has_ip, has_port, has_helo, has_proto;
    bool esmtp;             /* when has_proto */
    uint8_t ip[16];         /* IPv4 mapped */
    uint16_t port;
};

/* The whole argument. `helo` gets the decoded HELO, unjudged; NAME, LOGIN and DESTADDR are checked
   and left. False: not well formed; ret_xclient is untouched. */
MUST_USE bool xclient_parse(struct bytes argument, struct buffer *helo,
                            struct xclient *ret_xclient);

#endif

/* SPDX-License-Identifier: ISC */
#include "base/limits.h"
#include "smtp/server_int.h"

/* All that the client before it did is not this one's. A name given with HELO stands for the EHLO
   that the proxy has seen already. */
static void begin_anew(struct smtp_server *server, const struct xclient *xclient)
{
    server->xclient = *xclient;
    server_reset(server, xclient->has_helo ? STATE_READY : STATE_NEW);
    server->errors = server->junk = server->bad_recipients = 0;
    server->data_refused = false;
    server->esmtp = xclient->has_helo && (!xclient->has_proto || xclient->esmtp);
    server->note.reply = 220;
    server->due |= DUE_NOTE | DUE_XCLIENT;
    server->mode = MODE_UNGREETED;
}

void run_xclient(struct smtp_server *server, struct bytes argument)
{
    struct buffer helo = buffer_with_most(LIMIT_DOMAIN);
    struct xclient xclient;

    if (!server->settings->xclient) {
        run_not_offered(server, argument);
    } else if (server->state != STATE_NEW && server->state != STATE_READY) {
        server_refuse(server, REPLY_NESTED_MAIL, NO_WORDS);
    } else if (!xclient_parse(argument, &helo, &xclient)
               || (xclient.has_helo && !server_is_name(buffer_bytes(&helo)))) {
        server_refuse(server, REPLY_BAD_XCLIENT, NO_WORDS);
    } else {
        buffer_done(&server->helo);
        server->helo = helo;
        begin_anew(server, &xclient);
        return;
    }
    buffer_done(&helo);
}

const struct xclient *smtp_server_xclient(const struct smtp_server *server)
{
    return &server->xclient;
}

/* SPDX-License-Identifier: ISC */
#include "smtp/client.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first octet cuts the rest into pieces; two letters of two recipients. Each gets one result a
   recipient, whatever the server says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum client_kind kind = size > 0 && data[0] >= 64 ? CLIENT_SMTP : CLIENT_LMTP;
    struct smtp_client *client = size < 2 ? NULL : smtp_client_new(kind, BYTES("h"));
    struct bytes all = { (const char *)data + 1, size - 1 };
    struct recipient to[2] = { { .address = BYTES("a@x") }, { .address = BYTES("b@x") } };
    struct client_letter letter = { .sender = BYTES("s@x"), .recipients = to, .n = 2 };
    size_t piece = size < 2 ? 1 : data[0] % 64 + 1u, open = 0;
    unsigned letters = 0;
    bool lost = false;

    if (client != NULL && data[0] >= 128)
        smtp_client_set_tls(client, data[0] >= 192 ? CLIENT_TLS_MUST : CLIENT_TLS_MAY);
    while (client != NULL) {
        struct bytes in = bytes_first(all, piece);
        all = bytes_skip(all, in.n);
        struct client_event event = smtp_client_step(client, &in);
        for (; event.kind != CLIENT_MORE && event.kind != CLIENT_CLOSE;
             event = smtp_client_step(client, &in)) {
            if (event.kind == CLIENT_RESULT && (open == 0 || event.result.recipient > 1))
                abort();
            open -= event.kind == CLIENT_RESULT;
            if (event.kind == CLIENT_DONE && open != 0)
                abort();
            if (event.kind == CLIENT_STARTTLS)
                smtp_client_secured(client);
            if (smtp_client_ready(client) && letters++ < 2) {
                smtp_client_begin(client, &letter);
                open = 2;
            }
        }
        if (smtp_client_wants_text(client))
            smtp_client_text(client, BYTES("text\r\n.\r\n"), true);
        smtp_client_sent(client);
        if (event.kind == CLIENT_CLOSE)
            break;
        if (all.n == 0) {
            if (lost)
                abort();
            lost = true;
            smtp_client_lost(client, BYTES("lost"));
        }
    }
    if (open != 0)
        abort();
    smtp_client_free(client);
    return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * The letter that postern send sends.
 */
#include "role/once_send.h"

#include "mail/date.h"

static void put_field(struct buffer *to, const char *name, struct bytes before, struct bytes text,
                      struct bytes after)
{
    buffer_put_text(to, name);
    buffer_put(to, before);
    buffer_put(to, text);
    buffer_put(to, after);
    buffer_put(to, BYTES("\r\n"));
}

void send_put_greeting(struct buffer *to, const struct send_order *order, struct bytes host,
                       uint64_t wall_ms, uint64_t chance)
{
    static const struct bytes nobody = BYTES_INIT("undisclosed-recipients:;");
    struct bytes from = order->from;
    struct buffer id = buffer_with_most(64);

    if (from.n == 0) {
        put_field(to, "From: <postern@", BYTES_NONE, host, BYTES(">"));
    } else {
        put_field(to, "From: ", BYTES("<"), from, BYTES(">"));
    }
    if (order->to.n == 0)
        put_field(to, "To: ", BYTES_NONE, nobody, BYTES_NONE);
    else
        put_field(to, "To: ", BYTES("<"), order->to.list[0], BYTES(">"));
    buffer_put(to, BYTES("Date: "));
    date_put(to, wall_ms);
    buffer_put(to, BYTES("\r\n"));
    buffer_put_uint(&id, chance);
    buffer_put_char(&id, '.');
    buffer_put_uint(&id, wall_ms);
    buffer_put_char(&id, '@');
    put_field(to, "Message-ID: <", buffer_bytes(&id), host, BYTES(">"));
    put_field(to, "Subject: ", BYTES_NONE,
              order->subject.n > 0 ? order->subject : BYTES("A greeting from Postern"),
              BYTES_NONE);
    for (size_t i = 0; i < order->headers.n; i++)
        put_field(to, "", BYTES_NONE, order->headers.list[i], BYTES_NONE);
    buffer_put(to, BYTES("\r\n"));
    if (order->body.n > 0)
        send_put_text(to, &(struct send_order){ .as_is = false }, order->body);
    else
        buffer_put(to, BYTES("Hello,\r\n\r\n"
                             "this letter was made by \"postern send\". That you can read it\r\n"
                             "says that it was taken and delivered.\r\n"));
    buffer_done(&id);
}

void send_put_text(struct buffer *to, const struct send_order *order, struct bytes raw)
{
    struct bytes line;

    if (order->as_is || order->binarymime) {
        buffer_put(to, raw);
        return;
    }
    while (bytes_cut(&raw, '\n', &line)) {
        if (bytes_ends(line, BYTES("\r")))
            line.n--;
        buffer_put(to, line);
        buffer_put(to, BYTES("\r\n"));
    }
}

/* SPDX-License-Identifier: ISC
 *
 * role/once_tlsrpt.c: postern tlsrpt: how TLS went with other domains since midnight, and what is
 * about to be told to them.
 */
#include "base/safe.h"
#include "dns/tlsrpt.h"
#include "role/once_int.h"

static void put_head(const struct once_style *style, const struct wire_tlsrpt_row *row,
                     const struct tlsrpt *counts, struct buffer *to)
{
    safe_put_plain(to, tlsrpt_domain(counts, 0));
    if (row->due_ms == 0) {
        buffer_put_text(to, ": counted since ");
        once_put_moment(to, style, row->from_ms);
    } else {
        buffer_put_text(to, ": until ");
        once_put_moment(to, style, row->to_ms);
        buffer_put_text(to, row->due_ms <= style->now_ms ? "; its report is on its way"
                                                         : "; its report leaves at ");
        if (row->due_ms > style->now_ms)
            once_put_moment(to, style, row->due_ms);
    }
    buffer_put_char(to, '\n');
}

void once_tlsrpt_row(const struct once_style *style, const struct wire_tlsrpt_row *row,
                     struct buffer *to)
{
    static const uint8_t key[16];
    struct tlsrpt *counts = tlsrpt_new(key);
    struct tlsrpt_sender sender = { row->organisation, row->contact, row->host, row->from_ms,
                                    row->to_ms };

    if (counts == NULL || !tlsrpt_save_read(counts, row->saved) || tlsrpt_domains(counts) != 1) {
        to->bad = true;
    } else if (style->json) {
        tlsrpt_put(to, counts, 0, &sender);
        buffer_put_char(to, '\n');
    } else {
        struct buffer text = buffer_with_most(TLSRPT_TEXT_MOST);
        put_head(style, row, counts, to);
        tlsrpt_summary_put(&text, counts, 0);
        to->bad = to->bad || text.bad;
        for (struct bytes rest = buffer_bytes(&text), line; bytes_cut(&rest, '\n', &line);) {
            safe_put_plain(to, line);
            buffer_put_char(to, '\n');
        }
        buffer_done(&text);
    }
    tlsrpt_free(counts);
}

void once_tlsrpt_sent(const struct once_style *style, uint32_t domains, struct buffer *to)
{
    struct json json = json_to(to);

    if (style->json) {
        json_put_object(&json);
        json_put_uint(&json, "domains", domains);
        json_put_object_end(&json);
        json_line_end(&json);
    } else if (domains == 0) {
        buffer_put_text(to, "Nothing was counted since the last report.\n");
    } else {
        buffer_put_text(to, "What was counted of ");
        once_put_count(to, domains, "domain");
        buffer_put_text(to, " is told now to those that ask for it; the log says how that went"
                            " (event=tls-report).\n");
    }
}

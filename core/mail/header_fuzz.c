/* SPDX-License-Identifier: ISC */
#include "mail/scan.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The first octet says how long the pieces are; whole and in pieces must give the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t size = n > 0 ? data[0] % 16 + 1u : 1;
    struct bytes text = bytes_skip((struct bytes){ (const char *)data, n }, 1);
    struct header_scan whole = header_scan_new(), pieces = header_scan_new();

    header_scan_feed(&whole, text);
    header_scan_finish(&whole);
    for (struct bytes rest = text; rest.n > 0; rest = bytes_skip(rest, size))
        header_scan_feed(&pieces, bytes_first(rest, size));
    header_scan_finish(&pieces);
    assert(whole.reader.body_at == pieces.reader.body_at && whole.reader.body_at <= text.n);
    assert(whole.reader.flaws == pieces.reader.flaws);
    assert(whole.reader.flaw_at == pieces.reader.flaw_at);
    assert(whole.reader.fields == pieces.reader.fields && whole.received == pieces.received);
    assert(bytes_equal(header_scan_message_id(&whole), header_scan_message_id(&pieces)));
    assert(bytes_equal(buffer_bytes(&whole.delivered_to), buffer_bytes(&pieces.delivered_to)));
    header_scan_done(&whole);
    header_scan_done(&pieces);
    return 0;
}

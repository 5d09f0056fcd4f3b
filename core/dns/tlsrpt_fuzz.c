/* SPDX-License-Identifier: ISC */
#include "dns/tlsrpt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The octets as one TXT record: what reads keeps what it promises. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer records = buffer_with_most(DNS_ANSWER_MOST);
    struct buffer text = buffer_with_most(DNS_ANSWER_MOST);
    struct buffer address = buffer_with_most(DNS_ANSWER_MOST);
    struct bytes rest = { (const char *)data, size < 4096 ? size : 4096 };
    struct buffer one = buffer_with_most(8192);
    struct tlsrpt_record record;

    while (rest.n > 0) {
        struct bytes part = bytes_first(rest, 255);
        buffer_put_u8(&one, (uint8_t)part.n);
        buffer_put(&one, part);
        rest = bytes_skip(rest, part.n);
    }
    buffer_put_block(&records, buffer_bytes(&one));
    struct dns_answer answer = { .verdict = DNS_SECURE, .records = buffer_bytes(&records) };
    if (tlsrpt_record_read(&answer, &text, &record)) {
        if (record.n == 0 || record.n > TLSRPT_URIS_MOST)
            abort();
        for (size_t i = 0; i < record.n; i++) {
            buffer_clear(&address);
            if (tlsrpt_address_put(&address, record.uris[i])
                && (bytes_find(buffer_bytes(&address), '\n') < address.n
                    || bytes_find(buffer_bytes(&address), '@') == address.n))
                abort();
        }
    }
    buffer_done(&records);
    buffer_done(&text);
    buffer_done(&address);
    buffer_done(&one);
    return 0;
}

/* SPDX-License-Identifier: ISC */
#include "dns/tlsrpt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The octets as counts that were saved: what reads, reads the same when it is saved again, and
   makes a report that fits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[16];
    static const struct tlsrpt_sender sender = { BYTES_INIT("us"), BYTES_INIT("p@us.example"),
                                                 BYTES_INIT("us.example"), 0, 86399000 };
    struct tlsrpt *counts = tlsrpt_new(key), *again = tlsrpt_new(key);
    struct buffer saved = buffer_with_most(TLSRPT_SAVED_MOST), twice = saved;
    struct buffer text = buffer_with_most(TLSRPT_TEXT_MOST);

    if (counts == NULL || again == NULL)
        abort();
    if (tlsrpt_save_read(counts, (struct bytes){ (const char *)data, size })
        && tlsrpt_domains(counts) > 0) {
        tlsrpt_save_put(&saved, counts, 0);
        if (saved.bad || !tlsrpt_save_read(again, buffer_bytes(&saved)))
            abort();
        tlsrpt_save_put(&twice, again, 0);
        tlsrpt_put(&text, counts, 0, &sender);
        if (!bytes_equal(buffer_bytes(&saved), buffer_bytes(&twice)) || text.bad)
            abort();
        buffer_clear(&text);
        tlsrpt_summary_put(&text, counts, 0);
        if (text.bad)
            abort();
    }
    tlsrpt_free(counts);
    tlsrpt_free(again);
    buffer_done(&saved);
    buffer_done(&twice);
    buffer_done(&text);
    return 0;
}

/* SPDX-License-Identifier: ISC */
#include "dns/ledger.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The octets as an entry that was kept: what reads is written as it was, and can be restored. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[16];
    struct bytes saved = { (const char *)data, size };
    struct ledger *ledger = ledger_new(key);
    struct buffer again = buffer_with_most(2 * LEDGER_SAVED_MOST);
    struct ledger_entry entry, found;

    if (ledger == NULL)
        abort();
    if (ledger_entry_read(saved, &entry)) {
        ledger_restore(ledger, &entry);
        if (!ledger_entry_of(ledger, entry.name, &found))
            abort();
        ledger_entry_put(&again, &found);
        if (!bytes_equal(buffer_bytes(&again), saved) || saved.n > LEDGER_SAVED_MOST)
            abort();
        ledger_note(ledger, entry.name, LEDGER_TLS, BYTES("again"), 1);
    }
    ledger_free(ledger);
    buffer_done(&again);
    return 0;
}

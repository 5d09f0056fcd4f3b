/* SPDX-License-Identifier: ISC */
#include "seal/key_file.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Any octets as a file of keys: bounded; what could be read can be added to a ring, and what was
   added is found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n };
    struct arena arena = arena_with_ceiling(KEY_FILE_MEMORY);
    struct keyring *ring = keyring_new();
    struct key_file file;
    size_t items = 0;

    assert(ring != NULL);
    key_file_read(text, &arena, &file);
    for (const struct key_item *item = file.first; item != NULL; item = item->next) {
        struct keyring_query query = { .name = item->names_n > 0 ? item->names[0] : BYTES_NONE };
        enum keyring_result result = key_item_add(ring, item);
        assert((item->kind == KEY_ITEM_BROKEN) == (item->words != NULL));
        if (result == KEYRING_ADDED && query.name.n > 0 && query.name.n <= KEYRING_NAME_MOST
            && (item->kind == KEY_ITEM_CERT || item->kind == KEY_ITEM_PUBLIC))
            assert(keyring_find(ring, &query, NULL) != NULL);
        items++;
    }
    assert(items == file.n);
    keyring_free(ring);
    arena_done(&arena);
    return 0;
}

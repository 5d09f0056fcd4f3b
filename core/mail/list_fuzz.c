/* SPDX-License-Identifier: ISC */
#include "mail/list.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* It ends, and gives no more than came in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct list_reader list = list_of((struct bytes){ (const char *)data, n });
    struct list_item item;
    size_t items = 0;

    while (list_next(&list, &item)) {
        assert(++items <= n);
        assert(item.address.n <= n && item.name.n <= 2 * n && item.group.n <= 2 * n);
    }
    assert(!list_next(&list, &item));
    list_done(&list);
    return 0;
}

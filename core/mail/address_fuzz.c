/* SPDX-License-Identifier: ISC */
#include "mail/address.h"
#include "mail/domain.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What was taken is kept as written, and is equal to itself; its normal form is a fixed point. */
static void check(struct address address)
{
    struct buffer normal = buffer_with_most(ADDRESS_NORMAL_MOST), again = buffer_with_most(4096);
    struct address back;

    address_put_normal(&normal, address);
    assert(!normal.bad && address_equal(address, address));
    if (address.domain.n > 0 && address_parse(buffer_bytes(&normal), true, &back, NULL)) {
        address_put_normal(&again, back);
        assert(bytes_equal(buffer_bytes(&normal), buffer_bytes(&again)));
    }
    buffer_done(&normal);
    buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n };
    struct address address, narrow;
    struct flaw flaw;
    size_t used;

    if (address_parse(text, true, &address, &flaw)) {
        assert(bytes_equal(address.whole, text) && n <= LIMIT_ADDRESS);
        assert(address_parse(text, false, &narrow, &flaw) == !address.utf8);
        check(address);
    } else {
        assert(flaw.at <= n && flaw.expected != NULL);
    }
    if (address_parse_path(text, true, &address, &used, &flaw)) {
        assert(used <= n && used <= LIMIT_PATH && text.at[used - 1] == '>');
        check(address);
    }
    (void)domain_equal(text, BYTES("example.org"));
    return 0;
}

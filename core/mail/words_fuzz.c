/* SPDX-License-Identifier: ISC */
#include "mail/content.h"
#include "mail/words.h"

#include "base/base64.h"
#include "base/qp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Bounded, and no CR or LF comes out; the codings give the same for any split. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n }, half = bytes_first(text, n / 2);
    struct buffer to = buffer_with_most(4 * n + 4), other = buffer_with_most(4 * n + 4);
    struct base64_decoder one = { 0 }, two = { 0 };
    struct qp_decoder qp = { .held_n = 0 }, cut = { .held_n = 0 };

    words_put(&to, text);
    assert(!to.bad);
    for (size_t i = 0; i < to.n; i++)
        assert(to.at[i] != '\r' && to.at[i] != '\n');
    buffer_clear(&to);
    base64_decode(&one, text, &to);
    base64_decode_end(&one, &to);
    base64_decode(&two, half, &other);
    base64_decode(&two, bytes_skip(text, half.n), &other);
    base64_decode_end(&two, &other);
    assert(bytes_equal(buffer_bytes(&to), buffer_bytes(&other)) && one.flaws == two.flaws);
    buffer_clear(&to);
    buffer_clear(&other);
    qp_decode(&qp, text, &to);
    qp_decode_end(&qp, &to);
    qp_decode(&cut, half, &other);
    qp_decode(&cut, bytes_skip(text, half.n), &other);
    qp_decode_end(&cut, &other);
    assert(bytes_equal(buffer_bytes(&to), buffer_bytes(&other)) && qp.flaws == cut.flaws);
    buffer_done(&to);
    buffer_done(&other);
    return 0;
}

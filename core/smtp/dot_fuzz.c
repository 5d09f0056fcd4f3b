/* SPDX-License-Identifier: ISC
 *
 * The recogniser of the end of a text against a search over the whole, however the text is cut.
 * The first octet says how.
 */
#include "base/buffer.h"
#include "smtp/dot.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* Where the frame of the end begins, were the whole text at hand. */
static bool search_end(struct bytes text, size_t *ret_end)
{
    if (bytes_begins(text, BYTES(".\r\n"))) {
        *ret_end = 0;
        return true;
    }
    *ret_end = bytes_search(text, BYTES("\r\n.\r\n")) + 2;
    return *ret_end < text.n;
}

static bool search_flaw(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool lf_next = i + 1 < text.n && text.at[i + 1] == '\n';
        if (text.at[i] == '\0' || (text.at[i] == '\r' && !lf_next)
            || (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r')))
            return true;
    }
    return false;
}

/* The text without stuffed dots, line by line. */
static void unstuff(struct bytes text, struct buffer *to)
{
    while (text.n > 0) {
        size_t line = bytes_search(text, BYTES("\r\n"));
        line = line == text.n ? text.n : line + 2;
        buffer_put(to, bytes_skip(bytes_first(text, line), text.at[0] == '.'));
        text = bytes_skip(text, line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes whole = { (const char *)data + (n > 0), n - (n > 0) }, rest = whole;
    size_t step = n == 0 || data[0] == 0 ? whole.n + 1 : data[0], end = 0;
    struct buffer got = buffer_with_most(n + 1), want = buffer_with_most(n + 1);
    struct dot dot = dot_for_data();
    bool ended = false;

    while (rest.n > 0 && !ended) {
        struct bytes piece = bytes_first(rest, step), before = piece;
        while (piece.n > 0 && !ended)
            buffer_put(&got, dot_take(&dot, &piece, &ended));
        rest = bytes_skip(rest, before.n - piece.n);
    }
    must(ended == search_end(whole, &end));
    if (ended) {
        must(whole.n - rest.n == end + 3);
        must((dot.flaw != TEXT_FINE) == search_flaw(bytes_first(whole, end)));
        unstuff(bytes_first(whole, end), &want);
        must(dot.flaw != TEXT_FINE || bytes_equal(buffer_bytes(&got), buffer_bytes(&want)));
    }
    buffer_done(&got);
    buffer_done(&want);
    return 0;
}

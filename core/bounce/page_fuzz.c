/* SPDX-License-Identifier: ISC
 *
 * Any word is a page or a flaw; neither holds an octet of a stranger that is not printable ASCII or
 * well-formed, and what has a page can be written in every form.
 */
#include "bounce/page.h"

#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct buffer *text, bool lines)
{
    struct bytes rest = buffer_bytes(text);
    uint32_t point;
    size_t took;

    if (text->bad || text->n == 0)
        abort();
    while (rest.n > 0) {
        if ((took = utf8_take(rest, &point)) == 0 || (utf8_is_unsafe(point) && point != '\n')
            || (point == '\n' && !lines))
            abort();
        rest = bytes_skip(rest, took);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes word = { (const char *)data, n };
    struct buffer text = buffer_with_most(PAGE_MOST);
    struct json json = json_to(&text);
    struct page page;

    if (!page_find(word, &page)) {
        page_put_flaw(&text, word);
        check(&text, false);
    } else {
        page_put_text(&text, &page, false);
        check(&text, true);
        buffer_clear(&text);
        page_put_json(&json, &page);
        check(&text, false);
        buffer_clear(&text);
        page_put_html(&text, &page);
        check(&text, true);
    }
    buffer_done(&text);
    return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Any octets in any charset: valid UTF-8 comes out, at most four octets for one.
 */
#include "base/charset.h"
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const names[] = {
    "utf-8", "us-ascii", "iso-8859-1", "iso-8859-8", "windows-1251", "koi8-r", "shift_jis",
    "euc-jp", "iso-2022-jp", "iso-2022-kr", "gb18030", "big5", "euc-kr", "utf-7",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes text = { (const char *)data, n };
    struct buffer to = buffer_with_most(n * 4 + 4);

    for (size_t i = 0; i < COUNT(names); i++) {
        buffer_clear(&to);
        charset_put_text(&to, charset_find(bytes_of(names[i])), text);
        if (to.bad || !utf8_valid(buffer_bytes(&to)))
            abort();
    }
    charset_put_text(&to, charset_guess(text), text);
    buffer_done(&to);
    return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Whatever a program of this machine hands in becomes lines that SMTP takes, and every recipient an
 * address that breaks none.
 */
#include "role/once_sendmail.h"

#include "base/reader.h"
#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_text(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.at[i] == '\n' && (i == 0 || text.at[i - 1] != '\r'))
            __builtin_trap();
    if (text.n < 2 || text.at[text.n - 1] != '\n')
        __builtin_trap();
}

static void check_recipients(struct bytes list)
{
    struct reader in = reader_of(list);
    struct address address;

    while (!reader_empty(&in)) {
        struct bytes one = read_block(&in);
        if (!reader_ok(&in) || !address_parse(one, true, &address, NULL)
            || bytes_find(one, '\n') < one.n || bytes_find(one, '\r') < one.n)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes raw = { (const char *)data, n };

    for (int i = 0; i < 2; i++) {
        struct sendmail_letter letter = {
            .raw = raw, .from_header = i == 1, .sender = BYTES("a@b.example"),
            .name = bytes_first(raw, 100), .domain = BYTES("b.example"), .now_ms = 1,
        };
        struct sendmail_made made;
        if (sendmail_make(&letter, &made)) {
            check_text(buffer_bytes(&made.text));
            check_recipients(buffer_bytes(&made.to));
        }
        sendmail_made_done(&made);
    }
    return 0;
}

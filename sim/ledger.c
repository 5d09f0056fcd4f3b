/* SPDX-License-Identifier: ISC */
#include "sim/ledger.h"

#include "base/number.h"
#include "mail/envelope.h"

void ledger_put_text(const struct ledger *ledger, uint32_t letter, struct buffer *to)
{
    ledger_put_sized(letter, ledger->letters[letter].size, to);
}

void ledger_put_sized(uint32_t letter, uint32_t size, struct buffer *to)
{
    size_t end = to->n + size;

    buffer_put_text(to, "letter ");
    buffer_put_uint_wide(to, letter, 3);
    buffer_put_text(to, "\r\n");
    while (to->n + 32 < end) {
        buffer_put_uint_wide(to, letter, 3);
        buffer_put_char(to, ' ');
        buffer_put_uint_wide(to, end - to->n, 8);
        buffer_put_text(to, "................\r\n");
    }
    while (to->n + 2 < end)
        buffer_put_char(to, '-');
    buffer_put_text(to, "\r\n");
}

void ledger_put_head(uint32_t letter, struct buffer *to)
{
    char id[] = { 'm', (char)('0' + letter / 10 % 10), (char)('0' + letter % 10) };

    envelope_put(to, &(struct envelope){
        .sender = BYTES("sender@client.example"), .received_ms = 1767225600000,
        .protocol = BYTES("ESMTP"), .helo = BYTES("client.example"), .peer = BYTES("192.0.2.1"),
        .host = BYTES("mx.example.org"), .message_id = { id, sizeof(id) } });
}

void ledger_put_recipient(uint32_t letter, uint32_t recipient, struct buffer *to)
{
    char address[] = "r0@example.org";

    address[1] = (char)('0' + recipient);
    recipient_put(to, &(struct recipient){ .address = { address, sizeof(address) - 1 } });
}

bool ledger_number(struct bytes text, uint32_t *ret_letter)
{
    uint64_t letter;

    if (!bytes_begins(text, BYTES("letter "))
        || !number_parse(bytes_first(bytes_skip(text, 7), 3), &letter))
        return false;
    *ret_letter = (uint32_t)letter;
    return true;
}

bool ledger_find(const struct ledger *ledger, struct bytes text, uint32_t *ret_letter)
{
    struct buffer want = buffer_with_most(1 << 20);
    bool same;

    if (!ledger_number(text, ret_letter) || *ret_letter >= ledger->n)
        return false;
    ledger_put_text(ledger, *ret_letter, &want);
    same = bytes_equal(buffer_bytes(&want), text);
    buffer_done(&want);
    return same;
}

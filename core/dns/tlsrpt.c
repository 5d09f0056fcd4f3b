/* SPDX-License-Identifier: ISC */
#include "dns/tlsrpt.h"

/* ---- the record: "v=TLSRPTv1" *(";" field), RFC 8460, 3 */

static bool is_record(struct bytes text)
{
    struct bytes start = BYTES("v=TLSRPTv1"), after = bytes_skip(text, start.n);

    return bytes_begins(text, start)
        && (after.n == 0 || is_space(after.at[0]) || after.at[0] == ';');
}

/* (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / "."); values without blanks, "=" and ";". */
static bool is_extension(struct bytes name, struct bytes value)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_alnum(name.at[i])
            && (i == 0 || (name.at[i] != '_' && name.at[i] != '-' && name.at[i] != '.')))
            return false;
    for (size_t i = 0; i < value.n; i++)
        if (value.at[i] <= ' ' || value.at[i] > '~' || value.at[i] == '=')
            return false;
    return name.n > 0 && name.n <= 32 && value.n > 0;
}

static bool is_hex(char c)
{
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
}

/* Octets that a URI has (RFC 3986, 2), each "%" before two digits. */
static bool is_uri(struct bytes uri)
{
    if (!bytes_begins_nocase(uri, BYTES("mailto:")) && !bytes_begins_nocase(uri, BYTES("https:")))
        return false;
    for (size_t i = 0; i < uri.n; i++) {
        if (uri.at[i] <= ' ' || uri.at[i] > '~')
            return false;
        if (uri.at[i] == '%'
            && (i + 2 >= uri.n || !is_hex(uri.at[i + 1]) || !is_hex(uri.at[i + 2])))
            return false;
    }
    return true;
}

/* Those of a scheme that we do not know are passed over, as long as there is one that we do. */
static void read_uris(struct bytes list, struct tlsrpt_record *record)
{
    struct bytes uri;

    while (bytes_cut(&list, ',', &uri) && record->n < TLSRPT_URIS_MOST) {
        uri = bytes_trim(uri);
        if (is_uri(uri))
            record->uris[record->n++] = uri;
    }
}

static bool read_record(struct bytes text, struct tlsrpt_record *ret_record)
{
    struct tlsrpt_record record = { .n = 0 };
    struct bytes field;
    bool first = true, found = false;

    for (; bytes_cut(&text, ';', &field); first = false) {
        field = bytes_trim(field);
        struct bytes name = bytes_upto(field, '='), value = bytes_skip(field, name.n + 1);
        if (first || (field.n == 0 && bytes_trim(text).n == 0))
            continue;
        if (bytes_equal(name, BYTES("rua")) && !found) {
            found = true;
            read_uris(value, &record);
        } else if (!is_extension(name, value)) {
            return false;
        }
    }
    *ret_record = record;
    return record.n > 0;
}

bool tlsrpt_record_read(const struct dns_answer *answer, struct buffer *to,
                        struct tlsrpt_record *ret_record)
{
    struct bytes rest = answer->records, data;
    size_t from = to->n, found = 0;

    while (dns_found(answer) && dns_next_record(&rest, &data)) {
        size_t before = to->n;
        if (!dns_text(data, to))
            continue;
        if (is_record(bytes_skip(buffer_bytes(to), before)))
            found++;
        else
            to->n = before;
    }
    return found == 1 && !to->bad && read_record(bytes_skip(buffer_bytes(to), from), ret_record);
}

static unsigned hex_of(char c)
{
    return (unsigned)(is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10);
}

bool tlsrpt_address_put(struct buffer *to, struct bytes uri)
{
    struct bytes scheme = BYTES("mailto:"), address = bytes_upto(bytes_skip(uri, scheme.n), '?');
    size_t from = to->n;

    if (!bytes_begins_nocase(uri, scheme) || !is_uri(uri))
        return false;
    for (size_t i = 0; i < address.n; i++) {
        char c = address.at[i];
        if (c == '%') {
            c = (char)(hex_of(address.at[i + 1]) << 4 | hex_of(address.at[i + 2]));
            i += 2;
        }
        if (c <= ' ' || c > '~' || c == '<' || c == '>')
            return false;
        buffer_put_char(to, c);
    }
    struct bytes put = bytes_skip(buffer_bytes(to), from);
    size_t sign = bytes_find_last(put, '@');
    return !to->bad && sign > 0 && sign + 1 < put.n;
}

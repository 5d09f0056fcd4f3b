/* SPDX-License-Identifier: ISC
 *
 * role/local_path.c: DOMAIN/LOCALPART. Octets outside [a-z0-9_+-] and "." become %XX, and so do
 * dots a name begins with: "..", ".", an empty name and a slash cannot come out, whatever the
 * address is.
 *
 * Letters of the local part are set in lower case first, so John@ and john@ are one mailbox. RFC
 * 5321, 2.4 lets only the final host decide that; we are it. People type addresses by hand in
 * any case, and two mailboxes that differ in nothing else would be a trap. Only ASCII: no table
 * of Unicode decides who may read a letter.
 */
#include "role/local_int.h"

#include "mail/address.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '+' || c == '-' || c == '.';
}

static void put_percent(struct buffer *to, char c)
{
    static const char digits[] = "0123456789ABCDEF";

    buffer_put_char(to, '%');
    buffer_put_char(to, digits[octet(c) >> 4]);
    buffer_put_char(to, digits[octet(c) & 15]);
}

/* One octet of a name. */
static void put_octet(struct buffer *to, bool *leading, char c)
{
    c = to_lower(c);
    *leading = *leading && c == '.';
    if (is_plain(c) && !*leading)
        buffer_put_char(to, c);
    else
        put_percent(to, c);
}

static bool too_long(const struct buffer *to, size_t start)
{
    return to->n - start > LOCAL_NAME_MOST;
}

/* False: the name is too long for a file system. */
static bool put_name(struct buffer *to, struct bytes text)
{
    size_t start = to->n;
    bool leading = true;

    for (size_t i = 0; i < text.n && !too_long(to, start); i++)
        put_octet(to, &leading, text.at[i]);
    return !too_long(to, start);
}

/* RFC 5321, 4.1.2:  Quoted-string = DQUOTE *QcontentSMTP DQUOTE,  quoted-pairSMTP = "\" %d32-126
   Without the quotes and backslashes: "a"@b and a@b are one mailbox. */
static bool put_quoted_name(struct buffer *to, struct bytes quoted)
{
    struct bytes text = bytes_first(bytes_skip(quoted, 1), quoted.n - 2);
    size_t start = to->n;
    bool leading = true;

    for (size_t i = 0; i < text.n && !too_long(to, start); i++) {
        if (text.at[i] == '\\' && i + 1 < text.n)
            i++;
        put_octet(to, &leading, text.at[i]);
    }
    return !too_long(to, start);
}

/* The domain as address_put_normal writes it, behind the last "@". */
static bool put_domain(struct buffer *to, struct address address)
{
    struct buffer normal = buffer_with_most(2 * LIMIT_PATH);
    bool fits = true;

    address_put_normal(&normal, address);
    struct bytes whole = buffer_bytes(&normal);
    size_t at = bytes_find_last(whole, '@');
    if (normal.bad || at == whole.n)
        to->bad = true;
    else
        fits = put_name(to, bytes_skip(whole, at + 1));
    buffer_done(&normal);
    return fits;
}

static bool put_folder(struct buffer *to, struct bytes text)
{
    struct address address;

    if (!address_parse(text, true, &address, NULL) || !put_domain(to, address))
        return false;
    size_t domain_n = to->n;
    buffer_put_char(to, '/');
    bool fits = address.quoted ? put_quoted_name(to, address.local) : put_name(to, address.local);
    return fits && !to->bad && domain_n > 0 && to->n > domain_n + 1;
}

bool local_folder(struct bytes text, struct bytes home, struct buffer *ret_folder)
{
    struct buffer folder = buffer_with_most(LOCAL_FOLDER_MOST + 8);
    struct buffer whole = buffer_with_most(LIMIT_PATH);
    bool well;

    if (bytes_equal_nocase(text, BYTES("postmaster"))) {
        buffer_put(&whole, text);
        buffer_put_char(&whole, '@');
        buffer_put(&whole, home);
        text = buffer_bytes(&whole);
    }
    well = !whole.bad && put_folder(&folder, text);
    if (well)
        buffer_put(ret_folder, buffer_bytes(&folder));
    else if (whole.bad || folder.bad)
        ret_folder->bad = true;     /* memory is short: not "no such mailbox" */
    buffer_done(&whole);
    buffer_done(&folder);
    return well && !ret_folder->bad;
}

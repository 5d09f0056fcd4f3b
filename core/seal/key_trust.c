/* SPDX-License-Identifier: ISC
 *
 * The file `trust` of our store: a line for each key, "DIGEST DEPTH ROLE" and anything behind "#".
 */
#include "seal/key_file_int.h"

#include "base/number.h"

#include <string.h>

enum { DEPTH_MOST = CERT_DEPTH_MOST };

static const char *const roles[] = { "ca", "pca", "ipra" };     /* by free_levels */

bool key_role_of(struct bytes word, unsigned *ret_free_levels)
{
    for (unsigned i = 0; i < COUNT(roles); i++) {
        if (bytes_equal_nocase(word, bytes_of(roles[i]))) {
            *ret_free_levels = i;
            return true;
        }
    }
    return false;
}

const char *key_role_name(unsigned free_levels)
{
    return roles[free_levels < COUNT(roles) ? free_levels : 0];
}

static int hex_value(char c)
{
    c = to_lower(c);
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(struct bytes hex, uint8_t digest[static KEY_DIGEST])
{
    if (hex.n != 2 * KEY_DIGEST)
        return false;
    for (size_t i = 0; i < KEY_DIGEST; i++) {
        int high = hex_value(hex.at[2 * i]), low = hex_value(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_line(struct bytes line, struct keyring_anchor *anchor)
{
    struct bytes digest, depth;
    uint64_t number;

    if (!bytes_cut(&line, ' ', &digest) || !bytes_cut(&line, ' ', &depth)
        || !read_digest(digest, anchor->digest) || !number_parse(depth, &number)
        || number > DEPTH_MOST)
        return false;
    anchor->depth = (unsigned)number;
    return key_role_of(bytes_trim(line), &anchor->free_levels);
}

uint32_t key_trust_read(struct bytes text, struct keyring *ring)
{
    struct key_lines lines = { .rest = text };
    struct keyring_anchor anchor;
    struct bytes line;
    uint32_t bad = 0;

    while (key_next_line(&lines, &line)) {
        line = bytes_trim(bytes_upto(line, '#'));
        if (line.n == 0)
            continue;
        if (!read_line(line, &anchor) || keyring_add_anchor(ring, &anchor) == KEYRING_FULL)
            bad = bad == 0 ? lines.line : bad;
    }
    return bad;
}

void key_trust_put(struct buffer *to, const struct keyring_anchor *anchor, struct bytes whose)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < KEY_DIGEST; i++) {
        buffer_put_char(to, hex[anchor->digest[i] >> 4]);
        buffer_put_char(to, hex[anchor->digest[i] & 15]);
    }
    buffer_put_char(to, ' ');
    buffer_put_uint(to, anchor->depth);
    buffer_put_char(to, ' ');
    buffer_put_text(to, key_role_name(anchor->free_levels));
    if (whose.n > 0) {
        buffer_put(to, BYTES(" # "));
        for (size_t i = 0; i < whose.n; i++)
            buffer_put_char(to, octet(whose.at[i]) < ' ' ? '?' : whose.at[i]);
    }
    buffer_put_char(to, '\n');
}

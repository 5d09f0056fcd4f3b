/* SPDX-License-Identifier: ISC */
#include "mail/domain.h"

#include "base/limits.h"

#include <idn2.h>
#include <string.h>

enum { ASCII_FLAGS = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_ALABEL_ROUNDTRIP };

bool domain_is_ldh(struct bytes domain)
{
    for (size_t i = 0; i < domain.n; i++) {
        if (!is_alnum(domain.at[i]) && domain.at[i] != '-' && domain.at[i] != '.')
            return false;
    }
    return true;
}

static void put_lower(struct bytes text, struct buffer *to)
{
    for (size_t i = 0; i < text.n; i++)
        buffer_put_char(to, to_lower(text.at[i]));
}

/* Letters, digits and hyphens alone, and no label that claims to be an A-label: IDNA changes
   nothing in it but the case, and libidn2 need not be asked. */
static bool is_plain(struct bytes domain)
{
    struct bytes label;

    if (!domain_is_ldh(domain))
        return false;
    while (bytes_cut(&domain, '.', &label)) {
        if (bytes_begins_nocase(label, BYTES("xn--")))
            return false;
    }
    return true;
}

/* Every label 1..63 octets, together at most 255; one dot may end it. */
static bool lengths_fit(struct bytes ascii)
{
    struct bytes rest = ascii, label;

    if (ascii.n == 0 || ascii.n > LIMIT_DOMAIN)
        return false;
    while (bytes_cut(&rest, '.', &label)) {
        if (label.n == 0 || label.n > LIMIT_LABEL)
            return false;
    }
    return true;
}

/* libidn2 wants a NUL at the end, and must not see one before it. */
static bool copy_c_string(struct bytes domain, char ret_text[static LIMIT_PATH + 1])
{
    if (domain.n == 0 || domain.n > LIMIT_PATH || bytes_find(domain, '\0') < domain.n)
        return false;
    memcpy(ret_text, domain.at, domain.n);
    ret_text[domain.n] = '\0';
    return true;
}

bool domain_to_ascii(struct bytes domain, struct buffer *to)
{
    char text[LIMIT_PATH + 1];
    uint8_t *ascii = NULL;

    if (is_plain(domain)) {
        if (!lengths_fit(domain))
            return false;
        put_lower(domain, to);
        return true;
    }
    if (!copy_c_string(domain, text)
        || idn2_lookup_u8((const uint8_t *)text, &ascii, ASCII_FLAGS) != IDN2_OK)
        return false;
    struct bytes found = bytes_of((const char *)ascii);
    bool fits = lengths_fit(found);
    if (fits)
        put_lower(found, to);
    idn2_free(ascii);
    return fits;
}

bool domain_to_unicode(struct bytes domain, struct buffer *to)
{
    struct buffer ascii = buffer_with_most(LIMIT_DOMAIN + 1);
    char *text = NULL;

    bool known = domain_to_ascii(domain, &ascii);
    buffer_put_char(&ascii, '\0');
    known = known && !ascii.bad && idn2_to_unicode_8z8z(ascii.at, &text, 0) == IDN2_OK;
    if (known)
        buffer_put_text(to, text);
    idn2_free(text);
    buffer_done(&ascii);
    return known;
}

void domain_put_normal(struct bytes domain, struct buffer *to)
{
    if (!domain_to_ascii(domain, to))
        put_lower(domain, to);
}

bool domain_equal(struct bytes a, struct bytes b)
{
    if (bytes_equal_nocase(a, b))
        return true;
    if (is_plain(a) && is_plain(b))
        return false;
    struct buffer one = buffer_with_most(LIMIT_PATH), other = buffer_with_most(LIMIT_PATH);
    domain_put_normal(a, &one);
    domain_put_normal(b, &other);
    bool equal = !one.bad && !other.bad && bytes_equal(buffer_bytes(&one), buffer_bytes(&other));
    buffer_done(&one);
    buffer_done(&other);
    return equal;
}

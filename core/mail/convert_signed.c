/* SPDX-License-Identifier: ISC
 *
 * Is anything of a letter signed or encrypted? Told on the safe side: what cannot be known counts
 * as signed.
 */
#include "mail/convert.h"

#include "mail/mime.h"

/* Sums over the text as it stands on the wire (RFC 6376, RFC 8617, RFC 4870). */
static bool is_signature(struct bytes name)
{
    static const struct bytes names[] = {
        BYTES_INIT("DKIM-Signature"), BYTES_INIT("DomainKey-Signature"), BYTES_INIT("ARC-Seal"),
        BYTES_INIT("ARC-Message-Signature"), BYTES_INIT("X-Google-DKIM-Signature"),
        BYTES_INIT("X-PGP-Sig"),
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (bytes_equal_nocase(name, names[i]))
            return true;
    return false;
}

static bool has_signature(struct bytes section)
{
    struct header_reader reader = header_reader_for(is_signature);
    struct header_field field;
    bool found = header_next(&reader, &section, &field) == HEADER_FIELD
              || header_finish(&reader, &field) == HEADER_FIELD;

    header_reader_done(&reader);
    return found;
}

/* RFC 1847; S/MIME (RFC 8551), OpenPGP (RFC 3156). */
static bool is_signed_type(const struct mime_part *part)
{
    static const struct bytes begins[] = {
        BYTES_INIT("pkcs7"), BYTES_INIT("x-pkcs7"), BYTES_INIT("pgp"), BYTES_INIT("x-pgp"),
        BYTES_INIT("cms"), BYTES_INIT("moss"),
    };

    if (bytes_equal(part->type, BYTES("multipart")))
        return bytes_equal(part->subtype, BYTES("signed"))
            || bytes_equal(part->subtype, BYTES("encrypted"));
    for (size_t i = 0; i < COUNT(begins); i++)
        if (bytes_equal(part->type, BYTES("application")) && bytes_begins(part->subtype, begins[i]))
            return true;
    return false;
}

bool convert_is_signed(struct bytes letter)
{
    struct mime mime;
    bool is = !mime_init(&mime)
           || bytes_search(letter, BYTES("-----BEGIN ")) < letter.n;    /* PEM, OpenPGP */

    if (!is) {
        mime_feed(&mime, letter);
        mime_finish(&mime);
        is = (mime_flaws(&mime) & (MIME_TOO_DEEP | MIME_TOO_MANY | MIME_NO_MEMORY)) != 0;
    }
    for (uint32_t i = 0; i < mime.n && !is; i++) {
        const struct mime_part *part = &mime.parts[i];
        struct bytes section = bytes_first(bytes_skip(letter, (size_t)part->header_at),
                                           (size_t)(part->body_at - part->header_at));
        is = is_signed_type(part) || has_signature(section);
    }
    mime_done(&mime);
    return is;
}

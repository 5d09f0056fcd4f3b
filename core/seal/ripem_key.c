/* SPDX-License-Identifier: ISC
 *
 * RIPEM's records, RIPEM 1.2 and 3.0: fields "Name: value" whose values go on in lines that begin
 * with a blank. A blank line ends a record, so does a boundary; "#" begins a comment. Fields that
 * are not known are passed over.
 */
#include "seal/key_file_int.h"

#include <string.h>

enum { DIGEST_HEX = 32 };

enum field {
    FIELD_USER, FIELD_PUBLIC, FIELD_DIGEST, FIELD_CERT, FIELD_SEALED, FIELD_CRL, FIELD_UPDATE,
    FIELD_NAME, FIELDS
};

static const char *const field_names[FIELDS] = {
    [FIELD_USER] = "User:", [FIELD_PUBLIC] = "PublicKeyInfo:", [FIELD_DIGEST] = "MD5OfPublicKey:",
    [FIELD_CERT] = "CertificateInfo:", [FIELD_SEALED] = "EncryptedPrivateKeyInfo:",
    [FIELD_CRL] = "CRLInfo:", [FIELD_UPDATE] = "LastUpdate:",
    [FIELD_NAME] = "UserDistinguishedName:",
};

struct record {
    uint32_t line;
    struct bytes names[KEYRING_NAMES_MOST];
    size_t names_n;
    struct bytes values[FIELDS];        /* at == NULL: not there */
};

static enum field field_of(struct bytes line)
{
    enum field field = 0;

    while (field < FIELDS && !bytes_begins_nocase(line, bytes_of(field_names[field])))
        field++;
    return field;
}

bool ripem_is_field(struct bytes line)
{
    return field_of(line) < FIELDS;
}

/* The value: what stands behind the name, and the lines below that begin with a blank. */
static struct bytes take_value(struct key_lines *lines, struct bytes line, size_t name_n)
{
    struct bytes next, value = bytes_skip(line, name_n);

    while (key_peek_line(lines, &next) && next.n > 0 && is_space(next.at[0])) {
        (void)key_next_line(lines, &next);
        value.n = (size_t)(next.at + next.n - value.at);
    }
    return bytes_trim(value);
}

/* False: a field comes a second time. A record that ends so is two, glued together. */
static bool take_field(struct key_lines *lines, struct bytes line, struct record *record)
{
    enum field field = field_of(line);

    if (field == FIELDS) {
        (void)take_value(lines, line, line.n);
        return true;
    }
    struct bytes value = take_value(lines, line, strlen(field_names[field]));
    if (field == FIELD_USER) {
        if (record->names_n < KEYRING_NAMES_MOST && value.n > 0)
            record->names[record->names_n++] = value;
        return true;
    }
    if (record->values[field].at != NULL)
        return false;
    record->values[field] = value;
    return true;
}

static struct key_item *add(struct key_reading *reading, const struct record *record,
                            enum key_item_kind kind, enum field field)
{
    struct bytes der = key_base64(reading->arena, record->values[field]);

    if (der.n == 0) {
        key_new_broken(reading, record->line, "the base64 of a key is broken");
        return NULL;
    }
    struct key_item *item = key_new_item(reading, kind, record->line);
    if (item == NULL)
        return NULL;
    item->der = der;
    for (; item->names_n < record->names_n; item->names_n++)
        item->names[item->names_n] = record->names[item->names_n];
    return item;
}

/* MD5OfPublicKey guards against a key that somebody changed by hand. */
static bool has_digest(struct bytes hex, struct bytes spki)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[DIGEST_MOST];

    if (!digest_of(DIGEST_MD5, spki, digest) || hex.n != DIGEST_HEX)
        return false;
    for (size_t i = 0; i < hex.n; i++) {
        unsigned half = i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15U;
        if (to_lower(hex.at[i]) != digits[half])
            return false;
    }
    return true;
}

/* Is the digest of the record that of the key in it, or of the key in its certificate? */
static bool digest_fits(struct key_reading *reading, const struct record *record)
{
    struct bytes hex = record->values[FIELD_DIGEST], spki = BYTES_NONE;
    struct x509 cert;

    if (hex.at == NULL)
        return true;
    if (record->values[FIELD_PUBLIC].at != NULL)
        spki = key_base64(reading->arena, record->values[FIELD_PUBLIC]);
    else if (record->values[FIELD_CERT].at != NULL
             && x509_read(key_base64(reading->arena, record->values[FIELD_CERT]), &cert)
                == X509_WELL)
        spki = cert.key_der;
    return spki.n == 0 || has_digest(hex, spki);
}

static void end_record(struct key_reading *reading, const struct record *record)
{
    const struct bytes *values = record->values;
    struct key_item *item;

    if (!digest_fits(reading, record)) {
        key_new_broken(reading, record->line, "its MD5OfPublicKey is not that of its key");
        return;
    }
    if (values[FIELD_SEALED].at != NULL) {
        item = add(reading, record, KEY_ITEM_SEALED, FIELD_SEALED);
        if (item != NULL && values[FIELD_PUBLIC].at != NULL)
            item->half = key_base64(reading->arena, values[FIELD_PUBLIC]);
        return;
    }
    if (values[FIELD_PUBLIC].at != NULL)
        (void)add(reading, record, KEY_ITEM_PUBLIC, FIELD_PUBLIC);
    if (values[FIELD_CERT].at != NULL)
        (void)add(reading, record, KEY_ITEM_CERT, FIELD_CERT);
    if (values[FIELD_CRL].at != NULL)
        (void)add(reading, record, KEY_ITEM_CRL, FIELD_CRL);
}

void ripem_read_record(struct key_reading *reading, struct key_lines *lines)
{
    struct record record = { .line = lines->line + 1 };
    struct bytes line;

    while (key_peek_line(lines, &line) && line.n > 0 && !bytes_begins(line, BYTES("-----"))) {
        (void)key_next_line(lines, &line);
        if (line.at[0] != '#' && !take_field(lines, line, &record)) {
            key_new_broken(reading, lines->line, "a field of a record stands twice in it");
            return;
        }
    }
    end_record(reading, &record);
}

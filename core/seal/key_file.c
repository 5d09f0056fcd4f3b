/* SPDX-License-Identifier: ISC
 *
 * Which kind of file, and the PEM of OpenSSL (RFC 7468). RIPEM's boundaries look like PEM's own:
 * what stands behind them tells, since RIPEM puts fields there and PEM base64.
 */
#include "seal/key_file_int.h"

#include "base/base64.h"
#include "crypt/pkcs8.h"

#include <string.h>

#define BEGIN_LINE BYTES("-----BEGIN ")
#define END_LINE BYTES("-----END ")
#define DASHES BYTES("-----")

/* ---- lines and items */

bool key_next_line(struct key_lines *lines, struct bytes *ret_line)
{
    struct bytes line;

    if (!bytes_cut(&lines->rest, '\n', &line))
        return false;
    lines->line++;
    while (line.n > 0 && (is_space(line.at[line.n - 1]) || line.at[line.n - 1] == '\r'))
        line.n--;
    *ret_line = line;
    return true;
}

bool key_peek_line(const struct key_lines *lines, struct bytes *ret_line)
{
    struct key_lines copy = *lines;

    return key_next_line(&copy, ret_line);
}

struct key_item *key_new_item(struct key_reading *reading, enum key_item_kind kind,
                              uint32_t line)
{
    struct key_item *item = reading->file->n == KEY_FILE_ITEMS_MOST
                          ? NULL : arena_take(reading->arena, sizeof(*item));

    if (item == NULL) {
        reading->file->bad = true;
        return NULL;
    }
    item->kind = kind;
    item->line = line;
    item->der = item->half = BYTES_NONE;
    if (reading->last == NULL)
        reading->file->first = item;
    else
        reading->last->next = item;
    reading->last = item;
    reading->file->n++;
    return item;
}

void key_new_broken(struct key_reading *reading, uint32_t line, const char *words)
{
    struct key_item *item = key_new_item(reading, KEY_ITEM_BROKEN, line);

    if (item != NULL)
        item->words = words;
}

struct bytes key_base64(struct arena *arena, struct bytes text)
{
    struct base64_decoder decoder = { 0 };
    struct buffer to = buffer_with_most(text.n);
    struct bytes octets = BYTES_NONE;

    base64_decode(&decoder, text, &to);
    base64_decode_end(&decoder, &to);
    if (!to.bad && to.n > 0 && (decoder.flaws & ~BASE64_BITS_LEFT) == 0)
        octets = arena_copy(arena, buffer_bytes(&to));
    buffer_done(&to);
    return octets.at == NULL ? BYTES_NONE : octets;
}

/* ---- PEM */

/* What a label says, when it is one of a key. */
static bool kind_of_label(struct bytes label, enum key_item_kind *ret_kind)
{
    static const struct {
        const char *label;
        enum key_item_kind kind;
    } labels[] = {
        { "CERTIFICATE", KEY_ITEM_CERT }, { "X509 CERTIFICATE", KEY_ITEM_CERT },
        { "PUBLIC KEY", KEY_ITEM_PUBLIC }, { "RSA PUBLIC KEY", KEY_ITEM_PUBLIC },
        { "X509 CRL", KEY_ITEM_CRL }, { "ENCRYPTED PRIVATE KEY", KEY_ITEM_SEALED },
        { "PRIVATE KEY", KEY_ITEM_PRIVATE }, { "RSA PRIVATE KEY", KEY_ITEM_PRIVATE },
    };

    for (size_t i = 0; i < COUNT(labels); i++) {
        if (bytes_equal(label, bytes_of(labels[i].label))) {
            *ret_kind = labels[i].kind;
            return true;
        }
    }
    return false;
}

static bool label_of(struct bytes line, struct bytes start, struct bytes *ret_label)
{
    if (!bytes_begins(line, start) || !bytes_ends(line, DASHES)
        || line.n < start.n + DASHES.n)
        return false;
    *ret_label = bytes_skip(bytes_first(line, line.n - DASHES.n), start.n);
    return true;
}

struct names {
    struct bytes list[KEYRING_NAMES_MOST];
    size_t n;
};

/* The base64 up to END; false: there is no END. */
static bool take_body(struct key_lines *lines, struct bytes label, struct bytes *ret_body)
{
    const char *from = lines->rest.at;
    struct bytes line, end;

    while (key_peek_line(lines, &line) && !label_of(line, BEGIN_LINE, &end)) {
        *ret_body = (struct bytes){ from, (size_t)(lines->rest.at - from) };
        (void)key_next_line(lines, &line);
        if (label_of(line, END_LINE, &end) && bytes_equal(end, label))
            return true;
    }
    return false;
}

static void read_pem(struct key_reading *reading, struct key_lines *lines, struct bytes label,
                     struct names *names)
{
    uint32_t line = lines->line;
    enum key_item_kind kind;
    struct bytes body;

    if (!kind_of_label(label, &kind))
        return;
    if (!take_body(lines, label, &body)) {
        key_new_broken(reading, line, "its END line is missing");
        return;
    }
    if (bytes_begins(body, BYTES("Proc-Type:"))) {
        key_new_broken(reading, line, "this old encryption of keys is not read; write it anew with"
                                      " `openssl pkcs8 -topk8`");
        return;
    }
    struct bytes der = key_base64(reading->arena, body);
    if (der.n == 0) {
        key_new_broken(reading, line, "its base64 is broken");
        return;
    }
    struct key_item *before = reading->last;
    struct key_item *item = key_new_item(reading, kind, line);
    if (item == NULL)
        return;
    item->der = der;
    if (kind == KEY_ITEM_PUBLIC && names->n == 0 && before != NULL
        && before->kind == KEY_ITEM_SEALED) {
        before->half = der;
        memcpy(names->list, before->names, sizeof(names->list));
        names->n = before->names_n;
    }
    for (; item->names_n < names->n; item->names_n++)
        item->names[item->names_n] = names->list[item->names_n];
    names->n = 0;
}

/* A boundary: PEM's own, or, when a field stands behind it, RIPEM's. */
static void read_boundary(struct key_reading *reading, struct key_lines *lines,
                          struct bytes label, struct names *names)
{
    struct bytes next;

    if (key_peek_line(lines, &next) && ripem_is_field(next)) {
        ripem_read_record(reading, lines);
        return;
    }
    read_pem(reading, lines, label, names);
}

/* Is it a "User:" line of our own, which is followed by other such lines and then by PEM? */
static bool is_before_pem(struct key_lines lines)
{
    struct bytes line;

    for (unsigned n = 0; n <= KEYRING_NAMES_MOST && key_next_line(&lines, &line); n++) {
        if (bytes_begins(line, BEGIN_LINE))
            return true;
        if (!bytes_begins_nocase(line, BYTES("User:")))
            return false;
    }
    return false;
}

static void read_lines(struct key_reading *reading, struct bytes text)
{
    struct key_lines lines = { .rest = text };
    struct names names = { .n = 0 };
    struct bytes line, label;

    for (struct key_lines before = lines; key_next_line(&lines, &line); before = lines) {
        if (reading->file->bad)
            return;
        if (label_of(line, BEGIN_LINE, &label)) {
            read_boundary(reading, &lines, label, &names);
        } else if (bytes_begins_nocase(line, BYTES("User:")) && is_before_pem(before)) {
            if (names.n < KEYRING_NAMES_MOST)
                names.list[names.n++] = bytes_trim(bytes_skip(line, 5));
        } else if (ripem_is_field(line)) {
            lines = before;
            ripem_read_record(reading, &lines);
        }
    }
}

/* ---- bare DER */

static bool kind_of_der(struct bytes der, enum key_item_kind *ret_kind)
{
    struct rsa_public key;
    struct x509_crl crl;
    struct x509 cert;

    if (x509_read(der, &cert) == X509_WELL)
        *ret_kind = KEY_ITEM_CERT;
    else if (x509_crl_read(der, &crl) == X509_WELL)
        *ret_kind = KEY_ITEM_CRL;
    else if (rsa_public_read(der, &key))
        *ret_kind = KEY_ITEM_PUBLIC;
    else if (pkcs8_is_sealed(der))
        *ret_kind = KEY_ITEM_SEALED;
    else
        *ret_kind = KEY_ITEM_PRIVATE;
    return true;
}

void key_file_read(struct bytes text, struct arena *arena, struct key_file *ret_file)
{
    struct key_reading reading = { .arena = arena, .file = ret_file };
    enum key_item_kind kind;

    *ret_file = (struct key_file){ .bad = text.n > KEY_FILE_MOST };
    if (ret_file->bad)
        return;
    if (text.n > 2 && text.at[0] == '\x30' && octet(text.at[1]) >= 0x80
        && kind_of_der(text, &kind)) {
        struct key_item *item = key_new_item(&reading, kind, 0);
        if (item != NULL)
            item->der = text;
        return;
    }
    read_lines(&reading, text);
}

enum keyring_result key_item_add(struct keyring *ring, const struct key_item *item)
{
    struct rsa_public half;
    bool half_known;

    switch (item->kind) {
    case KEY_ITEM_CERT: return keyring_add_cert(ring, item->der, item->names, item->names_n);
    case KEY_ITEM_PUBLIC: return keyring_add_public(ring, item->der, item->names, item->names_n);
    case KEY_ITEM_CRL: return keyring_add_crl(ring, item->der);
    case KEY_ITEM_SEALED:
        half_known = item->half.n > 0 && rsa_public_read(item->half, &half);
        return keyring_add_secret(ring, item->der, half_known ? &half : NULL, item->names,
                                  item->names_n);
    case KEY_ITEM_PRIVATE:
    case KEY_ITEM_BROKEN:
        break;
    }
    return KEYRING_REFUSED;
}

/* SPDX-License-Identifier: ISC
 *
 * Fields in their order (RFC 1421, 9): a Key-Info belongs to the originator or recipient named
 * last, a certificate of an issuer to the originator's certificate or list before it.
 */
#include "seal/pem_int.h"

#include <string.h>

struct reading {
    struct arena *arena;
    struct pem_header *header;
    struct pem_flaw *flaw;
    uint16_t seen[PEM_FIELD_UNKNOWN];       /* how often, counted up to 1001 */
    uint32_t party_seen;                    /* bits of the fields of the recipient under way */
    bool key_was_last;                      /* a Key-Info ended the recipient under way */
};

static bool flaw(struct reading *reading, const struct pem_field *field, const char *what)
{
    return pem_flaw(reading->flaw, field->line, PEM_MALFORMED, pem_field_text(field->name), what);
}

static const char *const type_names[] = {
    [PEM_ENCRYPTED] = "ENCRYPTED", [PEM_MIC_ONLY] = "MIC-ONLY", [PEM_MIC_CLEAR] = "MIC-CLEAR",
    [PEM_CRL] = "CRL", [PEM_CRL_RETRIEVAL_REQUEST] = "CRL-RETRIEVAL-REQUEST",
};

const char *pem_type_name(enum pem_type type)
{
    return type < COUNT(type_names) ? type_names[type] : "";
}

bool pem_type_of(struct bytes name, enum pem_type *ret_type)
{
    for (size_t i = 0; i < COUNT(type_names); i++) {
        if (bytes_equal_nocase(name, bytes_of(type_names[i]))) {
            *ret_type = (enum pem_type)i;
            return true;
        }
    }
    return false;
}

static bool take_type(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;
    struct bytes arguments[2];

    if (!pem_arguments(field->value, arguments, 2))
        return flaw(reading, field, "is not a version and a type");
    header->version = bytes_equal(arguments[0], BYTES("4")) ? 4
                    : bytes_equal(arguments[0], BYTES("2001")) ? 2001 : 0;
    if (header->version == 0)
        return pem_flaw(reading->flaw, field->line, PEM_UNSUPPORTED, "Proc-Type",
                        "has a version that is neither 4 nor 2001");
    return pem_type_of(arguments[1], &header->type)
        || pem_flaw(reading->flaw, field->line, PEM_UNSUPPORTED, "Proc-Type",
                    "has a type that is not known");
}

/* ---- originator, recipients, certificates */

static struct pem_party *recipient_of(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;
    uint32_t bit = 1u << field->name;
    bool next = header->recipients_n == 0 || reading->key_was_last
             || (reading->party_seen & bit) != 0;

    if (next && header->recipients_n == PEM_RECIPIENTS_MOST)
        return NULL;
    if (next) {
        header->recipients_n++;
        reading->party_seen = 0;
        reading->key_was_last = false;
    }
    reading->party_seen |= bit;
    return &header->recipients[header->recipients_n - 1];
}

static bool take_certificate(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;

    if (header->certificates_n == PEM_CERTIFICATES_MOST)
        return flaw(reading, field, "stands more than 32 times");
    if (!pem_base64(field->value, reading->arena, &header->certificates[header->certificates_n]))
        return flaw(reading, field, "is no base64");
    header->certificates_n++;
    if (header->crls_n > 0)
        header->crls[header->crls_n - 1].count++;
    return true;
}

static bool take_crl(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;
    struct pem_crl crl = { .first = header->certificates_n };

    if (header->crls_n == PEM_CERTIFICATES_MOST)
        return flaw(reading, field, "stands more than 32 times");
    if (!pem_base64(field->value, reading->arena, &crl.der))
        return flaw(reading, field, "is no base64");
    header->crls[header->crls_n++] = crl;
    return true;
}

static bool take_issuer(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;

    if (header->issuers_n == PEM_CERTIFICATES_MOST)
        return flaw(reading, field, "stands more than 32 times");
    if (!pem_base64(field->value, reading->arena, &header->issuers[header->issuers_n]))
        return flaw(reading, field, "is no base64");
    header->issuers_n++;
    return true;
}

static bool take_owned(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;
    struct pem_party *party = &header->originator;

    if (header->type == PEM_CRL && field->name == PEM_FIELD_ORIGINATOR_CERTIFICATE)
        return header->crls_n > 0 ? take_certificate(reading, field)
                                  : flaw(reading, field, "before any CRL");
    if (pem_field_owner(field->name) == PEM_RECIPIENT)
        party = recipient_of(reading, field);
    else if (reading->seen[field->name] > 1)
        return flaw(reading, field, "stands twice");
    if (party == NULL)
        return flaw(reading, field, "more than 1000 recipients");
    return pem_take_party(field, reading->arena, party, reading->flaw);
}

static bool take_key(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;

    if (header->recipients_n > 0) {
        reading->key_was_last = true;
        return pem_take_key(field, reading->arena, &header->recipients[header->recipients_n - 1],
                            reading->flaw);
    }
    if (header->originator.line == 0 || header->has_mic)
        return flaw(reading, field, "before any Recipient");
    return pem_take_key(field, reading->arena, &header->originator, reading->flaw);
}

/* ---- all */

static bool take_field(struct reading *reading, const struct pem_field *field)
{
    struct pem_header *header = reading->header;
    bool once = field->name != PEM_FIELD_UNKNOWN && ++reading->seen[field->name] == 1;

    switch (field->name) {
    case PEM_FIELD_PROC_TYPE: return once ? take_type(reading, field)
                                          : flaw(reading, field, "stands twice");
    case PEM_FIELD_CONTENT_DOMAIN:
        header->domain = field->value;
        return once || flaw(reading, field, "stands twice");
    case PEM_FIELD_DEK_INFO:
        return once ? pem_take_dek(field, reading->arena, header, reading->flaw)
                    : flaw(reading, field, "stands twice");
    case PEM_FIELD_MIC_INFO:
        return once ? pem_take_mic(field, reading->arena, header, reading->flaw)
                    : flaw(reading, field, "stands twice");
    case PEM_FIELD_ORIGINATOR_NAME: case PEM_FIELD_ORIGINATOR_CERTIFICATE:
    case PEM_FIELD_ORIGINATOR_KEY: case PEM_FIELD_ORIGINATOR_ID_ASYMMETRIC:
    case PEM_FIELD_ORIGINATOR_ID_SYMMETRIC: case PEM_FIELD_RECIPIENT_NAME:
    case PEM_FIELD_RECIPIENT_KEY: case PEM_FIELD_RECIPIENT_ID_ASYMMETRIC:
    case PEM_FIELD_RECIPIENT_ID_SYMMETRIC:
        return take_owned(reading, field);
    case PEM_FIELD_ISSUER_CERTIFICATE:
        return header->originator.certificate.n > 0 || header->crls_n > 0
            ? take_certificate(reading, field)
            : flaw(reading, field, "before any Originator-Certificate");
    case PEM_FIELD_KEY_INFO: return take_key(reading, field);
    case PEM_FIELD_CRL: return take_crl(reading, field);
    case PEM_FIELD_ISSUER: return take_issuer(reading, field);
    case PEM_FIELD_UNKNOWN:
        header->unknown_fields = true;
        break;
    }
    return true;
}

/* Memory for as many as the fields can give. */
static bool make_room(struct reading *reading, const struct pem_field *fields, size_t n)
{
    struct pem_header *header = reading->header;
    size_t recipients = 1, others = 1;

    for (size_t i = 0; i < n; i++) {
        recipients += pem_field_owner(fields[i].name) == PEM_RECIPIENT;
        others += pem_field_owner(fields[i].name) != PEM_RECIPIENT;
    }
    recipients = recipients < PEM_RECIPIENTS_MOST ? recipients : PEM_RECIPIENTS_MOST;
    others = others < PEM_CERTIFICATES_MOST ? others : PEM_CERTIFICATES_MOST;
    header->recipients = arena_take(reading->arena, recipients * sizeof(*header->recipients));
    header->certificates = arena_take(reading->arena, others * sizeof(*header->certificates));
    header->crls = arena_take(reading->arena, others * sizeof(*header->crls));
    header->issuers = arena_take(reading->arena, others * sizeof(*header->issuers));
    return header->recipients != NULL && header->certificates != NULL && header->crls != NULL
        && header->issuers != NULL;
}

static bool lacks(struct reading *reading, uint32_t line, const char *name)
{
    return pem_flaw(reading->flaw, line, PEM_MALFORMED, name, "is missing");
}

/* Is all there that this type needs? The line is that of the header's end. */
static bool is_complete(struct reading *reading, uint32_t line)
{
    const struct pem_header *header = reading->header;
    bool symmetric = header->type == PEM_ENCRYPTED && header->recipients_n > 0
                  && header->recipients[0].symmetric.entity.n > 0;

    if (header->type == PEM_CRL)
        return header->crls_n > 0 || lacks(reading, line, "CRL");
    if (header->type == PEM_CRL_RETRIEVAL_REQUEST)
        return header->issuers_n > 0 || lacks(reading, line, "Issuer");
    if (header->type == PEM_ENCRYPTED && !header->has_dek)
        return lacks(reading, line, "DEK-Info");
    if (header->originator.line == 0)
        return lacks(reading, line, "every Originator field");
    if (!header->has_mic && !symmetric)
        return lacks(reading, line, "MIC-Info");
    if (header->type == PEM_ENCRYPTED && header->recipients_n == 0
        && header->originator.way == PEM_KEY_NONE)
        return lacks(reading, line, "every Recipient field");
    return true;
}

static bool keep_originator(struct reading *reading, const struct pem_field *fields, size_t n)
{
    struct buffer text = buffer_with_most(PEM_HEADER_MOST);

    for (size_t i = 0; i < n; i++) {
        struct bytes rest = fields[i].raw, line;
        if (pem_field_owner(fields[i].name) != PEM_ORIGINATOR
            && fields[i].name != PEM_FIELD_ISSUER_CERTIFICATE)
            continue;
        while (bytes_cut(&rest, '\n', &line)) {
            buffer_put(&text, bytes_ends(line, BYTES("\r")) ? bytes_first(line, line.n - 1) : line);
            buffer_put_char(&text, '\n');
        }
    }
    reading->header->originator_text = arena_copy(reading->arena, buffer_bytes(&text));
    bool done = !text.bad && reading->header->originator_text.at != NULL;
    buffer_done(&text);
    return done;
}

bool pem_header_read(struct bytes text, uint32_t line, struct arena *arena,
                     struct pem_header *ret_header, struct pem_flaw *reterr_flaw)
{
    struct pem_header header = { .line = line - 1 };
    struct reading reading = { .arena = arena, .header = &header, .flaw = reterr_flaw };
    struct pem_field *fields;
    size_t n;

    if (text.n > PEM_HEADER_MOST)
        return pem_flaw(reterr_flaw, line, PEM_MALFORMED, "", "the header is larger than 64 KiB");
    if (!pem_fields_read(text, line, arena, &fields, &n, reterr_flaw))
        return false;
    if (n == 0 || fields[0].name != PEM_FIELD_PROC_TYPE)
        return pem_flaw(reterr_flaw, line, PEM_MALFORMED, "", "Proc-Type is not the first field");
    if (!make_room(&reading, fields, n))
        return pem_flaw(reterr_flaw, line, PEM_MALFORMED, "", "the header is too large");
    for (size_t i = 0; i < n; i++)
        if (!take_field(&reading, &fields[i]))
            return false;
    if (!is_complete(&reading, fields[n - 1].line))
        return false;
    if (!keep_originator(&reading, fields, n))
        return pem_flaw(reterr_flaw, line, PEM_MALFORMED, "", "the header is too large");
    *ret_header = header;
    return true;
}

/* SPDX-License-Identifier: ISC
 *
 * seal/pem_int.h: what the files of the header's reader share: lines, fields, values, flaws.
 */
#ifndef POSTERN_SEAL_PEM_INT_H
#define POSTERN_SEAL_PEM_INT_H

#include "seal/pem.h"

#include "seal/pem_field.def"

#define PEM_BEGIN_LINE BYTES("-----BEGIN PRIVACY-ENHANCED MESSAGE-----")
#define PEM_END_LINE BYTES("-----END PRIVACY-ENHANCED MESSAGE-----")

/* ---- lines */

enum pem_line {
    PEM_LINE_OTHER, PEM_LINE_BEGIN, PEM_LINE_END,
    PEM_LINE_LIKE_BEGIN, PEM_LINE_LIKE_END,     /* a boundary spelled otherwise */
};
/* What a line without its line end is. White space behind a boundary is passed over. */
enum pem_line pem_line_of(struct bytes line);
/* Nothing but white space? */
bool pem_is_blank(struct bytes line);

/* ---- fields */

enum pem_owner { PEM_NOBODY, PEM_ORIGINATOR, PEM_RECIPIENT };
#define PEM_FIELD_NAME_(NAME, text, owner, is_text) PEM_FIELD_##NAME,
enum pem_field_name { PEM_FIELD_LIST(PEM_FIELD_NAME_) PEM_FIELD_UNKNOWN };
#undef PEM_FIELD_NAME_
/* As RFC 1421 writes it. */
const char *pem_field_text(enum pem_field_name name);
enum pem_owner pem_field_owner(enum pem_field_name name);

struct pem_field {
    enum pem_field_name name;
    uint32_t line;
    struct bytes value;         /* unfolded, trimmed */
    struct bytes raw;           /* all its lines */
};
/* The fields of a header, in order. */
MUST_USE bool pem_fields_read(struct bytes text, uint32_t line, struct arena *arena,
                              struct pem_field **ret_fields, size_t *ret_n,
                              struct pem_flaw *reterr_flaw);

/* ---- values, in a header's arena */

/* Fill the flaw; always false. Words are "NAME: what" when there is a name. */
bool pem_flaw(struct pem_flaw *reterr, uint32_t line, enum pem_verdict verdict, const char *name,
              const char *what);
/* Base64 without a foreign character; white space within is passed over. */
MUST_USE bool pem_base64(struct bytes text, struct arena *arena, struct bytes *ret_octets);
/* An even number of hexadecimal digits in either case. */
MUST_USE bool pem_hex(struct bytes text, struct arena *arena, struct bytes *ret_octets);
/* The arguments between commas, trimmed: exactly n of them. */
MUST_USE bool pem_arguments(struct bytes value, struct bytes *ret_arguments, size_t n);
/* "<base64 Name>,<hexadecimal serial>" */
MUST_USE bool pem_issued(struct bytes value, struct arena *arena, struct pem_issued *ret_issued);
/* As they are written. */
const char *pem_digest_text(enum digest_kind kind);
const char *pem_cipher_text(enum cipher_kind kind);
/* The value of one field into the header. */
MUST_USE bool pem_take_dek(const struct pem_field *field, struct arena *arena,
                           struct pem_header *header, struct pem_flaw *reterr_flaw);
MUST_USE bool pem_take_mic(const struct pem_field *field, struct arena *arena,
                           struct pem_header *header, struct pem_flaw *reterr_flaw);
MUST_USE bool pem_take_key(const struct pem_field *field, struct arena *arena,
                           struct pem_party *party, struct pem_flaw *reterr_flaw);
/* A field of an originator or a recipient. */
MUST_USE bool pem_take_party(const struct pem_field *field, struct arena *arena,
                             struct pem_party *party, struct pem_flaw *reterr_flaw);

#endif

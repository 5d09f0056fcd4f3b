/* SPDX-License-Identifier: ISC
 *
 * seal/pem_words.h: a verdict as people read it, on one screen, and as programs do.
 *
 * All that a message says of itself is a stranger's and leaves escaped.
 */
#ifndef POSTERN_SEAL_PEM_WORDS_H
#define POSTERN_SEAL_PEM_WORDS_H

#include "base/json.h"
#include "seal/pem_reader.h"

struct pem_report {
    size_t number;              /* of the message in the input, from 1 */
    uint32_t line;              /* of its BEGIN boundary */
    struct bytes when;          /* what the text says of its own date, or empty */
};

/* The date that a text names near its start: of an EDGAR filing ("FILED AS OF DATE:"), or of a
   mail's header ("Date:"). Empty when there is none. Borrows. */
struct bytes pem_find_date(struct bytes start);
/* "unchanged, ..." in a sentence, then a line for each fact. */
void pem_put_report(const struct pem_found *found, const struct pem_report *report,
                    struct buffer *to);
/* One object. */
void pem_put_json(const struct pem_found *found, const struct pem_report *report,
                  struct json *json);
/* "rfc1421", "ripem" or "modern": what kind of header it is. */
const char *pem_kind_name(const struct pem_header *header);

#endif

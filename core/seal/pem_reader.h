/* SPDX-License-Identifier: ISC
 *
 * seal/pem_reader.h: any text in, and of each privacy-enhanced message in it a verdict.
 *
 * One level is opened: what a text holds that is a message again stays text. Octets outside of
 * messages are passed over; boundaries spelled otherwise are named.
 *
 *     while (there is input) {
 *         used = pem_read(reader, input, text);
 *         if (pem_reader_asks(reader))    pem_reader_own(reader, ...);
 *         if (pem_reader_found(reader))   use it, then pem_reader_next(reader);
 *     }
 *     pem_reader_end(reader, text), and pem_reader_found once more.
 */
#ifndef POSTERN_SEAL_PEM_READER_H
#define POSTERN_SEAL_PEM_READER_H

#include "seal/pem_change.h"
#include "seal/pem_keys.h"

enum { PEM_NOTES_MOST = 8 };

struct pem_found {
    enum pem_verdict verdict;
    struct pem_flaw flaw;               /* of a verdict that is not good; words may be empty */
    bool has_header;
    struct pem_header header;
    struct pem_sender sender;
    bool verified;                      /* key and bits are set */
    struct rsa_public key;              /* which signed */
    size_t bits;
    bool trusted, weak_key, weak_mic, weak_dek, weak_path;
    enum pem_change change;
    enum digest_kind mic;               /* of the text, when there is one */
    struct bytes signature;             /* in clear; for converting */
    uint64_t text_octets;               /* given out */
    uint64_t from, to;                  /* octets of the input, BEGIN to END */
};

struct pem_reader;
/* Keys are borrowed and may be asked for (pem_reader_asks). `text_wanted`: false gives none, for
   who only wants verdicts. NULL out of memory. The caller frees. */
MUST_USE struct pem_reader *pem_reader_new(const struct pem_keys *keys, bool text_wanted);
void pem_reader_free(struct pem_reader *reader);
/* Take "- " away as RIPEM does: for a message that was found PEM_CHANGE_RIPEM_DASHES. */
void pem_reader_ripem(struct pem_reader *reader);

/* Give no more of this message's text; the next's is given again. */
void pem_reader_hush(struct pem_reader *reader);

/* Returns how much was used: all of it, unless a message was found or keys are asked for. Text
   goes behind what *to holds, with LF line ends; it is nobody's word until the verdict is good. */
size_t pem_read(struct pem_reader *reader, struct bytes input, struct buffer *to);
/* The input is over. */
void pem_reader_end(struct pem_reader *reader, struct buffer *to);

/* The header of an enciphered message was read, and no key of ours that fits is at hand: the header
   for who can fetch one, or NULL. Reading goes on after pem_reader_own. */
const struct pem_header *pem_reader_asks(const struct pem_reader *reader);
void pem_reader_own(struct pem_reader *reader, const struct pem_own *own, size_t n);

/* What was found; NULL: nothing yet. Lives until pem_reader_next. */
const struct pem_found *pem_reader_found(const struct pem_reader *reader);
void pem_reader_next(struct pem_reader *reader);

/* Lines outside of messages that look like boundaries; for people. */
size_t pem_reader_notes(const struct pem_reader *reader, uint32_t ret_lines[PEM_NOTES_MOST]);

#endif

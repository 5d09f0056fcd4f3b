/* SPDX-License-Identifier: ISC
 *
 * seal/pem_change.h: the digest of a canonical text (RFC 1421, 4.3.2.2), and, when it is not the
 * one that was signed, what may have become of the text on its way.
 *
 * Ways that mail systems are known to change a text are tried at once, in the same pass: each has a
 * digest of its own from the first line on where it makes a difference.
 */
#ifndef POSTERN_SEAL_PEM_CHANGE_H
#define POSTERN_SEAL_PEM_CHANGE_H

#include "base/buffer.h"
#include "crypt/digest.h"

enum pem_change {
    PEM_CHANGE_NONE,
    PEM_CHANGE_RIPEM_DASHES,    /* no change: RIPEM takes "- " only from lines that begin "- -" */
    PEM_CHANGE_FROM,            /* ">" before "From " */
    PEM_CHANGE_DOTS,            /* a dot doubled at the start of a line */
    PEM_CHANGE_END_LOST,        /* blank lines at the end were taken away */
    PEM_CHANGE_END_ADDED,       /* line ends were added at the end */
    PEM_CHANGE_BLANKS,          /* a guess: blanks at ends of lines were taken away */
    PEM_CHANGE_QUOTED,          /* a guess: it is still in quoted-printable */
    PEM_CHANGE_CHARSET,         /* a guess: octets above 127 */
    PEM_CHANGE_UNKNOWN,
    PEM_CHANGES
};
/* One sentence for people, without its dot. */
const char *pem_change_words(enum pem_change change);
/* One word for programs. */
const char *pem_change_name(enum pem_change change);

enum { PEM_ALTERNATES = 3, PEM_TAIL = 1024, PEM_BATCH = 32768 };

struct pem_canon {
    struct digest *main;
    struct digest *other[PEM_ALTERNATES];   /* RIPEM_DASHES, FROM, DOTS; NULL: no difference yet */
    bool bad;                               /* out of memory, or the library failed */
    bool begun;                             /* a line is under way */
    bool unstuffed;                         /* its "- " was taken away */
    char last;                              /* the last octet of the line under way */
    bool ripem;                             /* take "- " only from lines that begin "- -" */
    bool above;                             /* an octet above 127 was seen */
    uint64_t lines, blank_ends, quoted;
    size_t n;
    char batch[PEM_BATCH + PEM_TAIL];       /* of main's text, not yet digested */
};

/* Ready for a text; NULL out of memory. The caller frees. */
MUST_USE struct pem_canon *pem_canon_new(enum digest_kind kind);
void pem_canon_free(struct pem_canon *canon);
/* A piece of a line as it stands in a MIC-CLEAR message, without its line end; `ends` with its
   last piece. Returns the piece as it was signed: without "- ". A line's first piece has at least
   eight octets unless it is the last too. */
struct bytes pem_canon_line(struct pem_canon *canon, struct bytes piece, bool ends);
/* As many whole plain lines from the start of `text` as can be taken at once: none that begins with
   "-", ">", "." or "E" or ends with "-", whose turn is pem_canon_line's. Returns the octets used, 0
   when there is no such line; *ret_lines how many lines they are. What they are as canonical text
   is the end of `batch`, from *ret_from on. */
size_t pem_canon_lines(struct pem_canon *canon, struct bytes text, uint32_t *ret_lines,
                       size_t *ret_from);
/* Octets that are canonical already. */
void pem_canon_put(struct pem_canon *canon, struct bytes text);

/* Does this digest fit? For pem_canon_end. */
struct pem_fits {
    bool (*fits)(const void *of, const uint8_t *digest);
    const void *of;
};
/* The text is over. *ret_digest is that of the text as it is. Returns what must have become of it
   for `fits` to be true of the text; PEM_CHANGE_UNKNOWN or a guess when nothing makes it so. */
enum pem_change pem_canon_end(struct pem_canon *canon, const struct pem_fits *fits,
                              uint8_t ret_digest[static DIGEST_MOST]);

#endif

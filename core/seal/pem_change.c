/* SPDX-License-Identifier: ISC */
#include "seal/pem_change.h"

#include "base/arena.h"

#include <string.h>

static const struct {
    const char *name, *words;
} changes[] = {
    [PEM_CHANGE_NONE] = { "none", "the text is as it was signed" },
    [PEM_CHANGE_RIPEM_DASHES] = { "ripem-dashes", "the text is as it was signed; its lines that "
                                  "begin with a hyphen were guarded in RIPEM's way" },
    [PEM_CHANGE_FROM] = { "from-quoted", "a mailbox put \">\" before lines that begin \"From \"; "
                          "without it the text is as it was signed" },
    [PEM_CHANGE_DOTS] = { "dots-doubled", "a mail program left dots doubled at the start of "
                          "lines; with one each the text is as it was signed" },
    [PEM_CHANGE_END_LOST] = { "end-lost", "blank lines at its end were taken away; with them the "
                              "text is as it was signed" },
    [PEM_CHANGE_END_ADDED] = { "end-added", "line ends were added at its end; without them the "
                               "text is as it was signed" },
    [PEM_CHANGE_BLANKS] = { "blanks-stripped", "most likely somebody who stored or passed it on "
                            "took the blanks away that stood at the ends of lines: there is not "
                            "one left in it" },
    [PEM_CHANGE_QUOTED] = { "quoted-printable", "most likely the text is still in quoted-printable "
                            "and must be decoded first" },
    [PEM_CHANGE_CHARSET] = { "charset", "it holds octets above 127: most likely it was converted "
                             "to another character set on its way" },
    [PEM_CHANGE_UNKNOWN] = { "unknown", "the text or the signature is not what the signer had" },
};
_Static_assert(COUNT(changes) == PEM_CHANGES, "a change without words");

static const enum pem_change alternates[PEM_ALTERNATES] = {
    PEM_CHANGE_RIPEM_DASHES, PEM_CHANGE_FROM, PEM_CHANGE_DOTS,
};

const char *pem_change_words(enum pem_change change)
{
    return changes[change].words;
}

const char *pem_change_name(enum pem_change change)
{
    return changes[change].name;
}

struct pem_canon *pem_canon_new(enum digest_kind kind)
{
    struct pem_canon *canon = mem_new(sizeof(*canon));

    if (canon == NULL)
        return NULL;
    canon->main = digest_new(kind);
    if (canon->main != NULL)
        return canon;
    mem_free(canon);
    return NULL;
}

void pem_canon_free(struct pem_canon *canon)
{
    if (canon == NULL)
        return;
    digest_free(canon->main);
    for (size_t i = 0; i < PEM_ALTERNATES; i++)
        digest_free(canon->other[i]);
    mem_wipe(canon, sizeof(*canon));
    mem_free(canon);
}

static struct bytes held(const struct pem_canon *canon)
{
    return (struct bytes){ canon->batch, canon->n };
}

/* Thirty-two octets at a time: this passes over all of a text. */
static bool has_above(struct bytes text)
{
    uint64_t any[4] = { 0 }, words[4];
    size_t i = 0;

    for (; i + sizeof(words) <= text.n; i += sizeof(words)) {
        memcpy(words, text.at + i, sizeof(words));
        any[0] |= words[0];
        any[1] |= words[1];
        any[2] |= words[2];
        any[3] |= words[3];
    }
    for (; i < text.n; i++)
        any[0] |= octet(text.at[i]) & 0x80u;
    return ((any[0] | any[1] | any[2] | any[3]) & 0x8080808080808080) != 0;
}

/* Digest all but the last octets, which the end may want otherwise. */
static void flush(struct pem_canon *canon, size_t keep)
{
    size_t n = canon->n > keep ? canon->n - keep : 0;

    digest_put(canon->main, bytes_first(held(canon), n));
    if (!canon->above)
        canon->above = has_above(bytes_first(held(canon), n));
    memmove(canon->batch, canon->batch + n, canon->n - n);
    canon->n -= n;
}

void pem_canon_put(struct pem_canon *canon, struct bytes text)
{
    while (text.n > 0) {
        size_t room = sizeof(canon->batch) - canon->n;
        struct bytes part = bytes_first(text, room);
        memcpy(canon->batch + canon->n, part.at, part.n);
        canon->n += part.n;
        text = bytes_skip(text, part.n);
        if (canon->n == sizeof(canon->batch))
            flush(canon, PEM_TAIL);
    }
}

/* RFC 1421, 4.4: "- " stands before each line that begins with a hyphen; readers take it from every
   line that has it. RIPEM takes it only where a hyphen follows. */
static struct bytes unstuff(struct bytes piece, bool ripem)
{
    bool stuffed = bytes_begins(piece, ripem ? BYTES("- -") : BYTES("- "));

    return stuffed ? bytes_skip(piece, 2) : piece;
}

/* What the i-th alternate makes of a piece that begins a line. */
static struct bytes otherwise(const struct pem_canon *canon, size_t i, struct bytes piece,
                              struct bytes main)
{
    switch (alternates[i]) {
    case PEM_CHANGE_RIPEM_DASHES: return unstuff(piece, !canon->ripem);
    case PEM_CHANGE_FROM:
        return bytes_begins(piece, BYTES(">From ")) ? bytes_skip(piece, 1) : main;
    case PEM_CHANGE_DOTS: return bytes_begins(piece, BYTES("..")) ? bytes_skip(piece, 1) : main;
    case PEM_CHANGE_NONE: case PEM_CHANGE_END_LOST: case PEM_CHANGE_END_ADDED:
    case PEM_CHANGE_BLANKS: case PEM_CHANGE_QUOTED: case PEM_CHANGE_CHARSET:
    case PEM_CHANGE_UNKNOWN: case PEM_CHANGES: break;
    }
    return main;
}

/* From here on the i-th alternate has its own text. */
static void part_ways(struct pem_canon *canon, size_t i)
{
    canon->other[i] = digest_copy(canon->main);
    if (canon->other[i] == NULL)
        canon->bad = true;
    else
        digest_put(canon->other[i], held(canon));
}

static void put_others(struct pem_canon *canon, struct bytes piece, struct bytes main, bool ends)
{
    bool first = !canon->begun;

    for (size_t i = 0; i < PEM_ALTERNATES; i++) {
        struct bytes own = first ? otherwise(canon, i, piece, main) : main;
        if (canon->other[i] == NULL && own.n != main.n)
            part_ways(canon, i);
        if (canon->other[i] == NULL)
            continue;
        digest_put(canon->other[i], own);
        if (ends)
            digest_put(canon->other[i], BYTES("\r\n"));
    }
}

static bool has_other(const struct pem_canon *canon)
{
    return canon->other[0] != NULL || canon->other[1] != NULL || canon->other[2] != NULL;
}

/* For the guesses: what lines look like. */
static void count(struct pem_canon *canon, struct bytes piece, bool ends)
{
    if (piece.n > 0)
        canon->last = piece.at[piece.n - 1];
    if (!ends)
        return;
    canon->lines++;
    canon->blank_ends += is_space(canon->last);
    canon->quoted += canon->last == '=';
    canon->last = '\0';
}

struct bytes pem_canon_line(struct pem_canon *canon, struct bytes piece, bool ends)
{
    char start = piece.n > 0 ? piece.at[0] : '\0';
    bool first = !canon->begun, special = first && (start == '-' || start == '>' || start == '.');
    struct bytes main = special ? unstuff(piece, canon->ripem) : piece;

    if (special || has_other(canon))
        put_others(canon, piece, main, ends);
    if (ends && main.n + 2 < sizeof(canon->batch) - canon->n) {     /* nearly every line */
        char *at = canon->batch + canon->n;
        memcpy(at, main.at, main.n);
        at[main.n] = '\r';
        at[main.n + 1] = '\n';
        canon->n += main.n + 2;
    } else {
        pem_canon_put(canon, main);
        pem_canon_put(canon, ends ? BYTES("\r\n") : BYTES_NONE);
    }
    count(canon, piece, ends);
    canon->begun = !ends;
    return main;
}

/* A line that some reader takes otherwise, or that may be a boundary. */
static bool begins_special(char c)
{
    return c == '-' || c == '>' || c == '.' || c == 'E' || c == 'e';
}

size_t pem_canon_lines(struct pem_canon *canon, struct bytes text, uint32_t *ret_lines,
                       size_t *ret_from)
{
    const char *at = text.at, *end = text.at + text.n, *lf;
    uint32_t lines = 0;

    if (canon->begun || has_other(canon))
        return 0;
    if (canon->n >= PEM_BATCH)
        flush(canon, PEM_TAIL);
    *ret_from = canon->n;
    while (at < end && !begins_special(*at) && (lf = memchr(at, '\n', (size_t)(end - at)))) {
        size_t n = (size_t)(lf - at) - (lf > at && lf[-1] == '\r');
        char last = n > 0 ? at[n - 1] : '\0';
        if (last == '-' || n + 2 > sizeof(canon->batch) - canon->n)
            break;
        memcpy(canon->batch + canon->n, at, n);
        memcpy(canon->batch + canon->n + n, "\r\n", 2);
        canon->n += n + 2;
        canon->blank_ends += is_space(last);
        canon->quoted += last == '=';
        lines++;
        at = lf + 1;
    }
    canon->lines += lines;
    *ret_lines = lines;
    return (size_t)(at - text.at);
}

/* ---- the end */

/* Would the text fit with that tail instead of what is held? */
static bool fits_tail(const struct pem_canon *canon, struct bytes tail, size_t added,
                      const struct pem_fits *fits)
{
    uint8_t digest[DIGEST_MOST];
    struct digest *copy = digest_copy(canon->main);
    bool well = copy != NULL;

    if (well) {
        digest_put(copy, tail);
        for (size_t i = 0; i < added; i++)
            digest_put(copy, BYTES("\r\n"));
        well = digest_end(copy, digest) && fits->fits(fits->of, digest);
    }
    digest_free(copy);
    return well;
}

/* Line ends at the end come and go most easily of all. */
static enum pem_change try_ends(const struct pem_canon *canon, const struct pem_fits *fits)
{
    enum { TRIES = 4 };
    struct bytes tail = held(canon);

    for (size_t i = 1; i <= TRIES; i++)
        if (fits_tail(canon, tail, i, fits))
            return PEM_CHANGE_END_LOST;
    for (size_t i = 1; i <= TRIES && bytes_ends(tail, BYTES("\r\n")); i++) {
        tail.n -= 2;
        if (fits_tail(canon, tail, 0, fits))
            return PEM_CHANGE_END_ADDED;
    }
    return PEM_CHANGE_UNKNOWN;
}

static enum pem_change guess(const struct pem_canon *canon)
{
    enum { LINES_LEAST = 10 };

    if (canon->quoted > 0 && canon->quoted * 20 > canon->lines)
        return PEM_CHANGE_QUOTED;
    if (canon->above)
        return PEM_CHANGE_CHARSET;
    if (canon->lines >= LINES_LEAST && canon->blank_ends == 0)
        return PEM_CHANGE_BLANKS;
    return PEM_CHANGE_UNKNOWN;
}

enum pem_change pem_canon_end(struct pem_canon *canon, const struct pem_fits *fits,
                              uint8_t ret_digest[static DIGEST_MOST])
{
    enum pem_change change = PEM_CHANGE_UNKNOWN;
    uint8_t digest[DIGEST_MOST];

    if (canon->bad || fits_tail(canon, held(canon), 0, fits))
        change = canon->bad ? PEM_CHANGE_UNKNOWN : PEM_CHANGE_NONE;
    for (size_t i = 0; i < PEM_ALTERNATES && change == PEM_CHANGE_UNKNOWN; i++)
        if (canon->other[i] != NULL && digest_end(canon->other[i], digest)
            && fits->fits(fits->of, digest))
            change = alternates[i];
    if (change == PEM_CHANGE_UNKNOWN && !canon->bad && canon->lines > 0)
        change = try_ends(canon, fits);
    flush(canon, 0);
    if (!digest_end(canon->main, ret_digest))
        change = PEM_CHANGE_UNKNOWN;
    return change == PEM_CHANGE_UNKNOWN ? guess(canon) : change;
}

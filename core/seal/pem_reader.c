/* SPDX-License-Identifier: ISC
 *
 * Octets to lines, lines to messages. The only code that decides where a message begins and ends
 * (RFC 1421, 4.4 and 9).
 */
#include "seal/pem_reader.h"

#include "seal/pem_int.h"
#include "seal/pem_text_int.h"

#include <string.h>

enum { LINE_MOST = 4096, ARENA_MOST = 4 * 1024 * 1024 };

enum at { OUTSIDE, HEADER, TEXT, SKIP };

struct pem_reader {
    struct pem_keys keys;
    bool wanted, ripem;
    enum at at;
    struct buffer held;             /* a line whose end has not come */
    bool mid;                       /* a part of the line under way was given on */
    uint32_t line;                  /* the number of the line under way, from 1 */
    uint64_t offset;                /* of the input */
    uint64_t start;                 /* where the line under way began */
    struct buffer header;
    uint32_t header_line;
    struct arena arena;
    bool asks, asked;
    bool has_found;
    bool begins_next;               /* another BEGIN ended the message */
    struct pem_found found;
    struct pem_text text;
    struct ciphers ciphers;         /* kept from message to message */
    uint32_t like_end;              /* a line that looks like END, or 0 */
    uint32_t like_begin;            /* the line before looked like BEGIN */
    uint32_t notes[PEM_NOTES_MOST];
    size_t notes_n;
};

struct pem_reader *pem_reader_new(const struct pem_keys *keys, bool text_wanted)
{
    struct pem_reader *reader = mem_new(sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->keys = *keys;
    reader->wanted = text_wanted;
    reader->held = buffer_with_most(LINE_MOST + 2);
    reader->header = buffer_with_most(PEM_HEADER_MOST + 1);
    reader->arena = arena_with_ceiling(ARENA_MOST);
    reader->line = 1;
    return reader;
}

void pem_reader_free(struct pem_reader *reader)
{
    if (reader == NULL)
        return;
    pem_text_done(&reader->text);
    ciphers_done(&reader->ciphers);
    if (reader->held.room > 0)
        mem_wipe(reader->held.at, reader->held.room);
    buffer_done(&reader->held);
    buffer_done(&reader->header);
    arena_done(&reader->arena);
    mem_free(reader);
}

void pem_reader_ripem(struct pem_reader *reader)
{
    reader->ripem = true;
}

void pem_reader_hush(struct pem_reader *reader)
{
    reader->text.wanted = false;
}

/* ---- found */

static void found(struct pem_reader *reader)
{
    reader->found.to = reader->offset;
    reader->has_found = true;
    reader->at = OUTSIDE;
    pem_text_done(&reader->text);
}

static void begin(struct pem_reader *reader, uint32_t line)
{
    reader->at = HEADER;
    reader->found = (struct pem_found){ .from = reader->start };
    reader->found.header.line = line;
    buffer_clear(&reader->header);
    reader->header_line = line + 1;
    reader->asked = false;
    reader->like_end = 0;
}

/* Not readable: the rest up to END is passed over. */
static void fail(struct pem_reader *reader)
{
    reader->found.verdict = reader->found.flaw.verdict;
    reader->at = SKIP;
}

static void fail_with(struct pem_reader *reader, uint32_t line, const char *what)
{
    (void)pem_flaw(&reader->found.flaw, line, PEM_MALFORMED, "", what);
    fail(reader);
}

/* ---- the header */

static void begin_text(struct pem_reader *reader)
{
    reader->text = (struct pem_text){ .keys = &reader->keys, .found = &reader->found,
                                      .arena = &reader->arena, .ciphers = &reader->ciphers,
                                      .wanted = reader->wanted, .ripem = reader->ripem };
    reader->at = pem_text_begin(&reader->text) ? TEXT : SKIP;
}

/* Its header needs a key of ours that was not given: ask once, before the text. */
static bool must_ask(struct pem_reader *reader)
{
    const struct pem_header *header = &reader->found.header;
    const struct rsa_private *key;
    const struct pem_interchange *shared;

    return !reader->asked && header->type == PEM_ENCRYPTED && header->dek_known
        && pem_find_own(&reader->keys, header, &key) == NULL
        && pem_find_interchange(&reader->keys, header, &shared) == NULL;
}

static void end_header(struct pem_reader *reader)
{
    struct pem_found *one = &reader->found;
    uint32_t line = one->header.line;

    if (reader->header.bad) {
        fail_with(reader, reader->header_line, "the header is larger than 64 KiB");
        return;
    }
    if (!pem_header_read(buffer_bytes(&reader->header), reader->header_line, &reader->arena,
                         &one->header, &one->flaw)) {
        one->header = (struct pem_header){ .line = line };
        fail(reader);
        return;
    }
    one->has_header = true;
    if (!pem_find_sender(&reader->keys, &one->header, &one->sender, &one->flaw)) {
        fail(reader);
    } else if (one->header.type == PEM_CRL || one->header.type == PEM_CRL_RETRIEVAL_REQUEST) {
        pem_judge_lists(&reader->keys, one);
        reader->at = SKIP;
    } else if (must_ask(reader)) {
        reader->asks = true;
        reader->asked = true;
        reader->at = TEXT;
    } else {
        begin_text(reader);
    }
}

/* ---- one line, or a piece of a long one */

static void take_outside(struct pem_reader *reader, struct bytes line, enum pem_line what)
{
    bool proc = reader->like_begin > 0
             && (bytes_begins_nocase(line, BYTES("Proc"))
                 || bytes_begins_nocase(line, BYTES("X-Proc")));

    if (what == PEM_LINE_BEGIN) {
        begin(reader, reader->line);
    } else if (proc) {
        begin(reader, reader->like_begin);
        fail_with(reader, reader->like_begin, "a boundary spelled otherwise; it must read "
                  "-----BEGIN PRIVACY-ENHANCED MESSAGE-----");
        found(reader);
    } else if (what == PEM_LINE_LIKE_BEGIN && reader->notes_n < PEM_NOTES_MOST) {
        reader->notes[reader->notes_n++] = reader->line;
    }
    reader->like_begin = what == PEM_LINE_LIKE_BEGIN ? reader->line : 0;
}

static void take_header(struct pem_reader *reader, struct bytes line, enum pem_line what,
                        bool ends, struct buffer *to)
{
    bool over = what == PEM_LINE_END || what == PEM_LINE_BEGIN;

    if (!over && !(pem_is_blank(line) && ends && !reader->mid)) {
        if (what == PEM_LINE_LIKE_END)
            reader->like_end = reader->line;
        buffer_put(&reader->header, line);
        if (ends)
            buffer_put_char(&reader->header, '\n');
        return;
    }
    if (what == PEM_LINE_BEGIN)
        fail_with(reader, reader->line, "a BEGIN boundary inside a header");
    else
        end_header(reader);
    if (!over)
        return;
    /* A message without a text: the MIC is that of nothing. */
    if (reader->asks) {
        reader->asks = false;
        begin_text(reader);
    }
    if (reader->at == TEXT)
        pem_text_end(&reader->text, to);
    reader->begins_next = what == PEM_LINE_BEGIN;
    found(reader);
}

static void take_text(struct pem_reader *reader, struct bytes line, enum pem_line what, bool ends,
                      struct buffer *to)
{
    if (what == PEM_LINE_END || what == PEM_LINE_BEGIN) {
        if (reader->at == TEXT)
            pem_text_end(&reader->text, to);
        reader->begins_next = what == PEM_LINE_BEGIN;
        found(reader);
        return;
    }
    if (what == PEM_LINE_LIKE_END)
        reader->like_end = reader->line;
    if (reader->at == TEXT && !pem_text_line(&reader->text, line, ends, to)) {
        reader->found.flaw.line = reader->line;
        reader->at = SKIP;
    }
}

/* Most lines of a text are told from boundaries by one octet at each end. */
static bool may_be_boundary(struct bytes line)
{
    char first = line.n > 0 ? line.at[0] : '\0', last = line.n > 0 ? line.at[line.n - 1] : '\0';

    return first == '-' || first == 'E' || first == 'e' || last == '-';
}

static void take_line(struct pem_reader *reader, struct bytes line, bool ends, struct buffer *to)
{
    bool whole = ends && !reader->mid;
    enum pem_line what = PEM_LINE_OTHER;

    if (whole && (reader->at == OUTSIDE || reader->at == HEADER || may_be_boundary(line)))
        what = pem_line_of(line);
    switch (reader->at) {
    case OUTSIDE: take_outside(reader, whole ? line : BYTES_NONE, what); break;
    case HEADER: take_header(reader, line, what, ends, to); break;
    case TEXT: case SKIP: take_text(reader, line, what, ends, to); break;
    }
    reader->mid = !ends;
    reader->line += ends;
}

/* ---- octets to lines */

static struct bytes without_cr(struct bytes line)
{
    return line.n > 0 && line.at[line.n - 1] == '\r' ? bytes_first(line, line.n - 1) : line;
}

/* Hold what has no end yet; what grows too long goes on in pieces, but never its last "\r" without
   what follows. */
static size_t hold(struct pem_reader *reader, struct bytes input, struct buffer *to)
{
    size_t room = LINE_MOST - reader->held.n, lf = bytes_find(bytes_first(input, room), '\n');
    struct bytes part = bytes_first(input, lf);
    bool ends = lf < input.n && lf < room;

    buffer_put(&reader->held, part);
    reader->offset += part.n + ends;
    if (!ends && reader->held.n < LINE_MOST)
        return part.n;
    struct bytes line = without_cr(buffer_bytes(&reader->held));
    bool cr = line.n < reader->held.n;
    take_line(reader, line, ends, to);
    buffer_clear(&reader->held);
    if (cr && !ends)
        buffer_put_char(&reader->held, '\r');
    return part.n + ends;
}

static bool is_stopped(const struct pem_reader *reader)
{
    return reader->has_found || reader->asks;
}

/* Lines of a text in the quick way; 0: this line needs a look. */
static size_t take_lines(struct pem_reader *reader, struct bytes input, struct buffer *to)
{
    uint32_t lines = 0;
    bool may = reader->at == TEXT && reader->held.n == 0 && !reader->mid;
    size_t used = may ? pem_text_lines(&reader->text, input, &lines, to) : 0;

    reader->offset += used;
    reader->line += lines;
    return used;
}

size_t pem_read(struct pem_reader *reader, struct bytes input, struct buffer *to)
{
    size_t used = 0;

    while (used < input.n && !is_stopped(reader)) {
        struct bytes rest = { input.at + used, input.n - used };
        size_t run = take_lines(reader, rest, to);
        used += run;
        if (run > 0)
            continue;
        if (reader->held.n == 0 && !reader->mid)
            reader->start = reader->offset;
        const char *lf = reader->held.n > 0 || reader->mid ? NULL : memchr(rest.at, '\n', rest.n);
        if (lf == NULL) {
            used += hold(reader, rest, to);
            continue;
        }
        struct bytes line = { rest.at, (size_t)(lf - rest.at) };
        used += line.n + 1;
        reader->offset += line.n + 1;
        take_line(reader, without_cr(line), true, to);
    }
    return used;
}

void pem_reader_end(struct pem_reader *reader, struct buffer *to)
{
    if (reader->asks)
        pem_reader_own(reader, reader->keys.own, reader->keys.own_n);
    if (reader->has_found)
        return;
    if (reader->held.n > 0 || reader->mid) {
        struct bytes line = without_cr(buffer_bytes(&reader->held));
        take_line(reader, line, true, to);
        buffer_clear(&reader->held);
    }
    if (reader->asks)
        pem_reader_own(reader, reader->keys.own, reader->keys.own_n);
    if (reader->has_found || reader->at == OUTSIDE)
        return;
    if (reader->found.flaw.words[0] == '\0' || reader->at != SKIP) {
        bool like = reader->like_end > 0;
        fail_with(reader, like ? reader->like_end : reader->line, like
                  ? "the END boundary is spelled otherwise, or does not begin its line"
                  : "the END boundary is missing");
    }
    found(reader);
}

/* ---- keys, and what was found */

const struct pem_header *pem_reader_asks(const struct pem_reader *reader)
{
    return reader->asks ? &reader->found.header : NULL;
}

void pem_reader_own(struct pem_reader *reader, const struct pem_own *own, size_t n)
{
    reader->keys.own = own;
    reader->keys.own_n = n;
    if (!reader->asks)
        return;
    reader->asks = false;
    begin_text(reader);
}

const struct pem_found *pem_reader_found(const struct pem_reader *reader)
{
    return reader->has_found ? &reader->found : NULL;
}

void pem_reader_next(struct pem_reader *reader)
{
    bool again = reader->begins_next;

    reader->has_found = false;
    reader->begins_next = false;
    arena_reset(&reader->arena);
    reader->found = (struct pem_found){ 0 };
    if (again)
        begin(reader, reader->line - 1);
}

size_t pem_reader_notes(const struct pem_reader *reader, uint32_t ret_lines[PEM_NOTES_MOST])
{
    memcpy(ret_lines, reader->notes, sizeof(reader->notes));
    return reader->notes_n;
}

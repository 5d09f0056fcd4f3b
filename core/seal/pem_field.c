/* SPDX-License-Identifier: ISC
 *
 * Lines to fields: RFC 1421, 4.6, with the folding of RFC 822, 3.1.1.
 */
#include "seal/pem_int.h"

#include <string.h>

#define ROW_(NAME, text, owner, is_text) { text, PEM_##owner, is_text },
static const struct {
    const char *text;
    enum pem_owner owner;
    bool is_text;
} rows[] = { PEM_FIELD_LIST(ROW_) };
#undef ROW_

const char *pem_field_text(enum pem_field_name name)
{
    return name < COUNT(rows) ? rows[name].text : "";
}

enum pem_owner pem_field_owner(enum pem_field_name name)
{
    return name < COUNT(rows) ? rows[name].owner : PEM_NOBODY;
}

/* ---- lines */

bool pem_is_blank(struct bytes line)
{
    return bytes_trim(line).n == 0;
}

/* Letters and digits alone, in lower case: what is left of a boundary when case, hyphens and blanks
   are set aside. At most `room`. */
static size_t squeeze(struct bytes line, char *ret, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < line.n && n < room; i++)
        if (is_alnum(line.at[i]))
            ret[n++] = to_lower(line.at[i]);
    return n;
}

static bool is_trailing(struct bytes line, struct bytes boundary)
{
    return bytes_begins(line, boundary) && pem_is_blank(bytes_skip(line, boundary.n));
}

enum pem_line pem_line_of(struct bytes line)
{
    enum { ROOM = 200 };
    char room[ROOM];

    if (line.n < 20)
        return PEM_LINE_OTHER;
    if (is_trailing(line, PEM_BEGIN_LINE))
        return PEM_LINE_BEGIN;
    if (is_trailing(line, PEM_END_LINE))
        return PEM_LINE_END;
    bool may_be = bytes_find(line, 'P') < line.n || bytes_find(line, 'p') < line.n;
    if (!may_be || line.n > 4 * ROOM)
        return PEM_LINE_OTHER;
    struct bytes bare = { room, squeeze(line, room, ROOM) };
    if (bytes_search(bare, BYTES("endprivacyenhancedmessage")) < bare.n)
        return PEM_LINE_LIKE_END;
    if (bytes_search(bare, BYTES("beginprivacyenhancedmessage")) < bare.n
        || bytes_begins(bare, BYTES("privacyenhancedmessageproctype"))
        || bytes_equal(bare, BYTES("privacyenhancedmessage")))
        return PEM_LINE_LIKE_BEGIN;
    return PEM_LINE_OTHER;
}

/* ---- fields */

static enum pem_field_name name_of(struct bytes name, bool *ret_like)
{
    char bare[40], other[40];
    size_t n = squeeze(name, bare, sizeof(bare));

    *ret_like = false;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (bytes_equal_nocase(name, bytes_of(rows[i].text)))
            return (enum pem_field_name)i;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t m = squeeze(bytes_of(rows[i].text), other, sizeof(other));
        if (n == m && memcmp(bare, other, n) == 0) {
            *ret_like = true;
            return (enum pem_field_name)i;
        }
    }
    return PEM_FIELD_UNKNOWN;
}

/* RFC 1113 wrote "X-" before each. */
static struct bytes without_x(struct bytes name)
{
    return bytes_begins_nocase(name, BYTES("X-")) ? bytes_skip(name, 2) : name;
}

static bool take_name(struct bytes line, struct pem_field *field, struct pem_flaw *reterr_flaw)
{
    size_t colon = bytes_find(line, ':');
    struct bytes name = without_x(bytes_trim(bytes_first(line, colon)));
    bool like;

    field->name = name_of(name, &like);
    if (like) {
        char words[80] = "is spelled otherwise (case and colon aside, its hyphens count)";
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, pem_field_text(field->name),
                        words);
    }
    if (colon == line.n || name.n == 0)
        return pem_flaw(reterr_flaw, field->line, PEM_MALFORMED, "",
                        "neither a field nor the blank line that ends the header");
    return true;
}

/* The lines of one field; *rest moves behind them. */
static struct bytes take_lines(struct bytes *rest, uint32_t *line)
{
    struct bytes raw = *rest, one;

    (void)bytes_cut(rest, '\n', &one);
    ++*line;
    while (rest->n > 0 && is_space(rest->at[0])) {
        (void)bytes_cut(rest, '\n', &one);
        ++*line;
    }
    raw.n = (size_t)(rest->n > 0 ? rest->at - raw.at : (ptrdiff_t)raw.n);
    return raw;
}

static bool unfold(struct pem_field *field, struct arena *arena)
{
    bool is_text = field->name < COUNT(rows) && rows[field->name].is_text;
    char *at = arena_take(arena, field->raw.n + 1);
    struct bytes rest = field->raw, line;
    size_t n = 0;

    if (at == NULL)
        return false;
    for (bool first = true; bytes_cut(&rest, '\n', &line); first = false) {
        struct bytes part = bytes_trim(first ? bytes_skip(line, bytes_find(line, ':') + 1) : line);
        if (is_text && n > 0 && part.n > 0)
            at[n++] = ' ';
        memcpy(at + n, part.at, part.n);
        n += part.n;
    }
    field->value = (struct bytes){ at, n };
    return true;
}

static size_t count_lines(struct bytes text)
{
    size_t n = 0;
    struct bytes line;

    while (bytes_cut(&text, '\n', &line))
        n++;
    return n;
}

bool pem_fields_read(struct bytes text, uint32_t line, struct arena *arena,
                     struct pem_field **ret_fields, size_t *ret_n, struct pem_flaw *reterr_flaw)
{
    struct pem_field *fields = arena_take(arena, count_lines(text) * sizeof(*fields) + 1);
    size_t n = 0;

    for (struct bytes rest = text; fields != NULL && rest.n > 0; n++) {
        fields[n].line = line;
        if (is_space(rest.at[0]))
            return pem_flaw(reterr_flaw, line, PEM_MALFORMED, "", "a folded line before any field");
        fields[n].raw = take_lines(&rest, &line);
        if (!take_name(bytes_upto(fields[n].raw, '\n'), &fields[n], reterr_flaw))
            return false;
        if (!unfold(&fields[n], arena))
            return pem_flaw(reterr_flaw, line, PEM_MALFORMED, "", "the header is too large");
    }
    if (fields == NULL)
        return pem_flaw(reterr_flaw, line, PEM_MALFORMED, "", "the header is too large");
    *ret_fields = fields;
    *ret_n = n;
    return true;
}

/* SPDX-License-Identifier: ISC
 *
 * The walk: parts in the order they begin, what lies between them as it is, headers and bodies of
 * those that need it anew.
 */
#include "mail/convert_int.h"

#include "mail/mime.h"

/* What is in some octets that not every server takes. */
enum nature {
    NATURE_8BIT = 1,
    NATURE_BINARY = 2,          /* NUL, CR or LF alone, or a line of more than 998 octets */
};

enum { LINE_MOST = 998, PART_SIGNED = 1, PART_RECODED = 2 };

struct conversion {
    struct bytes letter;
    const struct convert_for *server;
    bool lowers;                /* header fields become ASCII */
    struct mime mime;
    struct buffer *to;
    enum convert_verdict verdict;
};

static struct bytes slice(const struct conversion *c, uint64_t from, uint64_t end)
{
    return bytes_first(bytes_skip(c->letter, (size_t)from), (size_t)(end - from));
}

static unsigned nature_of(struct bytes text)
{
    unsigned nature = 0;
    size_t line = 0;

    for (size_t i = 0; i < text.n; i++) {
        char ch = text.at[i];
        bool cr = ch == '\r' && i + 1 < text.n && text.at[i + 1] == '\n';
        bool lf = ch == '\n' && i > 0 && text.at[i - 1] == '\r';
        line = lf ? 0 : line + 1;
        if (octet(ch) > 127)
            nature |= NATURE_8BIT;
        if (ch == '\0' || (ch == '\r' && !cr) || (ch == '\n' && !lf)
            || line > LINE_MOST + (cr ? 1 : 0))
            nature |= NATURE_BINARY;
    }
    return nature;
}

/* Does the server not take octets of that nature? */
static bool is_too_much(const struct conversion *c, unsigned nature)
{
    return ((nature & NATURE_8BIT) != 0 && !c->server->eight_bit)
        || ((nature & NATURE_BINARY) != 0 && !c->server->binary);
}

static bool is_sealed(const struct conversion *c, const struct mime_part *part)
{
    for (int32_t i = part->parent; i != MIME_NO_PARENT; i = c->mime.parts[i].parent) {
        const struct mime_part *above = &c->mime.parts[i];
        if (bytes_equal(above->type, BYTES("multipart"))
            && (bytes_equal(above->subtype, BYTES("signed"))
                || bytes_equal(above->subtype, BYTES("encrypted"))))
            return true;
    }
    return false;
}

static bool lowers_field(const struct conversion *c, struct bytes field)
{
    return c->lowers && !convert_is_ascii(field);
}

/* ---- what is needed */

/* A label that says more than the server takes, though its octets do not: it is put right, but not
   where that would break a signature; what is too much is the octets, not the word. */
static const char *new_label(const struct conversion *c, const struct mime_part *part)
{
    bool binary = part->coding == CODING_BINARY && !c->server->binary;
    bool eight = part->coding == CODING_8BIT && !c->server->eight_bit;

    if ((!binary && !eight) || is_sealed(c, part))
        return NULL;
    return c->server->eight_bit ? "8bit" : "7bit";
}

/* NULL: its coding stays. */
static const char *new_coding(const struct conversion *c, const struct mime_part *part)
{
    struct bytes body = slice(c, part->body_at, part->end);
    unsigned nature = part->kind == MIME_LEAF ? nature_of(body) : 0;

    if (part->kind != MIME_LEAF || !is_too_much(c, nature))
        return new_label(c, part);
    bool text = bytes_equal(part->type, BYTES("text"));
    bool short_lines = convert_qp_size(body) <= (body.n + 2) / 3 * 4 + body.n / 57 * 2;
    return text && short_lines ? "quoted-printable" : "base64";
}

static bool header_changes(const struct conversion *c, const struct mime_part *part,
                           const char *coding)
{
    return coding != NULL || lowers_field(c, slice(c, part->header_at, part->body_at));
}

/* That piece of the part, if the server does not take it as it is. */
static bool has_too_much(const struct conversion *c, const struct mime_part *part, uint64_t from,
                         uint64_t end)
{
    uint64_t a = from > part->header_at ? from : part->header_at, b = end < part->end ? end
                                                                                  : part->end;
    return a < b && is_too_much(c, nature_of(slice(c, a, b)));
}

/* What lies between parts and is too much: nothing of it may lie inside what is signed, nor in a
   multipart that nobody could take apart, for then it is somebody's text. */
static enum convert_verdict look_between(const struct conversion *c, uint64_t from, uint64_t end)
{
    const unsigned opaque = MIME_NO_BOUNDARY | MIME_NO_PARTS | MIME_CODED_COMPOSITE | MIME_TOO_DEEP
                          | MIME_TOO_MANY;

    if (end <= from || !is_too_much(c, nature_of(slice(c, from, end))))
        return CONVERT_NOT_NEEDED;
    for (uint32_t i = 0; i < c->mime.n; i++) {
        const struct mime_part *part = &c->mime.parts[i];
        bool sealed = is_sealed(c, part), shut = part->kind != MIME_LEAF
                                              && (part->flaws & opaque) != 0;
        if ((sealed || shut) && has_too_much(c, part, from, end))
            return sealed ? CONVERT_SIGNED : CONVERT_FLAWED;
    }
    return CONVERT_DONE;
}

/* What holds parts has no coding (RFC 2045, 6.4), also where nobody can take it apart; nor have
   these two kinds (RFC 2046, 5.2.2.1 and 5.2.3). */
static bool is_never_coded(const struct mime_part *part)
{
    return bytes_equal(part->type, BYTES("multipart"))
        || (bytes_equal(part->type, BYTES("message"))
            && (bytes_equal(part->subtype, BYTES("rfc822"))
                || bytes_equal(part->subtype, BYTES("partial"))
                || bytes_equal(part->subtype, BYTES("external-body"))));
}

/* The graver of two: what forbids it, then what asks for it. */
static enum convert_verdict both(enum convert_verdict a, enum convert_verdict b)
{
    return a > b ? a : b;
}

/* Whether the letter can be converted, and must be. */
static enum convert_verdict look(const struct conversion *c)
{
    enum convert_verdict verdict = CONVERT_NOT_NEEDED;
    uint64_t at = 0;

    for (uint32_t i = 0; i < c->mime.n && verdict <= CONVERT_DONE; i++) {
        const struct mime_part *part = &c->mime.parts[i];
        const char *coding = new_coding(c, part);
        verdict = both(verdict, look_between(c, at, part->header_at));
        at = part->kind == MIME_LEAF ? part->end : part->body_at;
        bool coded = part->coding == CODING_QUOTED_PRINTABLE || part->coding == CODING_BASE64
                  || part->coding == CODING_UNKNOWN;
        if (!header_changes(c, part, coding))
            continue;
        if (is_sealed(c, part))
            return CONVERT_SIGNED;
        bool label = coding == NULL || (coding[0] != 'q' && coding[0] != 'b');
        if (coding != NULL && (coded || (!label && is_never_coded(part))))
            return CONVERT_FLAWED;
        verdict = both(verdict, CONVERT_DONE);
    }
    return both(verdict, look_between(c, at, c->letter.n));
}

/* ---- the letter anew */

static void put_added(const struct conversion *c, const struct mime_part *part, const char *coding,
                      bool has_version)
{
    bool top = part->parent == MIME_NO_PARENT;

    if (coding == NULL)
        return;
    if (top && !has_version)
        buffer_put(c->to, BYTES("MIME-Version: 1.0\r\n"));
    if (top && !part->type_seen)            /* RFC 1428, 3: nobody said which charset it is */
        buffer_put(c->to, BYTES("Content-Type: text/plain; charset=unknown-8bit\r\n"));
    buffer_put(c->to, BYTES("Content-Transfer-Encoding: "));
    buffer_put_text(c->to, coding);
    buffer_put(c->to, BYTES("\r\n"));
}

/* What lies between parts, or in a header and is no field, is nobody's to read: an octet that may
   not go is a "?". */
static void put_between(const struct conversion *c, struct bytes text)
{
    if (!is_too_much(c, nature_of(text))) {
        buffer_put(c->to, text);
        return;
    }
    for (size_t i = 0; i < text.n; i++)
        buffer_put_char(c->to, octet(text.at[i]) > 127 || text.at[i] == '\0' ? '?' : text.at[i]);
}

/* Also the last one of a section that no empty line ended. */
static bool next_field(struct header_reader *reader, struct bytes *piece,
                       struct header_field *ret_field)
{
    enum header_step step = header_next(reader, piece, ret_field);

    return step == HEADER_FIELD
        || (step == HEADER_MORE && header_finish(reader, ret_field) == HEADER_FIELD);
}

static void put_header(const struct conversion *c, const struct mime_part *part,
                       const char *coding)
{
    struct bytes section = slice(c, part->header_at, part->body_at), piece = section;
    struct header_reader reader = header_reader_for(NULL);
    struct header_field field;
    uint64_t at = 0;
    bool has_version = false;

    while (next_field(&reader, &piece, &field)) {
        struct bytes raw = bytes_first(bytes_skip(section, (size_t)field.at),
                                       (size_t)(field.end - field.at));
        put_between(c, bytes_first(bytes_skip(section, (size_t)at), (size_t)(field.at - at)));
        at = field.end;
        has_version |= bytes_equal_nocase(field.name, BYTES("MIME-Version"));
        if (coding != NULL && bytes_equal_nocase(field.name, BYTES("Content-Transfer-Encoding")))
            continue;
        if (field.cut)
            c->to->bad = true;
        else if (lowers_field(c, raw))
            convert_field(c->to, field.name, field.body);
        else
            buffer_put(c->to, raw);
    }
    put_added(c, part, coding, has_version);
    if (coding != NULL && at == section.n)
        buffer_put(c->to, BYTES("\r\n"));   /* no empty line ended it */
    put_between(c, bytes_skip(section, (size_t)at));
    header_reader_done(&reader);
}

static void put_body(const struct conversion *c, const struct mime_part *part, const char *coding)
{
    struct bytes body = slice(c, part->body_at, part->end);

    if (coding != NULL && coding[0] == 'q') {
        convert_put_qp(c->to, body);
    } else if (coding != NULL && coding[0] == 'b') {
        convert_put_base64(c->to, body);
        if (part->end == c->letter.n)
            buffer_put(c->to, BYTES("\r\n"));
    } else {
        buffer_put(c->to, body);
    }
}

static void put_letter(const struct conversion *c)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < c->mime.n; i++) {
        const struct mime_part *part = &c->mime.parts[i];
        const char *coding = new_coding(c, part);
        if (part->header_at > at)
            put_between(c, slice(c, at, part->header_at));
        if (header_changes(c, part, coding))
            put_header(c, part, coding);
        else
            buffer_put(c->to, slice(c, part->header_at, part->body_at));
        at = part->body_at;
        if (part->kind == MIME_LEAF) {
            put_body(c, part, coding);
            at = part->end;
        }
    }
    if (at < c->letter.n)
        put_between(c, slice(c, at, c->letter.n));
}

static enum convert_verdict convert(struct conversion *c)
{
    if (!mime_init(&c->mime))
        return CONVERT_NO_MEMORY;
    mime_feed(&c->mime, c->letter);
    mime_finish(&c->mime);
    unsigned flaws = mime_flaws(&c->mime);
    if (flaws & MIME_NO_MEMORY)
        return CONVERT_NO_MEMORY;
    enum convert_verdict verdict = look(c);
    if (verdict == CONVERT_DONE && (flaws & (MIME_TOO_DEEP | MIME_TOO_MANY)))
        return CONVERT_FLAWED;
    if (verdict == CONVERT_DONE)
        put_letter(c);
    return verdict;
}

enum convert_verdict convert_letter(struct bytes letter, bool utf8_fields,
                                    const struct convert_for *server, struct buffer *to)
{
    struct conversion c = { .letter = letter, .server = server, .to = to };
    size_t before = to->n;

    c.lowers = (utf8_fields && !server->utf8) || (!server->eight_bit && !server->utf8);
    enum convert_verdict verdict = convert(&c);
    mime_done(&c.mime);
    if (verdict == CONVERT_DONE && to->bad)
        verdict = CONVERT_NO_MEMORY;
    if (verdict != CONVERT_DONE)
        to->n = before;
    return verdict;
}

const char *convert_why(enum convert_verdict verdict)
{
    switch (verdict) {
    case CONVERT_NOT_NEEDED: case CONVERT_DONE: break;
    case CONVERT_SIGNED:
        return "what would have to be changed is signed or encrypted, and would be broken";
    case CONVERT_FLAWED:
        return "the letter's parts are not what their headers say, so that nobody can convert them";
    case CONVERT_NO_MEMORY: return "memory is short";
    }
    return "";
}

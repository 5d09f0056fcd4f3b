/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "mail/content.h"
#include "mail/lex.h"

#include <string.h>

/* A part under way. Parts lie in each other, so they are a stack; the last may be a leaf. */
struct mime_open {
    uint32_t part;
    uint64_t inner_end;                 /* where the last part in it ended */
    bool closed;                        /* its last boundary came: what follows is nobody's */
    uint16_t boundary_n;                /* 0: a message or a leaf */
    char boundary[MIME_BOUNDARY_MOST];
};

enum {
    OPEN_MOST = LIMIT_MIME_DEPTH + 1,
    LINE_MOST = MIME_BOUNDARY_MOST + 4 + 256,   /* a boundary line, with some white space behind it
    */
};

static bool wants(struct bytes name)
{
    return (name.n == 12 && bytes_equal_nocase(name, BYTES("Content-Type")))
        || (name.n == 19 && bytes_equal_nocase(name, BYTES("Content-Disposition")))
        || (name.n == 25 && bytes_equal_nocase(name, BYTES("Content-Transfer-Encoding")));
}

static struct mime_part *part_of(struct mime *mime, uint32_t depth)
{
    return &mime->parts[mime->open[depth].part];
}

static struct mime_part *innermost(struct mime *mime)
{
    return part_of(mime, mime->depth - 1);
}

static bool make_room(struct mime *mime)
{
    if (mime->n < mime->room)
        return true;
    uint32_t room = mime->room == 0 ? 4 : mime->room * 2;
    struct mime_part *parts = mem_resize(mime->parts, room * sizeof(*parts));
    if (parts == NULL)
        return false;
    mime->parts = parts;
    mime->room = room;
    return true;
}

/* A part begins at `at`, inside the innermost open one. Over a limit the one around it turns
   opaque. */
static void begin_part(struct mime *mime, uint64_t at)
{
    bool many = mime->n == LIMIT_MIME_PARTS;

    if (many || !make_room(mime)) {
        innermost(mime)->flaws |= many ? MIME_TOO_MANY : MIME_NO_MEMORY;
        mime->opaque = true;
        return;
    }
    struct mime_part *around = mime->depth == 0 ? NULL : innermost(mime);
    bool digest = around != NULL && around->kind == MIME_MULTIPART
               && bytes_equal(around->subtype, BYTES("digest"));
    mime->parts[mime->n] = (struct mime_part){
        .parent = around == NULL ? MIME_NO_PARENT : (int32_t)mime->open[mime->depth - 1].part,
        .depth = mime->depth, .header_at = at, .body_at = at, .end = at,
        .type = digest ? BYTES("message") : BYTES("text"),
        .subtype = digest ? BYTES("rfc822") : BYTES("plain"),
        .content_type = BYTES_NONE, .disposition = BYTES_NONE,
    };
    if (around != NULL)
        around->children++;
    mime->open[mime->depth] = (struct mime_open){ .part = mime->n };
    mime->depth++;
    mime->n++;
    header_reader_clear(&mime->reader);
    mime->in_header = true;
}

static struct bytes keep_unfolded(struct mime *mime, struct mime_part *part, struct bytes body)
{
    struct buffer text = buffer_with_most(body.n + 1);

    header_unfold(&text, body);
    struct bytes kept = text.n == 0 ? BYTES_NONE : arena_copy(&mime->texts, buffer_bytes(&text));
    if (kept.at == NULL || text.bad) {
        part->flaws |= MIME_NO_MEMORY;
        kept = BYTES_NONE;
    }
    buffer_done(&text);
    return kept;
}

static struct bytes keep_lower(struct mime *mime, struct mime_part *part, struct bytes text)
{
    char *kept = arena_take(&mime->texts, text.n);

    if (kept == NULL) {
        part->flaws |= MIME_NO_MEMORY;
        return BYTES_NONE;
    }
    for (size_t i = 0; i < text.n; i++)
        kept[i] = to_lower(text.at[i]);
    return (struct bytes){ kept, text.n };
}

static void take_type(struct mime *mime, struct mime_part *part, struct bytes body)
{
    if (part->type_seen) {
        part->flaws |= MIME_TWO_TYPES;
        return;
    }
    part->type_seen = true;
    part->content_type = keep_unfolded(mime, part, body);
    struct content content = content_parse(part->content_type);
    if ((content.flaws & CONTENT_BAD_TYPE) != 0) {
        part->flaws |= MIME_BAD_TYPE;
        return;
    }
    struct bytes type = keep_lower(mime, part, content.type);
    struct bytes subtype = keep_lower(mime, part, content.subtype);
    if (type.n > 0 && subtype.n > 0) {
        part->type = type;
        part->subtype = subtype;
    }
}

/* RFC 2045, 6.1. What nobody knows is opaque and stays as it is. */
static enum mime_coding coding_of(struct bytes body)
{
    static const char *const names[] = { "7bit", "8bit", "binary", "quoted-printable", "base64" };
    struct reader in = reader_of(body);

    if (!skip_cfws(&in))
        return CODING_UNKNOWN;
    struct bytes name = take_while(&in, is_token);
    if (skip_cfws(&in) && !reader_empty(&in))
        return CODING_UNKNOWN;
    for (size_t i = 0; i < COUNT(names); i++) {
        if (bytes_equal_nocase(name, bytes_of(names[i])))
            return (enum mime_coding)i;
    }
    return CODING_UNKNOWN;
}

static void take_field(struct mime *mime, const struct header_field *field)
{
    struct mime_part *part = innermost(mime);

    if (field->name.n == 12) {
        take_type(mime, part, field->body);
    } else if (field->name.n == 19) {
        if (part->disposition.n == 0)
            part->disposition = keep_unfolded(mime, part, field->body);
    } else if (part->coding_seen) {
        part->flaws |= MIME_TWO_CODINGS;
    } else {
        part->coding_seen = true;
        part->coding = coding_of(field->body);
        part->flaws |= part->coding == CODING_UNKNOWN ? MIME_UNKNOWN_CODING : 0;
    }
}

static bool is_message(const struct mime_part *part)
{
    return bytes_equal(part->type, BYTES("message"))
        && (bytes_equal(part->subtype, BYTES("rfc822"))
            || bytes_equal(part->subtype, BYTES("global")));
}

/* The boundary into the stack; 0 octets when there is none that can be looked for. */
static void take_boundary(struct mime *mime, struct mime_part *part)
{
    struct mime_open *open = &mime->open[mime->depth - 1];
    struct content content = content_parse(part->content_type);
    struct buffer text = buffer_with_most(part->content_type.n * 4);
    unsigned flaws = 0;

    (void)content_parameter(&content, "boundary", &text, &flaws);
    struct bytes boundary = buffer_bytes(&text);
    while (boundary.n > 0 && is_space(boundary.at[boundary.n - 1]))
        boundary.n--;
    if ((flaws & (CONTENT_TWO_VALUES | CONTENT_GAP)) != 0)
        part->flaws |= MIME_TWO_BOUNDARIES;
    if (boundary.n == 0 || boundary.n > MIME_BOUNDARY_MOST || text.bad) {
        part->flaws |= text.bad ? MIME_NO_MEMORY : MIME_NO_BOUNDARY;
    } else {
        open->boundary_n = (uint16_t)boundary.n;
        mime->boundaries++;
        memcpy(open->boundary, boundary.at, boundary.n);
    }
    buffer_done(&text);
}

/* The header is known: what is this part? */
static void settle_kind(struct mime *mime)
{
    struct mime_part *part = innermost(mime);
    bool multipart = bytes_equal(part->type, BYTES("multipart"));

    if (!multipart && !is_message(part))
        return;
    if (part->coding > CODING_BINARY || (part->flaws & MIME_TWO_CODINGS) != 0) {
        part->flaws |= MIME_CODED_COMPOSITE;
    } else if (part->depth == LIMIT_MIME_DEPTH) {
        part->flaws |= MIME_TOO_DEEP;
    } else if (multipart) {
        take_boundary(mime, part);
        part->kind = mime->open[mime->depth - 1].boundary_n > 0 ? MIME_MULTIPART : MIME_LEAF;
    } else {
        part->kind = MIME_MESSAGE;
    }
}

/* The section ended, by an empty line or otherwise; its body begins at body_at. */
static void end_header(struct mime *mime, uint64_t body_at)
{
    struct mime_part *part = innermost(mime);

    part->body_at = body_at;
    mime->in_header = false;
    if ((mime->reader.flaws & (HEADER_NO_COLON | HEADER_BAD_NAME | HEADER_TOO_LONG)) != 0)
        part->flaws |= MIME_BAD_HEADER;
    settle_kind(mime);
}

/* Octets of the header section under way, up to its end; what is left is body. */
static void feed_header(struct mime *mime, struct bytes *piece)
{
    struct header_field field;
    enum header_step step;

    while ((step = header_next(&mime->reader, piece, &field)) == HEADER_FIELD)
        take_field(mime, &field);
    if (step == HEADER_END)
        end_header(mime, innermost(mime)->header_at + mime->reader.body_at);
}

/* Octets that are no boundary. A message's first part begins where its own header ended; should
   that be a line that was no field, the line is the message's. */
static void feed_text(struct mime *mime, struct bytes piece)
{
    while (mime->in_header && piece.n > 0 && !mime->opaque) {
        feed_header(mime, &piece);
        struct mime_part *part = innermost(mime);
        if (mime->in_header || part->kind != MIME_MESSAGE)
            return;
        struct buffer unread = buffer_with_most(mime->reader.held.most);
        if (!mime->reader.empty_line)
            buffer_put(&unread, buffer_bytes(&mime->reader.held));
        begin_part(mime, part->body_at);
        struct bytes again = buffer_bytes(&unread);
        if (unread.n > 0 && !mime->opaque)
            feed_header(mime, &again);
        buffer_done(&unread);
    }
}

/* The innermost part is over; `end` is where its body ends. */
static void end_part(struct mime *mime, uint64_t end)
{
    struct header_field field;

    if (mime->in_header) {
        while (header_finish(&mime->reader, &field) == HEADER_FIELD)
            take_field(mime, &field);
        end_header(mime, innermost(mime)->header_at + mime->reader.body_at);
    }
    struct mime_part *part = innermost(mime);
    part->end = end > part->body_at ? end : part->body_at;
    if (part->end < mime->open[mime->depth - 1].inner_end)
        part->end = mime->open[mime->depth - 1].inner_end;
    if (mime->depth > 1)
        mime->open[mime->depth - 2].inner_end = part->end;
    if (part->kind == MIME_MULTIPART && !mime->opaque) {
        part->flaws |= mime->open[mime->depth - 1].closed ? 0 : MIME_NOT_CLOSED;
        part->flaws |= part->children == 0 ? MIME_NO_PARTS : 0;
    }
    mime->depth--;
    if (mime->open[mime->depth].boundary_n > 0 && !mime->open[mime->depth].closed)
        mime->boundaries--;
}

/* delimiter = "--" boundary *WSP,  close-delimiter = "--" boundary "--" *WSP */
static bool is_boundary(const struct mime_open *open, struct bytes line, bool *ret_last)
{
    if (open->boundary_n == 0 || open->closed || line.n < open->boundary_n + 2u
        || memcmp(line.at + 2, open->boundary, open->boundary_n) != 0)
        return false;
    struct bytes rest = bytes_skip(line, open->boundary_n + 2u);
    *ret_last = rest.n == 2 && rest.at[0] == '-' && rest.at[1] == '-';
    return rest.n == 0 || *ret_last;
}

static struct bytes without_blank_end(struct bytes line)
{
    while (line.n > 0 && (is_space(line.at[line.n - 1]) || line.at[line.n - 1] == '\r'
                          || line.at[line.n - 1] == '\n'))
        line.n--;
    return line;
}

/* A whole line that begins with "-": true when it is a boundary, and all it means is done. `at`:
   behind the line. */
static bool take_boundary_line(struct mime *mime, struct bytes line, uint64_t at)
{
    struct bytes text = without_blank_end(line);
    bool last = false;
    uint32_t i = mime->depth;

    if (!bytes_begins(text, BYTES("--")))
        return false;
    while (i > 0 && !is_boundary(&mime->open[i - 1], text, &last))
        i--;
    if (i == 0)
        return false;
    while (mime->depth > i)
        end_part(mime, mime->line_end_at);
    if (!last) {
        begin_part(mime, at);
        return true;
    }
    mime->open[i - 1].closed = true;
    mime->boundaries--;
    return true;
}

static void end_line(struct mime *mime, struct bytes part)
{
    bool cr = part.n > 1 ? part.at[part.n - 2] == '\r' : mime->last_cr;

    mime->line_end_at = mime->at - (cr ? 2 : 1);
    mime->line_open = mime->line_held = mime->last_cr = false;
    mime->line_n = 0;
}

/* It turned out to be text. */
static void release_line(struct mime *mime)
{
    struct bytes held = { mime->line, mime->line_n };

    mime->line_held = false;
    mime->line_n = 0;
    feed_text(mime, held);
}

/* A whole line that begins with "-". In a header section it may be the line that ends it, and at
   the same time the first boundary of the multipart that the section spoke of. */
static void settle_line(struct mime *mime, struct bytes line)
{
    bool in_header = mime->in_header;

    if (take_boundary_line(mime, line, mime->at))
        return;
    feed_text(mime, line);
    if (in_header && !mime->in_header && !mime->opaque)
        (void)take_boundary_line(mime, line, mime->at);
}

/* More of a line that may be a boundary: decided when it is whole, or too long for one. */
static void take_held(struct mime *mime, struct bytes part, bool ends)
{
    if (mime->line_n + part.n > LINE_MOST) {
        release_line(mime);
        feed_text(mime, part);
        return;
    }
    if (mime->line_n > 0 || !ends) {
        memcpy(mime->line + mime->line_n, part.at, part.n);
        mime->line_n += (uint32_t)part.n;
        part = (struct bytes){ mime->line, mime->line_n };
    }
    if (ends)
        settle_line(mime, part);
}

/* The octets up to the end of the line, or of the piece. */
static void take_line(struct mime *mime, struct bytes *piece)
{
    const char *lf = memchr(piece->at, '\n', piece->n);
    size_t n = lf == NULL ? piece->n : (size_t)(lf - piece->at) + 1;
    struct bytes part = bytes_first(*piece, n);

    if (!mime->line_open) {
        mime->line_open = true;
        mime->line_at = mime->at;
        mime->line_held = part.at[0] == '-'
                       && (mime->in_header || mime->boundaries > 0);
    }
    mime->at += n;
    *piece = bytes_skip(*piece, n);
    if (mime->line_held)
        take_held(mime, part, lf != NULL);
    else
        feed_text(mime, part);
    if (lf != NULL)
        end_line(mime, part);
    else
        mime->last_cr = part.at[n - 1] == '\r';
}

void mime_feed(struct mime *mime, struct bytes piece)
{
    while (piece.n > 0 && !mime->opaque && (mime->in_header || mime->boundaries > 0))
        take_line(mime, &piece);
    mime->at += piece.n;
}

/* A boundary came last and not an octet behind it: it began no part. */
static void drop_empty_part(struct mime *mime)
{
    struct mime_part *part = innermost(mime);

    if (mime->depth < 2 || part->header_at < mime->at || part->header_at != part->end
        || part_of(mime, mime->depth - 2)->kind != MIME_MULTIPART)
        return;
    part_of(mime, mime->depth - 2)->children--;
    mime->in_header = false;
    mime->depth--;
    mime->n--;
}

void mime_finish(struct mime *mime)
{
    if (mime->line_held && !mime->opaque)
        settle_line(mime, (struct bytes){ mime->line, mime->line_n });
    if (mime->depth > 0)
        drop_empty_part(mime);
    while (mime->depth > 0)
        end_part(mime, mime->at);
}

bool mime_init(struct mime *mime)
{
    *mime = (struct mime){
        .texts = arena_with_ceiling(MIME_TEXT_MOST),
        .reader = header_reader_for(wants),
    };
    mime->open = mem_new(OPEN_MOST * sizeof(*mime->open));
    mime->line = mem_new(LINE_MOST);
    if (mime->open == NULL || mime->line == NULL || !make_room(mime))
        return false;
    begin_part(mime, 0);
    return true;
}

void mime_done(struct mime *mime)
{
    mem_free(mime->parts);
    mem_free(mime->open);
    mem_free(mime->line);
    arena_done(&mime->texts);
    header_reader_done(&mime->reader);
    *mime = (struct mime){ 0 };
}

unsigned mime_flaws(const struct mime *mime)
{
    unsigned flaws = 0;

    for (uint32_t i = 0; i < mime->n; i++)
        flaws |= mime->parts[i].flaws;
    return flaws;
}

const char *mime_flaw_name(unsigned flaws)
{
    static const struct { unsigned flaw; const char *name; } names[] = {
        { MIME_TWO_TYPES, "two-content-types" },
        { MIME_TWO_CODINGS, "two-transfer-encodings" },
        { MIME_TWO_BOUNDARIES, "two-boundaries" },
        { MIME_CODED_COMPOSITE, "encoded-multipart" },
        { MIME_TOO_DEEP, "too-deep" },
        { MIME_TOO_MANY, "too-many-parts" },
        { MIME_UNKNOWN_CODING, "unknown-transfer-encoding" },
        { MIME_NO_BOUNDARY, "no-boundary" },
        { MIME_NO_PARTS, "no-parts" },
        { MIME_NOT_CLOSED, "not-closed" },
        { MIME_BAD_TYPE, "bad-content-type" },
        { MIME_BAD_HEADER, "bad-header" },
        { MIME_NO_MEMORY, "no-memory" },
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        if ((flaws & names[i].flaw) != 0)
            return names[i].name;
    }
    return "";
}

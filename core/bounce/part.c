/* SPDX-License-Identifier: ISC
 *
 * The parts of a message, as far as reports need them. What mail/mime.h decides for letters is
 * not asked here: reports come with lost types and broken boundaries, and are read all the same.
 */
#include "bounce/read_int.h"

#include <string.h>

enum part_kind {
    PART_TEXT, PART_HTML, PART_STATUS, PART_FEEDBACK, PART_RECEIPT, PART_MESSAGE, PART_HEADERS,
    PART_MULTI, PART_OTHER,
};

static enum part_kind kind_of_type(struct bytes type)
{
    static const struct { struct bytes type; enum part_kind kind; } types[] = {
        { BYTES_INIT("text/html"), PART_HTML },
        { BYTES_INIT("text/rfc822-headers"), PART_HEADERS },
        { BYTES_INIT("text/rfc822"), PART_HEADERS },
        { BYTES_INIT("text/"), PART_TEXT },
        { BYTES_INIT("message/delivery-status"), PART_STATUS },
        { BYTES_INIT("message/xdelivery-status"), PART_STATUS },
        { BYTES_INIT("message/global-delivery-status"), PART_STATUS },
        { BYTES_INIT("message/feedback-report"), PART_FEEDBACK },
        { BYTES_INIT("message/disposition-notification"), PART_RECEIPT },
        { BYTES_INIT("message/global-disposition-notification"), PART_RECEIPT },
        { BYTES_INIT("message/rfc822-headers"), PART_HEADERS },
        { BYTES_INIT("message/global-headers"), PART_HEADERS },
        { BYTES_INIT("message/rfc822"), PART_MESSAGE },
        { BYTES_INIT("message/global"), PART_MESSAGE },
        { BYTES_INIT("message/partial"), PART_HEADERS },
        { BYTES_INIT("multipart/"), PART_MULTI },
    };

    type = bytes_trim(type);
    for (size_t i = 0; i < COUNT(types); i++) {
        if (bytes_begins_nocase(type, types[i].type))
            return types[i].kind;
    }
    return type.n == 0 || bytes_find(type, '/') == type.n ? PART_TEXT : PART_OTHER;
}

/* Where the next line that begins with the mark begins, at or after `from`; text.n: nowhere. */
static size_t mark_line(struct bytes text, size_t from, struct bytes mark)
{
    while (from < text.n) {
        const char *at = memmem(text.at + from, text.n - from, mark.at, mark.n);
        if (at == NULL)
            return text.n;
        size_t found = (size_t)(at - text.at);
        if (found == 0 || at[-1] == '\n' || at[-1] == '\r')
            return found;
        from = found + 1;
    }
    return text.n;
}

static size_t line_end(struct bytes text, size_t at)
{
    while (at < text.n && text.at[at] != '\n' && text.at[at] != '\r')
        at++;
    if (at < text.n && text.at[at] == '\r')
        at++;
    if (at < text.n && text.at[at] == '\n' && text.at[at - 1] != '\n')
        at++;
    return at;
}

static void part_walk(struct bounce_reader *reader, const struct head *head, struct bytes body,
                      unsigned depth);

/* "--" and the boundary, in the arena; empty when the field names none. */
static struct bytes boundary_mark(struct bounce_reader *reader, struct bytes content_type)
{
    struct bytes value = content_value(reader, content_type, "boundary");
    char *mark = value.n == 0 || value.n > 250 ? NULL : arena_take(&reader->arena, value.n + 2);

    if (mark == NULL)
        return BYTES_NONE;
    memcpy(mark, "--", 2);
    memcpy(mark + 2, value.at, value.n);
    return (struct bytes){ mark, value.n + 2 };
}

/* The letter itself, when the facts have come: nothing behind its header is wanted any more, so
   its end, which may be far, is not looked for. */
static bool is_last_wanted(const struct bounce_reader *reader, const struct head *head,
                           unsigned depth)
{
    enum part_kind kind = kind_of_type(head->field[HEAD_CONTENT_TYPE]);

    return depth == 0 && reader->got.status_seen && reader->people_n > 0
        && (kind == PART_MESSAGE || kind == PART_HEADERS) && head->field[HEAD_CODING].n == 0;
}

/* False: no boundary stands in it, and it is one text. */
static bool multipart_walk(struct bounce_reader *reader, struct bytes mark, struct bytes body,
                           unsigned depth)
{
    size_t at = mark.n == 0 ? body.n : mark_line(body, 0, mark);

    if (at == body.n)
        return false;
    struct bytes before = bytes_first(body, at);
    char stop = lines_of(body).stop;    /* looked for once: a text without LF may be long */
    while (at < body.n && ++reader->got.parts < READ_PARTS_MOST) {
        size_t begin = line_end(body, at);
        if (bytes_begins(bytes_skip(body, at + mark.n), BYTES("--")))
            break;
        struct lines lines = lines_as(bytes_skip(body, begin), stop);
        struct head head;
        head_read(&lines, &head);
        if (is_last_wanted(reader, &head, depth)) {
            original_take(reader, lines_rest(&lines));
            return true;
        }
        size_t end = mark_line(body, begin, mark);
        if (lines.at > body.at + end) {         /* a boundary that is a field too */
            lines = lines_as(bytes_first(bytes_skip(body, begin), end - begin), stop);
            head_read(&lines, &head);
        }
        lines.end = body.at + end;
        part_walk(reader, &head, lines_rest(&lines), depth + 1);
        at = end;
    }
    if (depth == 0 && reader->lines_n == 0)
        notice_take(reader, before);    /* some put their notice before the parts */
    return true;
}

/* A message in the message: what the report is about, or a report that somebody sends on. */
static void message_take(struct bounce_reader *reader, struct bytes body)
{
    if (reader->got.nested.n == 0)
        reader->got.nested = body;
    original_take(reader, body);
    reader->got.notice_over = true;
}

static struct bytes decoded(struct bounce_reader *reader, const struct head *head,
                            struct bytes body, bool html)
{
    struct bytes type = head->field[HEAD_CONTENT_TYPE];
    struct bytes charset = type.n == 0 ? BYTES_NONE : content_value(reader, type, "charset");

    if (reader->lines_n == 0)
        reader->got.charset = charset;
    return part_text(reader, body, head->field[HEAD_CODING], charset, html);
}

/* The facts of a report: all of them, when they are not coded. */
static struct bytes facts(struct bounce_reader *reader, const struct head *head,
                          struct bytes body)
{
    struct bytes coding = bytes_trim(head->field[HEAD_CODING]);
    bool coded = bytes_begins_nocase(coding, BYTES("base64"))
        || bytes_begins_nocase(coding, BYTES("quoted-printable"));

    return coded ? decoded(reader, head, body, false) : body;
}

/* A text: the notice, unless the letter itself has come already. Attached files are not it. */
static void text_take(struct bounce_reader *reader, const struct head *head, struct bytes body,
                      bool html, unsigned depth)
{
    struct bytes disposition = bytes_trim(head->field[HEAD_DISPOSITION]);
    bool attached = bytes_begins_nocase(disposition, BYTES("attachment")) && reader->lines_n > 0;

    if (reader->got.notice_over || attached || (html && reader->lines_n > 0))
        return;
    notice_take(reader, decoded(reader, head, body, html));
}

static void part_walk(struct bounce_reader *reader, const struct head *head, struct bytes body,
                      unsigned depth)
{
    struct bytes type = head->field[HEAD_CONTENT_TYPE];
    struct gathered *got = &reader->got;

    switch (kind_of_type(type)) {
    case PART_MULTI:
        if (depth == 0)
            got->report = has_word(type, BYTES("delivery-status"))
                || has_word(type, BYTES("multipart/report"));
        if (depth < READ_DEPTH_MOST
            && multipart_walk(reader, boundary_mark(reader, type), body, depth))
            return;
        text_take(reader, head, body, false, depth);
        return;
    case PART_TEXT:
        text_take(reader, head, body, false, depth);
        return;
    case PART_HTML:
        text_take(reader, head, body, true, depth);
        return;
    case PART_STATUS:
        got->status_seen = true;
        groups_take(reader, facts(reader, head, body));
        return;
    case PART_FEEDBACK:
        feedback_take(reader, facts(reader, head, body));
        return;
    case PART_RECEIPT:
        got->receipt_seen = true;
        return;
    case PART_MESSAGE:
        message_take(reader, body);
        return;
    case PART_HEADERS:
        original_take(reader, decoded(reader, head, body, false));
        got->notice_over = true;
        return;
    case PART_OTHER:
        return;
    }
}

/* A multipart whose header was lost: the text begins with a boundary, and fields follow. */
static struct bytes lost_boundary(struct bytes body)
{
    struct lines lines = lines_of(body);
    struct bytes line, next;

    for (unsigned i = 0; i < 20 && lines_next(&lines, &line); i++) {
        if (line.n < 4 || line.n > 252 || !bytes_begins(line, BYTES("--")) || line.at[2] == ' ')
            continue;
        struct lines after = lines;
        if (lines_next(&after, &next) && bytes_begins_nocase(next, BYTES("Content-")))
            return line;
    }
    return BYTES_NONE;
}

void message_walk(struct bounce_reader *reader, struct bytes message)
{
    struct lines lines = lines_of(message);
    struct head *head = &reader->got.head;

    head_read(&lines, head);
    struct bytes body = lines_rest(&lines);
    if (head->field[HEAD_CONTENT_TYPE].n == 0 || kind_of_type(head->field[HEAD_CONTENT_TYPE])
        == PART_TEXT) {
        struct bytes mark = lost_boundary(bytes_first(body, 4096));
        if (mark.n > 0 && multipart_walk(reader, mark, body, 0))
            return;
    }
    part_walk(reader, head, body, 0);
}

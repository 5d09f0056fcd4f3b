/* SPDX-License-Identifier: ISC
 *
 * The text of a report for people: its lines, which words of the rules they hold, and where the
 * letter it is about begins.
 */
#include "bounce/read_int.h"

/* The header of the returned letter begins so, whatever was said before it. */
static bool begins_letter(struct bytes line)
{
    static const struct bytes starts[] = {
        BYTES_INIT("Received: from "), BYTES_INIT("Received: by "), BYTES_INIT("Received: ("),
        BYTES_INIT("Return-Path: <"), BYTES_INIT("Return-path: <"), BYTES_INIT("X-Received: "),
        BYTES_INIT("DKIM-Signature: "), BYTES_INIT("ARC-Seal: "), BYTES_INIT("Delivered-To: "),
        BYTES_INIT("DomainKey-Signature: "), BYTES_INIT("X-Google-DKIM-Signature: "),
        BYTES_INIT("Received:from "), BYTES_INIT("RECEIVED: from"), BYTES_INIT("Return-Path: "),
    };

    line = bytes_trim(line);
    if (line.n < 10 || (line.at[0] != 'R' && line.at[0] != 'D' && line.at[0] != 'X'
                        && line.at[0] != 'A'))
        return false;
    for (size_t i = 0; i < COUNT(starts); i++) {
        if (bytes_begins(line, starts[i]))
            return true;
    }
    return false;
}

/* A delivery-status part that lost its type, or stands in the text. */
static bool begins_groups(struct bytes line)
{
    line = bytes_trim(line);
    char first = line.n == 0 ? ' ' : to_lower(line.at[0]);
    if (first != 'r' && first != 'f' && first != 'o')
        return false;
    return bytes_begins_nocase(line, BYTES("Reporting-MTA:"))
        || bytes_begins_nocase(line, BYTES("Final-Recipient:"))
        || bytes_begins_nocase(line, BYTES("Original-Recipient: rfc822"));
}

/* Counts the marks that came with the last line; did one of them part the letter off? */
static bool marks_count(struct bounce_reader *reader, uint32_t from)
{
    bool parts = false;

    for (uint32_t i = from; i < reader->notice.hits_n; i++) {
        const struct rule *rule = &reader->rules->rules[reader->notice.hits[i].rule];
        uint8_t *count = &reader->marks[rule->mark];
        *count = (uint8_t)(*count < 255 ? *count + 1 : 255);
        parts = parts || rule->mark == MARK_ORIGINAL;
    }
    return parts;
}

bool notice_marked(const struct bounce_reader *reader, enum rule_mark mark)
{
    return reader->marks[mark] > 0;
}

static void line_add(struct bounce_reader *reader, struct bytes line)
{
    reader->lines[reader->lines_n++] = (struct notice_line){ line, OWNER_NONE };
    reader->notice_octets += line.n + 1;
}

/* What stands behind the line that parts the letter off: its header, quoted or indented perhaps.
   Lines up to where it begins are passed over. */
static void letter_take(struct bounce_reader *reader, struct lines *lines)
{
    struct lines at = *lines;
    struct bytes line;

    for (unsigned i = 0; i < 12 && lines_next(&at, &line); i++) {
        if (head_is_field(line) && line.n > 0) {
            original_take(reader, lines_rest(lines));
            return;
        }
        *lines = at;
    }
}

/* "> X-Virus-Scanned: ...": somebody's header, quoted. */
static bool is_quoted_field(struct bytes line)
{
    return line.n > 2 && line.at[0] == '>' && bytes_begins(unquoted(line), BYTES("X-"));
}

void notice_take(struct bounce_reader *reader, struct bytes text)
{
    struct lines lines = lines_of(text);
    struct lines before = lines;
    struct bytes line;
    unsigned said = 0;

    match_gap(&reader->notice);
    while (lines_next(&lines, &line)) {
        if (reader->lines_n == READ_LINES_MOST || reader->notice_octets > READ_NOTICE_MOST) {
            reader->cut = true;
            return;
        }
        if (said > 0 && begins_letter(line)) {
            if (reader->got.nested.n == 0)
                reader->got.nested = lines_rest(&before);
            original_take(reader, lines_rest(&before));
            reader->got.notice_over = true;
            return;
        }
        if (begins_groups(line) && groups_take(reader, lines_rest(&before)) > 0)
            return;
        uint32_t hits = reader->notice.hits_n;
        line = bytes_first(line, READ_NOTICE_MOST);
        if (!is_quoted_field(line))
            match_line(&reader->notice, line, reader->lines_n);
        line_add(reader, line);
        said += !is_blank(line);
        if (marks_count(reader, hits)) {
            letter_take(reader, &lines);
            reader->got.notice_over = true;
            return;
        }
        before = lines;
    }
}

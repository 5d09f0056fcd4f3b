/* SPDX-License-Identifier: ISC
 *
 * The text of a report for people: its lines, which words of the rules they hold, and where the
 * letter it is about begins.
 */
#include "bounce/read_int.h"

enum { BATCH_MOST = 16 };

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

/* Lines that were taken and not looked at yet: the words of some lines are sought together. */
struct batch {
    struct lines behind[BATCH_MOST];    /* what follows each of them */
    uint32_t n, line, hits;             /* how many, which the first is, the hits before them */
};

static void batch_begin(struct batch *batch, const struct bounce_reader *reader)
{
    batch->n = 0;
    batch->line = reader->lines_n;
    batch->hits = reader->notice.hits_n;
}

/* The first of their lines that parts the letter off, or LINE_NONE. */
static uint32_t batch_parts(const struct bounce_reader *reader, const struct batch *batch)
{
    for (uint32_t i = batch->hits; i < reader->notice.hits_n; i++) {
        const struct hit *hit = &reader->notice.hits[i];
        if (reader->rules->rules[hit->rule].mark == MARK_ORIGINAL)
            return hit->line;
    }
    return LINE_NONE;
}

/* Counts their marks. True: a line parted the letter off, which is taken; what stands behind that
   line was no notice and is forgotten. */
static bool batch_end(struct bounce_reader *reader, struct batch *batch)
{
    match_end(&reader->notice);
    uint32_t last = batch_parts(reader, batch), i = batch->hits;

    for (; i < reader->notice.hits_n && reader->notice.hits[i].line <= last; i++) {
        uint8_t *count = &reader->marks[reader->rules->rules[reader->notice.hits[i].rule].mark];
        *count = (uint8_t)(*count < 255 ? *count + 1 : 255);
    }
    if (last != LINE_NONE) {
        reader->notice.hits_n = i;
        reader->lines_n = last + 1;
        letter_take(reader, &batch->behind[last - batch->line]);
        reader->got.notice_over = true;
    }
    batch_begin(batch, reader);
    return last != LINE_NONE;
}

/* The header of the returned letter begins with that line, which no line announced. */
static void letter_begins(struct bounce_reader *reader, struct bytes letter)
{
    if (reader->got.nested.n == 0)
        reader->got.nested = letter;
    original_take(reader, letter);
    reader->got.notice_over = true;
}

void notice_take(struct bounce_reader *reader, struct bytes text)
{
    struct lines lines = lines_of(text);
    struct lines before = lines;
    struct batch batch;
    struct bytes line;
    unsigned said = 0;

    match_gap(&reader->notice);
    batch_begin(&batch, reader);
    while (lines_next(&lines, &line)) {
        bool full = reader->lines_n == READ_LINES_MOST || reader->notice_octets > READ_NOTICE_MOST;
        bool letter = said > 0 && begins_letter(line), groups = begins_groups(line);
        if ((full || letter || groups || batch.n == BATCH_MOST) && batch_end(reader, &batch))
            return;
        if (full) {
            reader->cut = true;
            return;
        }
        if (letter) {
            letter_begins(reader, lines_rest(&before));
            return;
        }
        if (groups && groups_take(reader, lines_rest(&before)) > 0)
            return;
        line = bytes_first(line, READ_NOTICE_MOST);
        if (!is_quoted_field(line))
            match_line(&reader->notice, line, reader->lines_n);
        line_add(reader, line);
        batch.behind[batch.n++] = lines;
        said += !is_blank(line);
        before = lines;
    }
    (void)batch_end(reader, &batch);
}

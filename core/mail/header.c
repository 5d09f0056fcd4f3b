/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include "base/limits.h"

#include <string.h>

enum mode {
    LINE_START,
    LINE_CR,            /* a CR came first on the line: the section ends if LF follows */
    IN_NAME,
    BEHIND_NAME,        /* white space came where the name ended; only a colon makes it a field */
    IN_TEXT,
    PASSED_OVER,        /* a line that is not looked at */
};

enum { NAME_MOST = 4000, LINE_MOST = 998 };

struct header_reader header_reader_for(bool (*wants)(struct bytes name))
{
    return (struct header_reader){ .wants = wants, .held = buffer_with_most(LIMIT_HEADER_BYTES) };
}

void header_reader_clear(struct header_reader *reader)
{
    struct buffer held = reader->held;

    buffer_clear(&held);
    *reader = header_reader_for(reader->wants);
    reader->held = held;
}

void header_reader_done(struct header_reader *reader)
{
    buffer_done(&reader->held);
}

static void note(struct header_reader *reader, unsigned flaw)
{
    if (reader->flaws == 0)
        reader->flaw_at = reader->line_at;
    reader->flaws |= flaw;
}

/* Octets above 127 and NUL, eight at a time: this runs over every octet of every header. */
static unsigned octet_flaws(struct bytes text)
{
    const uint64_t high = 0x8080808080808080, low = 0x0101010101010101;
    uint64_t seen = 0, zero = 0, word;
    size_t i = 0;

    for (; i + 8 <= text.n; i += 8) {
        memcpy(&word, text.at + i, 8);
        seen |= word;
        zero |= (word - low) & ~word;
    }
    for (; i < text.n; i++) {
        seen |= octet(text.at[i]);
        zero |= text.at[i] == '\0' ? high : 0;
    }
    return ((seen & high) != 0 ? HEADER_8BIT : 0) | ((zero & high) != 0 ? HEADER_NUL : 0);
}

/* A run of octets within one line, perhaps with its LF last. */
static void check_octets(struct header_reader *reader, struct bytes run)
{
    bool ends = run.at[run.n - 1] == '\n';
    bool cr_before = run.n > 1 ? run.at[run.n - 2] == '\r' : reader->last_cr;
    struct bytes text = bytes_first(run, run.n - ends - (ends && run.n > 1 && cr_before));
    unsigned flaws = octet_flaws(text);
    uint64_t length = reader->at + run.n - reader->line_at - ends - (ends && cr_before);

    if (ends && !cr_before)
        flaws |= HEADER_BARE_LF;
    if (reader->last_cr && run.at[0] != '\n')
        flaws |= HEADER_BARE_CR;
    size_t cr = text.n == 0 ? 0 : bytes_find(text, '\r');
    if (cr < text.n && (cr + 1 < text.n || ends))
        flaws |= HEADER_BARE_CR;
    reader->last_cr = run.at[run.n - 1] == '\r';
    if (length > LINE_MOST + (reader->last_cr ? 1 : 0))
        flaws |= HEADER_LONG_LINE;
    if (flaws != 0)
        note(reader, flaws);
}

static void take(struct header_reader *reader, struct bytes *piece, size_t n)
{
    reader->at += n;
    *piece = bytes_skip(*piece, n);
}

/* Where the field under way lies: `here` is its part in the piece at hand. */
static void hold(struct header_reader *reader, struct bytes here)
{
    if (reader->field_skipped || here.n == 0)
        return;
    size_t room = reader->held.most - reader->held.n;
    buffer_put(&reader->held, bytes_first(here, room));
    reader->field_cut = reader->field_cut || here.n > room || reader->held.bad;
}

static struct bytes without_line_end(struct bytes text)
{
    text.n -= text.n > 0 && text.at[text.n - 1] == '\n';
    text.n -= text.n > 0 && text.at[text.n - 1] == '\r';
    return text;
}

/* The field under way is whole; false when nobody wants it. */
static bool close_field(struct header_reader *reader, struct bytes here, struct header_field *ret)
{
    struct bytes text = here;

    reader->field_open = false;
    reader->fields++;
    if (reader->field_skipped)
        return false;
    if (reader->held.n > 0 || reader->field_cut) {
        hold(reader, here);
        text = buffer_bytes(&reader->held);
    }
    size_t colon = bytes_find(text, ':');
    *ret = (struct header_field){
        .name = bytes_first(text, reader->name_n), .body = bytes_skip(text, colon + 1),
        .at = reader->field_at, .end = reader->at, .cut = reader->field_cut,
    };
    ret->body = without_line_end(ret->body);
    return true;
}

static void end_section(struct header_reader *reader, uint64_t body_at)
{
    reader->ended = true;
    reader->body_at = body_at;
}

static void end_by_bad_line(struct header_reader *reader, unsigned flaw)
{
    note(reader, flaw);
    reader->field_open = false;
    end_section(reader, reader->line_at);
}

static void open_field(struct header_reader *reader)
{
    buffer_clear(&reader->held);
    reader->field_open = true;
    reader->field_skipped = reader->field_cut = false;
    reader->field_at = reader->at;
    reader->name_n = 0;
    reader->mode = IN_NAME;
}

/* The first octet of a line says what the line can be. Takes nothing. */
static void begin_line(struct header_reader *reader, char c)
{
    reader->line_at = reader->at;
    reader->last_cr = false;
    if (is_space(c) && reader->field_open) {
        reader->mode = IN_TEXT;
    } else if (is_space(c)) {
        if (reader->at == 0)
            note(reader, HEADER_LEADING_SPACE);
        reader->mode = PASSED_OVER;
    } else if (c == '\r' || c == '\n') {
        buffer_clear(&reader->held);
        reader->mode = LINE_CR;
    } else {
        open_field(reader);
    }
}

/* The line's octets so far are CR at most. */
static void take_empty_line(struct header_reader *reader, struct bytes *piece)
{
    if (piece->at[0] == '\r' && !reader->last_cr) {
        reader->last_cr = true;
        take(reader, piece, 1);
    } else if (piece->at[0] == '\n') {
        if (!reader->last_cr)
            note(reader, HEADER_BARE_LF);
        take(reader, piece, 1);
        reader->empty_line = true;
        end_section(reader, reader->at);
    } else {
        buffer_put_char(&reader->held, '\r');
        end_by_bad_line(reader, HEADER_BARE_CR | HEADER_BAD_NAME);
    }
}

/* ftext = %d33-57 / %d59-126 */
static bool is_ftext(char c) { return c >= 33 && c <= 126 && c != ':'; }

static bool is_mbox_name(struct bytes name)
{
    return bytes_equal(name, BYTES("From")) || bytes_equal(name, BYTES(">From"));
}

static void end_name(struct header_reader *reader, struct bytes name)
{
    if (name.n == 0)
        note(reader, HEADER_EMPTY_NAME);
    if (reader->mode == BEHIND_NAME)
        note(reader, HEADER_SPACE_BEFORE_COLON);
    reader->mode = IN_TEXT;
    reader->field_skipped = reader->wants != NULL && !reader->wants(name);
}

/* The octet that ended the name, or the white space behind it, decides what the line is. */
static void judge_name(struct header_reader *reader, struct bytes name, char stop)
{
    if (stop == ':') {
        end_name(reader, name);
    } else if (stop == ' ' && reader->mode == IN_NAME && reader->line_at == 0
               && is_mbox_name(name)) {
        note(reader, HEADER_MBOX_LINE);
        reader->field_open = false;
        reader->mode = PASSED_OVER;
    } else if (stop == '\r' || stop == '\n') {
        end_by_bad_line(reader, HEADER_NO_COLON);
    } else if (is_space(stop) && reader->mode == IN_NAME) {
        reader->mode = BEHIND_NAME;
    } else {
        end_by_bad_line(reader, HEADER_BAD_NAME);
    }
}

/* *from: where in this piece the field begins or goes on. A name from two pieces is joined in
   `held`. */
static void take_name(struct header_reader *reader, struct bytes *piece, const char **from)
{
    size_t n = 0;

    if (reader->mode == IN_NAME) {
        while (n < piece->n && is_ftext(piece->at[n]))
            n++;
    } else {
        while (n < piece->n && is_space(piece->at[n]))
            n++;
    }
    take(reader, piece, n);
    if (reader->at - reader->field_at > NAME_MOST) {
        end_by_bad_line(reader, HEADER_NO_COLON);
        return;
    }
    if (reader->mode == IN_NAME)
        reader->name_n = (uint16_t)(reader->at - reader->field_at);
    struct bytes name = { *from, (size_t)(piece->at - *from) };
    if (piece->n > 0 && reader->held.n > 0) {
        hold(reader, name);
        *from = piece->at;
        name = buffer_bytes(&reader->held);
    }
    if (piece->n > 0)
        judge_name(reader, bytes_first(name, reader->name_n), piece->at[0]);
}

static void take_text(struct header_reader *reader, struct bytes *piece)
{
    const char *lf = memchr(piece->at, '\n', piece->n);
    size_t n = lf == NULL ? piece->n : (size_t)(lf - piece->at) + 1;

    if (reader->mode == IN_TEXT)
        check_octets(reader, bytes_first(*piece, n));
    take(reader, piece, n);
    if (lf != NULL)
        reader->mode = LINE_START;
}

static void take_some(struct header_reader *reader, struct bytes *piece, const char **from)
{
    switch ((enum mode)reader->mode) {
    case LINE_START:
        *from = reader->field_open ? *from : piece->at;
        begin_line(reader, piece->at[0]);
        break;
    case LINE_CR:
        take_empty_line(reader, piece);
        break;
    case IN_NAME:
    case BEHIND_NAME:
        take_name(reader, piece, from);
        break;
    case IN_TEXT:
    case PASSED_OVER:
        take_text(reader, piece);
        break;
    }
}

static enum header_step read_fields(struct header_reader *reader, struct bytes *piece,
                                    struct header_field *ret_field)
{
    const char *from = piece->at;

    while (piece->n > 0 && !reader->ended) {
        bool whole = reader->mode == LINE_START && reader->field_open && !is_space(piece->at[0]);
        struct bytes here = { from, (size_t)(piece->at - from) };
        if (!whole)
            take_some(reader, piece, &from);
        else if (close_field(reader, here, ret_field))
            return HEADER_FIELD;
    }
    bool bad_line = reader->ended && (reader->mode == IN_NAME || reader->mode == BEHIND_NAME);
    if (reader->field_open || bad_line)
        hold(reader, (struct bytes){ from, (size_t)(piece->at - from) });
    return reader->ended ? HEADER_END : HEADER_MORE;
}

enum header_step header_next(struct header_reader *reader, struct bytes *piece,
                             struct header_field *ret_field)
{
    if (reader->ended)
        return HEADER_END;
    struct bytes within = bytes_first(*piece, LIMIT_HEADER_BYTES - reader->at);
    size_t n = within.n;
    enum header_step step = read_fields(reader, &within, ret_field);
    *piece = bytes_skip(*piece, n - within.n);
    if (step == HEADER_MORE && piece->n > 0) {
        note(reader, HEADER_TOO_LONG);
        buffer_clear(&reader->held);
        reader->field_open = false;
        end_section(reader, reader->at);
        step = HEADER_END;
    }
    return step;
}

enum header_step header_finish(struct header_reader *reader, struct header_field *ret_field)
{
    if (reader->ended)
        return HEADER_END;
    if (reader->mode == IN_NAME || reader->mode == BEHIND_NAME) {
        end_by_bad_line(reader, HEADER_NO_COLON);
        return HEADER_END;
    }
    if (reader->mode == LINE_CR)
        note(reader, HEADER_BARE_CR);
    bool wanted = reader->field_open && close_field(reader, BYTES_NONE, ret_field);
    end_section(reader, reader->at);
    return wanted ? HEADER_FIELD : HEADER_END;
}

void header_unfold(struct buffer *to, struct bytes body)
{
    struct bytes rest = bytes_trim(body), line;

    while (bytes_cut(&rest, '\n', &line)) {
        if (line.n > 0 && line.at[line.n - 1] == '\r')
            line.n--;
        buffer_put(to, line);
    }
}

/* SPDX-License-Identifier: ISC */
#include "mail/scan.h"

#include "mail/envelope.h"

enum { DELIVERED_MOST = 16 * 1024 };

/* Asked for each field of each letter: the length decides nearly always. */
static bool wants(struct bytes name)
{
    return (name.n == 8 && bytes_equal_nocase(name, BYTES("Received")))
        || (name.n == 10 && bytes_equal_nocase(name, BYTES("Message-ID")))
        || (name.n == 12 && bytes_equal_nocase(name, BYTES("Delivered-To")));
}

struct header_scan header_scan_new(void)
{
    return (struct header_scan){
        .reader = header_reader_for(wants),
        .message_id = buffer_with_most(ENVELOPE_ID_MOST),
        .delivered_to = buffer_with_most(DELIVERED_MOST),
    };
}

void header_scan_clear(struct header_scan *scan)
{
    header_reader_clear(&scan->reader);
    buffer_clear(&scan->message_id);
    buffer_clear(&scan->delivered_to);
    scan->received = scan->message_ids = scan->delivered = 0;
    scan->finished = false;
}

void header_scan_done(struct header_scan *scan)
{
    header_reader_done(&scan->reader);
    buffer_done(&scan->message_id);
    buffer_done(&scan->delivered_to);
}

/* msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]; what stands in the first brackets, or all
   of the value when there are none. */
static struct bytes id_of(struct bytes value)
{
    size_t open = bytes_find(value, '<');

    if (open == value.n)
        return bytes_trim(value);
    struct bytes inside = bytes_skip(value, open + 1);
    return bytes_trim(bytes_upto(inside, '>'));
}

static void keep_message_id(struct header_scan *scan, const struct header_field *field)
{
    struct bytes id = id_of(field->body);

    if (scan->message_ids++ > 0 || field->cut)
        return;
    header_unfold(&scan->message_id, id);
    if (scan->message_id.bad || !envelope_text_safe(buffer_bytes(&scan->message_id)))
        buffer_clear(&scan->message_id);
}

static void keep_delivered(struct header_scan *scan, const struct header_field *field)
{
    size_t before = scan->delivered_to.n;

    scan->delivered++;
    header_unfold(&scan->delivered_to, field->body);
    buffer_put_char(&scan->delivered_to, '\n');
    if (scan->delivered_to.bad) {
        scan->delivered_to.n = before;
        scan->delivered_to.bad = false;
    }
}

static void take_field(struct header_scan *scan, const struct header_field *field)
{
    if (field->name.n == 8)
        scan->received++;
    else if (field->name.n == 10)
        keep_message_id(scan, field);
    else
        keep_delivered(scan, field);
}

void header_scan_feed(struct header_scan *scan, struct bytes piece)
{
    struct header_field field;

    while (piece.n > 0 && header_next(&scan->reader, &piece, &field) == HEADER_FIELD)
        take_field(scan, &field);
}

void header_scan_finish(struct header_scan *scan)
{
    struct header_field field;

    if (!scan->finished && header_finish(&scan->reader, &field) == HEADER_FIELD)
        take_field(scan, &field);
    scan->finished = true;
}

struct bytes header_scan_message_id(const struct header_scan *scan)
{
    return buffer_bytes(&scan->message_id);
}

bool header_scan_was_delivered_to(const struct header_scan *scan, struct bytes address)
{
    struct bytes rest = buffer_bytes(&scan->delivered_to), value;

    while (bytes_cut(&rest, '\n', &value)) {
        if (bytes_equal_nocase(value, address))
            return true;
    }
    return false;
}

const char *header_flaw_name(unsigned flaws)
{
    static const struct { unsigned flaw; const char *name; } names[] = {
        { HEADER_TOO_LONG, "header-too-long" },
        { HEADER_NO_COLON, "line-without-colon" },
        { HEADER_BAD_NAME, "bad-field-name" },
        { HEADER_EMPTY_NAME, "empty-field-name" },
        { HEADER_NUL, "nul" },
        { HEADER_BARE_CR, "bare-cr" },
        { HEADER_BARE_LF, "bare-lf" },
        { HEADER_LEADING_SPACE, "leading-space" },
        { HEADER_MBOX_LINE, "mbox-line" },
        { HEADER_SPACE_BEFORE_COLON, "space-before-colon" },
        { HEADER_LONG_LINE, "long-line" },
        { HEADER_8BIT, "8bit" },
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        if ((flaws & names[i].flaw) != 0)
            return names[i].name;
    }
    return "";
}

/* SPDX-License-Identifier: ISC */
#include "bounce/explain.h"

static bool read_lines(struct bounce_reader *reader, struct bytes text,
                       struct bounce_report *ret_report)
{
    struct bytes line;

    while (bytes_cut(&text, '\n', &line))
        if (bounce_explain_line(reader, line, ret_report))
            return true;
    return false;
}

/* Words without a code that no rule knows say nothing of a failure. */
static void read_reply(struct bounce_reader *reader, struct bytes text,
                       struct bounce_report *ret_report)
{
    bounce_explain_reply(reader, text, ret_report);
    if (ret_report->recipients_n == 0)
        return;
    const struct bounce_recipient *one = &ret_report->recipients[0];
    if (one->cause.category == CAUSE_UNKNOWN && card_status(one).class == 0
        && card_reply_code(one) == 0)
        *ret_report = (struct bounce_report){ .kind = BOUNCE_NOT_A_REPORT };
}

void explain_read(struct bounce_reader *reader, struct bytes text, struct bounce_report *ret_report)
{
    struct bytes message;

    *ret_report = (struct bounce_report){ .kind = BOUNCE_NOT_A_REPORT };
    switch (bounce_input_of(text)) {
    case INPUT_EMPTY:
        return;
    case INPUT_CODE:
    case INPUT_REPLY:
        read_reply(reader, bytes_trim(text), ret_report);
        return;
    case INPUT_LINE:
        if (!read_lines(reader, text, ret_report))
            read_reply(reader, bytes_trim(text), ret_report);
        return;
    case INPUT_MBOX:
        if (bounce_mbox_next(&text, &message))
            bounce_read(reader, message, ret_report);
        return;
    case INPUT_MESSAGE:
        bounce_read(reader, text, ret_report);
        return;
    }
}

void explain_put(struct buffer *to, const struct bounce_report *report, enum explain_form form,
                 const struct card_style *style, struct bytes input, unsigned serial)
{
    struct json json = json_to(to);

    switch (form) {
    case EXPLAIN_TEXT:
        card_put_text(to, report, style);
        return;
    case EXPLAIN_HTML:
        card_put_html(to, report, style, serial);
        return;
    case EXPLAIN_JSON:
        card_put_json(&json, report, style, input);
        return;
    case EXPLAIN_FORMS:
        return;
    }
}

/* SPDX-License-Identifier: ISC
 *
 * Any octets as a message, a reply, a line of a log and an mbox: every text of the report lies in
 * the memory of the input or of the reader, and the report is the same when it is read again.
 */
#include "bounce/read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static unsigned sum(struct bytes text)
{
    unsigned all = (unsigned)text.n;

    for (size_t i = 0; i < text.n; i++)
        all = all * 31 + octet(text.at[i]);
    return all;
}

/* Touches every octet that the report shows. */
static unsigned report_sum(const struct bounce_report *report)
{
    unsigned all = sum(report->message_id) + sum(report->subject) + sum(report->from)
        + sum(report->feedback_type) + report->kind;

    must(report->recipients_n <= READ_RECIPIENTS_MOST);
    must(report->recipients_n <= report->recipients_all);
    for (uint32_t i = 0; i < report->recipients_n; i++) {
        const struct bounce_recipient *out = &report->recipients[i];
        all = all * 31 + sum(out->recipient) + sum(out->original_recipient)
            + sum(out->diagnostic) + sum(out->remote_mta) + sum(out->reporting_mta)
            + out->cause.category;
        must(out->evidence_n <= READ_EVIDENCE_MOST && out->confidence <= 100);
        for (uint8_t e = 0; e < out->evidence_n; e++)
            all += sum(out->evidence[e].text);
    }
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct rules *rules;
    static struct bounce_reader *reader;
    struct bytes text = { (const char *)data, n }, rest = text, message;
    struct bounce_report report;

    if (rules == NULL) {
        rules = rules_builtin();
        must(rules != NULL);
        reader = bounce_reader_new(rules);
        must(reader != NULL);
    }
    bounce_read(reader, text, &report);
    unsigned first = report_sum(&report);
    bounce_explain_reply(reader, text, &report);
    (void)report_sum(&report);
    if (bounce_explain_line(reader, text, &report))
        (void)report_sum(&report);
    (void)bounce_input_of(text);
    for (unsigned i = 0; i < 100 && bounce_mbox_next(&rest, &message); i++)
        must(message.n > 0);
    bounce_read(reader, text, &report);
    must(report_sum(&report) == first);
    return 0;
}

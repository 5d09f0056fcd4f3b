/* SPDX-License-Identifier: ISC */
#include "sim/judge_report.h"

#include <string.h>

static bool holds(struct bytes text, struct bytes part)
{
    return bytes_search(text, part) < text.n;
}

/* Whom it says to have failed. */
static struct letter_recipient *failed_in(struct letter *letter, struct bytes text)
{
    const struct bytes field = BYTES("\nFinal-Recipient: ");
    struct bytes rest = bytes_skip(text, bytes_search(text, field) + field.n);
    struct bytes line = bytes_upto(rest, '\n');
    struct bytes address = bytes_skip(line, bytes_find(line, ';') + 2);

    if (!bytes_begins(bytes_skip(rest, line.n), BYTES("\nAction: failed\nStatus: 5.")))
        return NULL;
    for (size_t i = 0; i < letter->recipients_n; i++)
        if (bytes_equal(address, bytes_of(letter->recipients[i].mailbox->address)))
            return &letter->recipients[i];
    return NULL;
}

const char *report_seen(struct bytes text, struct letter *letter)
{
    const struct bytes field = BYTES("\nMessage-ID: <report.");
    struct bytes rest = bytes_skip(text, bytes_search(text, field));
    struct bytes id = bytes_upto(bytes_skip(rest, field.n), '>');

    if (holds(text, BYTES("\nAction: delayed\n")))
        return NULL;        /* the clock was put on: late it is */
    if (!bytes_begins(text, BYTES("Return-Path: <>\n")) || rest.n == 0 || id.n >= REPORT_ID)
        return "what lies among the reports is none";
    struct letter_recipient *recipient = letter == NULL ? NULL : failed_in(letter, text);
    if (recipient == NULL || !(recipient->mailbox->refuses || recipient->failed))
        return "a report about nothing that can have failed";
    if (recipient->report[0] == '\0')
        memcpy(recipient->report, id.at, id.n);
    return bytes_equal(id, bytes_of(recipient->report)) ? NULL : "two reports of one failure";
}

const char *report_judge(const struct letter *letter, const struct letter_recipient *recipient)
{
    bool told = recipient->report[0] != '\0';
    bool wants = strcmp(letter->sender, REPORTS_ADDRESS) == 0
        && (recipient->notify[0] == '\0' || strstr(recipient->notify, "FAILURE") != NULL);
    bool kept = letter->outcome == OUT_ACKED && recipient->code >= 200 && recipient->code <= 299;
    bool may_be = kept || (letter->outcome == OUT_UNKNOWN && recipient->sent
                           && recipient->code < 400);

    bool failed = recipient->mailbox->refuses || recipient->failed;

    if (recipient->copies > 0 && recipient->mailbox->refuses)
        return "it was delivered to the mailbox that refuses all";
    if (recipient->copies > 0 && told && recipient->windows == 0)
        return "it was delivered, and is reported to have failed";
    if (told && !wants)
        return "it failed, and somebody was told who did not want to be";
    if (told && !may_be)
        return "it was not accepted, and is reported to have failed";
    bool gone = failed && recipient->copies == 0;
    return !told && wants && kept && gone
        ? "it was answered 250 and failed, and nobody was told" : NULL;
}

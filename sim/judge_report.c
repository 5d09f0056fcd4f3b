/* SPDX-License-Identifier: ISC */
#include "sim/judge_report.h"

#include <string.h>

static const struct bytes final_recipient = BYTES_INIT("\nFinal-Recipient: ");

static bool holds(struct bytes text, struct bytes part)
{
    return bytes_search(text, part) < text.n;
}

/* Whom the next group of the text says to have failed; *text goes on behind it. */
static struct letter_recipient *failed_in(struct letter *letter, struct bytes *text)
{
    struct bytes rest = bytes_skip(*text, bytes_search(*text, final_recipient) + final_recipient.n);
    struct bytes line = bytes_upto(rest, '\n');
    struct bytes address = bytes_skip(line, bytes_find(line, ';') + 2);

    *text = bytes_skip(rest, line.n);
    if (!bytes_begins(*text, BYTES("\nAction: failed\nStatus: 5.")))
        return NULL;
    for (size_t i = 0; i < letter->recipients_n; i++)
        if (bytes_equal(address, bytes_of(letter->recipients[i].mailbox->address)))
            return &letter->recipients[i];
    return NULL;
}

/* Notes the report with that recipient, if it can have failed and no other told of it. */
static const char *note(struct letter_recipient *recipient, struct bytes id)
{
    if (recipient == NULL || !(recipient->mailbox->refuses || recipient->failed))
        return "a report about nothing that can have failed";
    if (recipient->report[0] == '\0')
        memcpy(recipient->report, id.at, id.n);
    return bytes_equal(id, bytes_of(recipient->report)) ? NULL : "two reports of one failure";
}

const char *report_seen(struct bytes text, struct letter *letter)
{
    const struct bytes field = BYTES("\nMessage-ID: <report.");
    struct bytes rest = bytes_skip(text, bytes_search(text, field));
    struct bytes id = bytes_upto(bytes_skip(rest, field.n), '>');
    const char *flaw = NULL;

    if (holds(text, BYTES("\nAction: delayed\n")))
        return NULL;        /* the clock was put on: late it is */
    if (!bytes_begins(text, BYTES("Return-Path: <>\n")) || rest.n == 0 || id.n >= REPORT_ID)
        return "what lies among the reports is none";
    if (letter == NULL || !holds(text, final_recipient))
        return "a report about nothing that can have failed";
    while (flaw == NULL && holds(text, final_recipient))
        flaw = note(failed_in(letter, &text), id);
    return flaw;
}

const char *report_judge(const struct letter *letter, const struct letter_recipient *recipient,
                         bool excused)
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
    return !told && wants && kept && gone && !excused
        ? "it was answered 250 and failed, and nobody was told" : NULL;
}

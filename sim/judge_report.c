/* SPDX-License-Identifier: ISC */
#include "sim/judge_report.h"

#include "sim/refuser.h"

#include <string.h>

static bool holds(struct bytes text, struct bytes part)
{
    return bytes_search(text, part) < text.n;
}

static struct letter_recipient *refuser_of(struct letter *letter)
{
    for (size_t i = 0; i < letter->recipients_n; i++)
        if (letter->recipients[i].mailbox->refuses)
            return &letter->recipients[i];
    return NULL;
}

const char *report_seen(struct bytes text, struct letter *letter)
{
    const struct bytes field = BYTES("\nMessage-ID: <report.");
    struct letter_recipient *recipient = letter == NULL ? NULL : refuser_of(letter);
    struct bytes rest = bytes_skip(text, bytes_search(text, field));
    struct bytes id = bytes_upto(bytes_skip(rest, field.n), '>');

    if (holds(text, BYTES("\nAction: delayed\n")))
        return NULL;        /* the clock was put on: late it is */
    if (!bytes_begins(text, BYTES("Return-Path: <>\n")) || rest.n == 0 || id.n >= REPORT_ID)
        return "what lies among the reports is none";
    if (recipient == NULL)
        return "a report about nothing that can have failed";
    if (!holds(text, BYTES("\nFinal-Recipient: rfc822; " REFUSER_ADDRESS "\nAction: failed\n"
                           "Status: 5.2.1\n")))
        return "a report that does not say what failed";
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

    if (recipient->copies > 0)
        return "it was delivered to the mailbox that refuses all";
    if (told && !wants)
        return "it failed, and somebody was told who did not want to be";
    if (told && !may_be)
        return "it was not accepted, and is reported to have failed";
    return !told && wants && kept ? "it was answered 250 and failed, and nobody was told" : NULL;
}

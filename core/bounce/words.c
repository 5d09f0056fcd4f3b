/* SPDX-License-Identifier: ISC
 *
 * What a report says to people.
 */
#include "base/id.h"
#include "bounce/report.h"
#include "mail/date.h"

/* Who can do something about a code of that subject (RFC 3463, 3), and what. */
struct advice {
    const char *side, *how;
};

static struct advice advice_of(struct status_code code)
{
    static const struct advice by_subject[] = {
        [0] = { "you, or whoever runs the mail server there",
                "Read what the server said above; ask the recipient by other means if in doubt." },
        [1] = { "you: the address is what was refused",
                "Check the address letter by letter, or ask the recipient for the right one." },
        [2] = { "the recipient: the mailbox is what was refused",
                "Tell the recipient by other means; send it again when the mailbox takes mail." },
        [3] = { "whoever runs the receiving mail server",
                "Send it again later; if it fails again, show them this report." },
        [4] = { "whoever runs the receiving mail server, or the network between",
                "Check the part of the address behind the @; if it is right, send again later." },
        [5] = { "whoever runs the two mail servers: they did not understand each other",
                "Show this report to your own mail administrator." },
        [6] = { "you: the form of the message is what was refused",
                "Send it again in a simpler form: plain text, no attachment, plain addresses." },
        [7] = { "whoever runs the receiving mail server: a rule there refused it",
                "Read what the server said above, or ask the recipient to let your mail through." },
    };

    return by_subject[code.subject < COUNT(by_subject) ? code.subject : 0];
}

static const char *const openings[REPORT_ACTIONS] = {
    [REPORT_FAILED] = "Your message could not be delivered to the recipients named below.\r\n"
                      "It is not tried any more.\r\n",
    [REPORT_DELAYED] = "Your message is late: it has not been delivered to the recipients named"
                       "\r\nbelow yet. You need not do anything; it is still being tried.\r\n",
    [REPORT_DELIVERED] = "You asked to be told: your message was put into the mailboxes of the\r\n"
                         "recipients named below.\r\n",
    [REPORT_RELAYED] = "You asked to be told: your message was handed on for the recipients"
                       "\r\nnamed below, to a server that does not tell what comes of it.\r\n",
    [REPORT_EXPANDED] = "You asked to be told: your message went to the lists named below, and on"
                        "\r\nto their members.\r\n",
};

enum { WRAP = 72 };

/* A label, and below it the text in lines that are broken between words. */
static void put_said(struct buffer *to, const char *label, struct bytes text)
{
    struct bytes word;
    size_t column = WRAP;

    buffer_put_text(to, "  ");
    buffer_put_text(to, label);
    while (bytes_cut(&text, ' ', &word)) {
        bool fits = column + 1 + word.n <= WRAP;
        buffer_put_text(to, fits ? " " : "\r\n    ");
        column = fits ? column + 1 + word.n : 4 + word.n;
        buffer_put(to, word);
    }
    buffer_put_text(to, "\r\n");
}

static void put_code(struct buffer *to, const struct report_group *group, bool utf8)
{
    const struct status_entry *entry = status_find(group->code);
    struct buffer said = buffer_with_most(2 * REPORT_FIELD_MOST);

    buffer_put_text(&said, entry != NULL && group->code.detail != 0
                           ? entry->text : status_class_text(group->code.class));
    buffer_put_text(&said, " (");
    status_put(&said, group->code);
    buffer_put_char(&said, ')');
    put_said(to, "What happened:", buffer_bytes(&said));
    buffer_clear(&said);
    report_put_safe(&said, group->words, utf8);
    if (group->words.n > 0)
        put_said(to, group->remote.n > 0 ? "What the other server said:" : "What this server saw:",
                 buffer_bytes(&said));
    to->bad = to->bad || said.bad;
    buffer_done(&said);
}

static void put_until(struct buffer *to, const struct report_group *group)
{
    struct buffer said = buffer_with_most(REPORT_FIELD_MOST);

    buffer_put_text(&said, "Yes");
    if (group->retry_until_ms != 0) {
        buffer_put_text(&said, ", until ");
        date_put(&said, group->retry_until_ms);
    }
    put_said(to, "Is it still tried?", buffer_bytes(&said));
    to->bad = to->bad || said.bad;
    buffer_done(&said);
}

static void put_group(struct buffer *to, const struct report *report,
                      const struct report_group *group)
{
    struct advice advice = advice_of(group->code);

    buffer_put_text(to, "\r\n<");
    report_put_safe(to, group->recipient.address, report->envelope->smtputf8);
    buffer_put_text(to, ">\r\n");
    if (report->action != REPORT_FAILED && report->action != REPORT_DELAYED)
        return;
    put_code(to, group, report->envelope->smtputf8);
    put_said(to, "Who can do something about it:", bytes_of(advice.side));
    if (report->action == REPORT_FAILED) {
        put_said(to, "How:", bytes_of(advice.how));
        put_said(to, "Is it still tried?", BYTES("No; send it again yourself."));
    } else {
        put_said(to, "How:",
                 BYTES("Wait; only if time presses, reach the recipient by other means."));
        put_until(to, group);
    }
}

void bounce_words(struct buffer *to, const struct report *report)
{
    char id[ID_TEXT];

    id_write(report->letter, id);
    buffer_put_text(to, "This is the mail server ");
    report_put_safe(to, report->host, false);
    buffer_put_text(to, ".\r\n\r\n");
    buffer_put_text(to, openings[report->action]);
    for (size_t i = 0; i < report->groups_n; i++)
        put_group(to, report, &report->groups[i]);
    buffer_put_text(to, "\r\nYour message came here on ");
    date_put(to, report->envelope->received_ms);
    buffer_put_text(to, "\r\nand is known here as ");
    buffer_put(to, (struct bytes){ id, ID_TEXT });
    buffer_put_text(to, ".\r\n\r\n"
                        "The rest of this report is for programs; at its end is what your\r\n"
                        "message said about itself.\r\n");
}

/* SPDX-License-Identifier: ISC
 *
 * bounce/read.h: reads what mail systems send back: reports (RFC 3464, RFC 6533), free-form
 * bounces, auto-replies (RFC 3834), complaints (RFC 5965), and bare replies and lines of logs.
 * Stands on base and mail.
 *
 * A reader holds memory and serves one reading after the other. All texts of a report are borrowed
 * from the message or from the reader, and live until its next reading and as long as the message.
 * They are a stranger's octets, unescaped; text of notices in other charsets is UTF-8.
 *
 * Nothing a message holds takes more than linear time or more memory than READ_MEMORY_MOST.
 */
#ifndef POSTERN_BOUNCE_READ_H
#define POSTERN_BOUNCE_READ_H

#include "base/arena.h"
#include "base/buffer.h"
#include "bounce/rules.h"
#include "mail/cause.h"

enum {
    READ_RECIPIENTS_MOST = 1000,        /* listed; beyond it they are counted */
    READ_EVIDENCE_MOST = 4,
    READ_MEMORY_MOST = 8 * 1024 * 1024,
    READ_NOTICE_MOST = 64 * 1024,       /* of the text for people that is looked at */
};

enum bounce_kind {
    BOUNCE_NOT_A_REPORT, BOUNCE_FAILURE, BOUNCE_DELAY, BOUNCE_SUCCESS, BOUNCE_RELAYED,
    BOUNCE_AUTOREPLY, BOUNCE_COMPLAINT, BOUNCE_CHALLENGE,
    BOUNCE_KINDS
};

/* Action (RFC 3464, 2.3.3), as it was said or, without the field, as the words tell. */
enum bounce_action {
    ACTION_UNKNOWN, ACTION_FAILED, ACTION_DELAYED, ACTION_DELIVERED, ACTION_RELAYED,
    ACTION_EXPANDED,
    BOUNCE_ACTIONS
};

/* The command that failed. */
enum bounce_command {
    COMMAND_UNKNOWN, COMMAND_CONNECT, COMMAND_HELO, COMMAND_STARTTLS, COMMAND_AUTH, COMMAND_MAIL,
    COMMAND_RCPT, COMMAND_DATA, COMMAND_TEXT,       /* after the end of the text */
    BOUNCE_COMMANDS
};

/* What decided, strongest first (reference: provider token, text, code, command, ...). */
enum bounce_proof {
    PROOF_NONE, PROOF_TOKEN, PROOF_WORDS, PROOF_STATUS, PROOF_COMMAND, PROOF_GENERIC_STATUS,
    PROOF_REPLY, PROOF_SUBJECT, PROOF_FORM,         /* only the form of the message */
    BOUNCE_PROOFS
};

/* A line that decided something: of the message, or of the text that was asked about. */
struct bounce_evidence {
    enum bounce_proof proof;
    struct bytes text;          /* the words, code or field that were recognised */
    uint32_t rule;              /* its line in the rules, 0: none; for RULES_OPERATOR see rules.h */
};

struct bounce_recipient {
    struct bytes recipient;             /* Final-Recipient, or as the notice has it */
    struct bytes original_recipient;    /* empty: none, or the same */
    enum bounce_action action;
    struct status_code status;          /* class 0: none was said and none can be inferred */
    bool status_inferred;               /* nobody said it: it is ours, for that cause */
    uint16_t reply_code;                /* 0: none */
    enum bounce_command command;
    struct bytes diagnostic;            /* the server's words, folding taken away */
    struct bytes remote_mta, reporting_mta;
    int64_t arrival, last_attempt, retry_until;     /* seconds since 1970; 0: not said */
    struct cause cause;
    struct bounce_evidence evidence[READ_EVIDENCE_MOST];
    uint8_t evidence_n;
    uint8_t confidence;                 /* of the cause: 0 (none) to 100 */
};

struct bounce_report {
    enum bounce_kind kind;
    struct bounce_recipient *recipients;
    uint32_t recipients_n;              /* listed */
    uint64_t recipients_all;            /* found */
    struct bytes message_id, subject, from;     /* of the letter it is about; empty: not there */
    struct bytes language;              /* "de", "ja" ...: of the notice; empty: English, or
                                           not known */
    struct bytes feedback_type;         /* of a complaint: "abuse" ... */
    bool cut;                           /* memory or a limit ended the reading early */
};

struct bounce_reader;

/* A reader of these rules (rules_builtin, or those of rules.h); NULL: no memory. The rules stay
   the caller's and must outlive it. */
MUST_USE struct bounce_reader *bounce_reader_new(const struct rules *rules);
void bounce_reader_free(struct bounce_reader *reader);

/* One whole message, with LF, CRLF or CR. Always gives a report; one that is none has the kind
   NOT_A_REPORT and no recipients. */
void bounce_read(struct bounce_reader *reader, struct bytes message,
                 struct bounce_report *ret_report);
/* A bare reply of a server, one line or several ("550-5.1.1 ...\n550 ..."), or a status code, or
   any words of a failure: one recipient. */
void bounce_explain_reply(struct bounce_reader *reader, struct bytes text,
                          struct bounce_report *ret_report);
/* A line of a log (Postfix, Exim, Sendmail, Postern): one recipient, its address when it is
   named. False, and nothing is written, when it is no line about a delivery. */
MUST_USE bool bounce_explain_line(struct bounce_reader *reader, struct bytes line,
                                  struct bounce_report *ret_report);

/* quotes.c. When that address has a local part in quotation marks and the failure is about its
   form: sets cause.quotes, and whose side must act. `by_words`: words, not a code, decided so far;
   quotes_by_words knows of a recipient that was read. */
void quotes_know(struct bounce_recipient *recipient, struct bytes address, bool by_words);
bool quotes_by_words(const struct bounce_recipient *recipient);

/* What a text is, by its beginning: so that one door can take them all. */
enum bounce_input { INPUT_EMPTY, INPUT_CODE, INPUT_REPLY, INPUT_LINE, INPUT_MBOX, INPUT_MESSAGE };
enum bounce_input bounce_input_of(struct bytes text);

/* The next message of an mbox ("From " lines part them); false at its end. *rest moves on. A
   message is never copied: ">From " stays as it is. */
MUST_USE bool bounce_mbox_next(struct bytes *rest, struct bytes *ret_message);

/* Names as in JSON: "bounce", "not-a-report"; "failed", "" for ACTION_UNKNOWN; "RCPT TO". */
const char *bounce_kind_name(enum bounce_kind kind);
const char *bounce_action_name(enum bounce_action action);
const char *bounce_command_name(enum bounce_command command);
const char *bounce_proof_name(enum bounce_proof proof);

#endif

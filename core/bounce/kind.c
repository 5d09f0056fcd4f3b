/* SPDX-License-Identifier: ISC
 *
 * What kind of message it is. A status part says it; without one, the sender, the subject and the
 * words of the notice must say it together, for people write about reports too.
 */
#include "bounce/read_int.h"

static bool begins_any(struct bytes text, const char *const *starts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes_begins_nocase(text, bytes_of(starts[i])))
            return true;
    }
    return false;
}

/* Of the From field, raw: its address counts here. */
static bool from_daemon(struct bounce_reader *reader)
{
    struct bytes field = reader->got.head.field[HEAD_FROM];
    struct bytes from = field_text(reader, bytes_first(field, 500));

    if (field.at != NULL && (bytes_trim(from).n == 0 || bytes_equal(from, BYTES("<>"))))
        return true;
    match_begin(&reader->said);
    match_raw(&reader->said, from);
    for (uint32_t i = 0; i < reader->said.hits_n; i++) {
        if (reader->rules->rules[reader->said.hits[i].rule].mark == MARK_DAEMON)
            return true;
    }
    return false;
}

static bool null_path(const struct head *head)
{
    struct bytes path = bytes_trim(head->field[HEAD_RETURN_PATH]);

    return bytes_equal(path, BYTES("<>"))
        || has_word(bytes_first(path, 200), BYTES("mailer-daemon"));
}

static struct bytes subject_of(struct bounce_reader *reader)
{
    return field_text(reader, bytes_first(reader->got.head.field[HEAD_SUBJECT], 1000));
}

static bool is_answer(struct bytes subject)
{
    static const char *const starts[] = { "re:", "re :", "aw:", "antw:", "sv:", "fwd:", "fw:",
                                          "wg:", "tr:", "rv:", "i:", "res:" };

    return begins_any(bytes_trim(subject), starts, COUNT(starts));
}

/* The marks of the subject alone: the bits of enum rule_mark. */
static uint32_t subject_marks(struct bounce_reader *reader, struct bytes subject)
{
    uint32_t marks = 0;

    match_begin(&reader->said);
    match_line(&reader->said, subject, 0);
    match_end(&reader->said);
    for (uint32_t i = 0; i < reader->said.hits_n; i++)
        marks |= 1u << reader->rules->rules[reader->said.hits[i].rule].mark;
    return marks;
}

static bool has(uint32_t marks, enum rule_mark mark)
{
    return (marks >> mark & 1) != 0;
}

static bool auto_submitted(const struct head *head, struct bytes word)
{
    return has_word(bytes_first(head->field[HEAD_AUTO_SUBMITTED], 200), word);
}

static bool autoreply_fields(const struct head *head)
{
    return head->field[HEAD_AUTOREPLY].n > 0 || head->field[HEAD_AUTORESPOND].n > 0
        || has_word(bytes_first(head->field[HEAD_PRECEDENCE], 100), BYTES("auto_reply"))
        || auto_submitted(head, BYTES("auto-replied")) || auto_submitted(head, BYTES("vacation"));
}

/* How much speaks for a report, by what is not a status part. */
static unsigned notice_score(struct bounce_reader *reader, uint32_t subject, bool daemon)
{
    const struct head *head = &reader->got.head;
    unsigned score = 0;

    score += head->field[HEAD_FAILED].n > 0 ? 4 : 0;
    score += reader->got.report && !reader->got.receipt_seen ? 4 : 0;
    score += notice_marked(reader, MARK_NOTICE) ? 3 : 0;
    score += notice_marked(reader, MARK_MAYBE) || notice_marked(reader, MARK_FAILED)
        || notice_marked(reader, MARK_DELAY) ? 1 : 0;
    score += notice_marked(reader, MARK_NONE) ? 1 : 0;
    score += has(subject, MARK_SUBJECT) ? 2 : 0;
    score += daemon ? 2 : 0;
    score += null_path(head) ? 1 : 0;
    score += auto_submitted(head, BYTES("auto-generated"))
        || auto_submitted(head, BYTES("auto-notified"));
    return score;
}

/* Do the words for each recipient only ask the sender to be confirmed? Such services write a
   failure that a letter is, until somebody answers. */
static bool groups_ask(struct bounce_reader *reader)
{
    for (uint32_t i = 0; i < reader->people_n; i++) {
        bool asks = false;
        match_begin(&reader->said);
        match_line(&reader->said, bytes_first(reader->people[i].out.diagnostic, 500), 0);
        match_end(&reader->said);
        for (uint32_t hit = 0; hit < reader->said.hits_n; hit++)
            asks = asks || reader->rules->rules[reader->said.hits[hit].rule].mark
                == MARK_CHALLENGE;
        if (!asks)
            return false;
    }
    return reader->people_n > 0;
}

static enum bounce_kind kind_by_groups(struct bounce_reader *reader)
{
    bool seen[BOUNCE_ACTIONS] = { false }, failed = false;

    for (uint32_t i = 0; i < reader->people_n; i++) {
        const struct bounce_recipient *out = &reader->people[i].out;
        seen[out->action] = true;
        failed = failed || (out->action == ACTION_UNKNOWN && out->status.class != 2);
    }
    if (seen[ACTION_FAILED] || failed)
        return BOUNCE_FAILURE;
    if (seen[ACTION_DELAYED])
        return BOUNCE_DELAY;
    if (seen[ACTION_DELIVERED] || seen[ACTION_EXPANDED])
        return BOUNCE_SUCCESS;
    return seen[ACTION_RELAYED] ? BOUNCE_RELAYED : BOUNCE_SUCCESS;
}

static enum bounce_kind kind_by_words(struct bounce_reader *reader, uint32_t subject)
{
    if (notice_marked(reader, MARK_DELAY) || has(subject, MARK_DELAY))
        return BOUNCE_DELAY;
    if ((notice_marked(reader, MARK_DELIVERED) || has(subject, MARK_DELIVERED))
        && !notice_marked(reader, MARK_NONE) && !notice_marked(reader, MARK_FAILED))
        return BOUNCE_SUCCESS;
    if (notice_marked(reader, MARK_RELAYED) && !notice_marked(reader, MARK_NONE))
        return BOUNCE_RELAYED;
    return BOUNCE_FAILURE;
}

/* Does anything but the words of the notice say that no person wrote it? */
static bool from_machine(struct bounce_reader *reader, struct bytes subject)
{
    static const char *const starts[] = {
        "undeliverable:", "non-delivery:", "undelivered mail returned to sender", "returned mail:",
        "delivery failure", "failure notice", "mail delivery failed", "nondeliverable mail",
        "delivery status notification (", "unzustellbar:", "non remis", "no se puede entregar:",
        "non recapitabile:",
    };
    const struct head *head = &reader->got.head;

    return begins_any(bytes_trim(subject), starts, COUNT(starts))
        || null_path(head) || head->field[HEAD_FAILED].n > 0
        || reader->got.report
        || head->field[HEAD_AUTO_SUBMITTED].n > 0 || reader->got.original_seen
        || head->field[HEAD_FROM].at == NULL;
}

enum bounce_kind kind_of(struct bounce_reader *reader)
{
    const struct head *head = &reader->got.head;
    struct bytes subject = subject_of(reader);
    uint32_t marks = subject_marks(reader, subject);
    bool daemon = from_daemon(reader);
    unsigned score = notice_score(reader, marks, daemon);
    bool answer = is_answer(subject);

    if (reader->got.feedback_seen || (has(marks, MARK_COMPLAINT) && reader->got.original_seen))
        return BOUNCE_COMPLAINT;
    if (notice_marked(reader, MARK_CHALLENGE) && !null_path(head) && groups_ask(reader))
        return BOUNCE_CHALLENGE;
    if (reader->people_n > 0)
        return kind_by_groups(reader);
    if (score < 7 && (has(marks, MARK_CHALLENGE) || notice_marked(reader, MARK_CHALLENGE)
                      || head->field[HEAD_CHALLENGE].n > 0) && head->field[HEAD_FAILED].n == 0)
        return BOUNCE_CHALLENGE;
    if (head->field[HEAD_FAILED].n == 0 && !notice_marked(reader, MARK_NOTICE)
        && !daemon && (autoreply_fields(head) || has(marks, MARK_AUTOREPLY)))
        return BOUNCE_AUTOREPLY;
    if (reader->got.receipt_seen && !notice_marked(reader, MARK_NOTICE))
        return BOUNCE_NOT_A_REPORT;
    if (answer && !daemon)
        return notice_marked(reader, MARK_NOTICE) && score >= 5 ? kind_by_words(reader, marks)
            : BOUNCE_NOT_A_REPORT;
    if (!daemon && !from_machine(reader, subject))
        return BOUNCE_NOT_A_REPORT;     /* a person, or a paper, writes about reports */
    return score >= 4 ? kind_by_words(reader, marks) : BOUNCE_NOT_A_REPORT;
}

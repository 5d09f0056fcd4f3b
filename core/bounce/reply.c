/* SPDX-License-Identifier: ISC
 *
 * Bare replies, codes and lines of logs: one recipient, judged as any other.
 */
#include "bounce/read_int.h"

#include <string.h>

enum { LINE_PART_MOST = 8000 };

/* What the class of a bare reply says: a server that said 4yz will be tried again, as far as one
   reply can tell. */
static enum bounce_kind kind_of_reply(const struct bounce_recipient *out)
{
    unsigned class = out->reply_code >= 200 ? out->reply_code / 100 : out->status.class;

    return class == 2 ? BOUNCE_SUCCESS : class == 4 ? BOUNCE_DELAY : BOUNCE_FAILURE;
}

static void report_one(struct bounce_reader *reader, struct person *person, enum bounce_kind kind,
                       struct bounce_report *ret_report)
{
    reader->out[0] = person->out;
    *ret_report = (struct bounce_report){ .kind = kind, .recipients = reader->out,
                                          .recipients_n = 1, .recipients_all = 1,
                                          .cut = reader->cut };
}

static struct person *reading_of_one(struct bounce_reader *reader, struct bytes words)
{
    arena_reset(&reader->arena);
    reader->cut = words.n > READ_FIELD_MOST;
    reader->got.reporting_mta = BYTES_NONE;
    reader->lines_n = 0;
    reader->notice.hits_n = 0;
    reader->people_n = 1;
    reader->people_all = 1;
    struct person *person = reader->people;
    *person = (struct person){ .line = LINE_NONE, .group = true };
    person->out.diagnostic = bytes_first(words, READ_FIELD_MOST);
    return person;
}

/* "5.7.7" or "X.7.7" or "550" alone. */
static bool is_code(struct bytes text, struct status_code *ret_code, uint16_t *ret_reply)
{
    size_t used;

    if (status_parse(text, ret_code, &used) && used == text.n)
        return true;
    if (text.n != 3 || !is_digit(text.at[0]) || text.at[0] < '2' || text.at[0] > '5')
        return false;
    *ret_reply = reply_in(text);
    return *ret_reply != 0;
}

void bounce_explain_reply(struct bounce_reader *reader, struct bytes text,
                          struct bounce_report *ret_report)
{
    text = bytes_trim(text);
    struct person *person = reading_of_one(reader, text);
    struct bounce_recipient *out = &person->out;
    size_t at, end;

    if (!is_code(text, &out->status, &out->reply_code))
        out->status = codes_in(bytes_first(text, READ_DIAGNOSTIC_MOST), "245", &out->reply_code);
    person->codes_known = out->status.class != 2;
    if (address_in(out->diagnostic, 0, &at, &end))
        out->recipient = (struct bytes){ text.at + at, end - at };
    enum bounce_kind kind = kind_of_reply(out);
    if (kind == BOUNCE_SUCCESS) {
        out->cause = cause_of(CAUSE_DELIVERED);
        out->confidence = 60;
    } else {
        judge(reader, person, kind);
        if (kind == BOUNCE_DELAY || out->reply_code == 0)
            out->cause.over = CAUSE_UNSURE;
    }
    report_one(reader, person, kind, ret_report);
}

/* Behind a name as "dsn=" in a line of a log, up to a comma, or up to the line's end for words;
   empty: it is not there. */
static struct bytes value_of(struct bytes line, struct bytes name, bool words)
{
    size_t at = bytes_search(line, name);

    if (at == line.n || (at > 0 && is_alnum(line.at[at - 1])))
        return BYTES_NONE;
    struct bytes value = bytes_skip(line, at + name.n);
    return words ? bytes_trim(value) : bytes_upto(bytes_upto(value, ','), ' ');
}

static struct bytes address_of(struct bytes text)
{
    size_t at, end;

    if (!address_in(text, 0, &at, &end))
        return BYTES_NONE;
    return (struct bytes){ text.at + at, end - at };
}

struct log_line {
    struct bytes address, words, host;
    struct status_code status;
    enum bounce_action action;
};

/* Postfix, Sendmail, OpenSMTPD: to=<a@b>, relay=..., dsn=5.1.1, status=bounced (words) */
static bool named_line(struct bytes line, struct log_line *ret_log)
{
    struct bytes to = value_of(line, BYTES("to="), false);
    struct bytes status = value_of(line, BYTES("status="), true);
    struct bytes stat = value_of(line, BYTES("stat="), true);
    struct bytes result = value_of(line, BYTES("result="), true);
    struct bytes words = status.n > 0 ? status : stat.n > 0 ? stat : result;

    if (to.n == 0 || words.n == 0)
        return false;
    ret_log->address = address_of(to);
    ret_log->status = code_in(bytes_first(value_of(line, BYTES("dsn="), false), 20), "245");
    ret_log->host = bytes_upto(value_of(line, BYTES("relay="), false), '[');
    ret_log->words = words;
    ret_log->action = bytes_begins_nocase(words, BYTES("sent")) || bytes_begins(words,
        BYTES("Ok")) ? ACTION_DELIVERED
        : bytes_begins(words, BYTES("deferred")) || bytes_begins_nocase(words, BYTES("Deferred"))
            || bytes_begins(words, BYTES("TempFail")) ? ACTION_DELAYED : ACTION_FAILED;
    return true;
}

/* Exim: "** a@b ...: words" failed, "== a@b ... defer (-44): words", "=> a@b" delivered. */
static bool exim_line(struct bytes line, struct log_line *ret_log)
{
    static const struct { struct bytes mark; enum bounce_action action; } marks[] = {
        { BYTES_INIT(" ** "), ACTION_FAILED }, { BYTES_INIT(" == "), ACTION_DELAYED },
        { BYTES_INIT(" => "), ACTION_DELIVERED }, { BYTES_INIT(" -> "), ACTION_DELIVERED },
    };

    for (size_t i = 0; i < COUNT(marks); i++) {
        size_t at = bytes_search(bytes_first(line, 200), marks[i].mark);
        if (at == line.n || at >= 200)
            continue;
        struct bytes rest = bytes_skip(line, at + marks[i].mark.n);
        struct bytes address = address_of(bytes_upto(rest, ' '));
        if (address.n == 0)
            continue;
        ret_log->address = address;
        ret_log->words = bytes_trim(bytes_skip(rest, bytes_search(rest, BYTES(": "))));
        ret_log->action = marks[i].action;
        return true;
    }
    return false;
}

/* Ours: event=... to=a@b code=5.1.1 words="..." */
static bool event_line(struct bytes line, struct log_line *ret_log)
{
    struct bytes to = value_of(line, BYTES("to="), false), rcpt = value_of(line, BYTES("rcpt="),
                                                                           false);
    struct bytes code = value_of(line, BYTES("code="), false);

    if (bytes_search(line, BYTES("event=")) == line.n || (to.n == 0 && rcpt.n == 0)
        || code.n == 0)
        return false;
    ret_log->address = address_of(to.n > 0 ? to : rcpt);
    ret_log->status = code_in(bytes_first(code, 20), "245");
    ret_log->words = value_of(line, BYTES("words="), true);
    ret_log->host = value_of(line, BYTES("remote="), false);
    ret_log->action = ret_log->status.class == 2 ? ACTION_DELIVERED
        : ret_log->status.class == 4 ? ACTION_DELAYED : ACTION_FAILED;
    return true;
}

bool bounce_explain_line(struct bounce_reader *reader, struct bytes line,
                         struct bounce_report *ret_report)
{
    struct log_line log = { .words = BYTES_NONE, .host = BYTES_NONE };

    line = bytes_first(bytes_trim(line), LINE_PART_MOST);
    if (!event_line(line, &log) && !named_line(line, &log) && !exim_line(line, &log))
        return false;
    struct person *person = reading_of_one(reader, log.words);
    struct bounce_recipient *out = &person->out;
    out->recipient = log.address;
    out->status = log.status;
    out->remote_mta = log.host;
    out->action = log.action;
    enum bounce_kind kind = log.action == ACTION_DELIVERED ? BOUNCE_SUCCESS
        : log.action == ACTION_DELAYED ? BOUNCE_DELAY : BOUNCE_FAILURE;
    if (kind == BOUNCE_SUCCESS) {
        out->cause = cause_of(CAUSE_DELIVERED);
        out->cause.over = CAUSE_YES;
        out->confidence = 100;
    } else {
        judge(reader, person, kind);
    }
    report_one(reader, person, kind, ret_report);
    return true;
}

static bool begins_digits(struct bytes text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i >= text.n || !is_digit(text.at[i]))
            return false;
    }
    return true;
}

enum bounce_input bounce_input_of(struct bytes text)
{
    struct bytes trimmed = bytes_trim(bytes_first(text, 64 * 1024));
    struct lines lines = lines_of(trimmed);
    struct log_line log;
    struct bytes line = BYTES_NONE, second = BYTES_NONE;
    struct status_code code;
    size_t used;

    if (trimmed.n == 0)
        return INPUT_EMPTY;
    if (lines_next(&lines, &line))
        (void)lines_next(&lines, &second);
    bool one = second.at == NULL || second.n == 0;
    if (one && trimmed.n <= 12 && trimmed.n >= 3
        && ((trimmed.n == 3 && begins_digits(trimmed, 3))
            || (status_parse(trimmed, &code, &used) && used == trimmed.n)
            || ((trimmed.at[0] == 'X' || trimmed.at[0] == 'x') && trimmed.at[1] == '.')))
        return INPUT_CODE;
    if (bytes_begins(text, BYTES("From ")))
        return INPUT_MBOX;
    if (begins_digits(line, 3) && line.n > 3 && (line.at[3] == ' ' || line.at[3] == '-'))
        return INPUT_REPLY;
    if (event_line(line, &log) || named_line(line, &log) || (one && exim_line(line, &log)))
        return INPUT_LINE;
    if (head_is_field(line) && (head_is_field(second) || (second.n > 0 && is_space(second.at[0]))))
        return INPUT_MESSAGE;
    return one || trimmed.n < 2000 ? INPUT_REPLY : INPUT_MESSAGE;
}

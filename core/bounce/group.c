/* SPDX-License-Identifier: ISC
 *
 * message/delivery-status (RFC 3464, 2) and what is written like it, complaints (RFC 5965), and
 * the header of the letter that it is about.
 */
#include "bounce/read_int.h"

#include "mail/address.h"
#include "mail/date.h"
#include "mail/xtext.h"

#include <string.h>

#define FIELD_LIST(F) \
    F(REPORTING, "reporting-mta") F(ARRIVAL, "arrival-date") F(ORIGINAL, "original-recipient") \
    F(FINAL, "final-recipient") F(ACTION, "action") F(STATUS, "status") \
    F(REMOTE, "remote-mta") F(DIAGNOSTIC, "diagnostic-code") F(LAST, "last-attempt-date") \
    F(RETRY, "will-retry-until") F(EXTRA, "x-supplementary-info") F(NOTES, "x-notes") \
    F(ERROR, "x-error") F(ACTUAL, "x-actual-recipient") F(REASON, "x-reason") \
    F(RECEIVED_FROM, "received-from-mta") F(ENVELOPE, "original-envelope-id") \
    F(OUTLOOK, "x-display-name") F(COMMENT, "x-diagnostic-comment") F(FAILED, "failed-recipient")

#define NAME(NAME, text) FIELD_##NAME,
enum field { FIELD_LIST(NAME) FIELDS };
#undef NAME

struct group {
    struct bytes field[FIELDS];
};

static enum field field_of(struct bytes line)
{
    static const struct bytes names[] = {
#define NAME(NAME, text) [FIELD_##NAME] = BYTES_INIT(text),
        FIELD_LIST(NAME)
#undef NAME
    };
    struct bytes name = bytes_trim(bytes_upto(line, ':'));

    for (enum field i = 0; i < FIELDS; i++) {
        if (name.n == names[i].n && bytes_equal_nocase(name, names[i]))
            return i;
    }
    return FIELDS;
}

/* Behind "rfc822;", "dns;", "smtp;" ... */
static struct bytes typed_value(struct bytes value)
{
    size_t semicolon = bytes_find(value, ';');

    if (semicolon < value.n && semicolon < 20)
        value = bytes_skip(value, semicolon + 1);
    return bytes_trim(value);
}

/* RFC 6533, 3: with the type utf-8 a character may stand as "\x{E9}". */
static struct bytes decoded_value(struct bounce_reader *reader, struct bytes field)
{
    struct bytes value = typed_value(field);
    struct buffer text = buffer_with_most(READ_FIELD_MOST);
    struct buffer said = buffer_with_most(READ_FIELD_MOST);

    if (!bytes_begins_nocase(bytes_trim(field), BYTES("utf-8"))
        || bytes_search(value, BYTES("\\x{")) == value.n)
        return value;
    buffer_put_text(&text, "utf-8;");
    buffer_put(&text, value);
    if (!text.bad && orcpt_decode(buffer_bytes(&text), true, &said) && !said.bad)
        value = arena_copy(&reader->arena, bytes_skip(buffer_bytes(&said), 6));
    buffer_done(&text);
    buffer_done(&said);
    return value;
}

/* The address in it; the whole of it when there is none, for a name of X.400 or a local user. */
static struct bytes address_value(struct bounce_reader *reader, struct bytes field)
{
    struct bytes value = decoded_value(reader, head_unfold(&reader->arena, field));
    struct address address;
    size_t at, end;

    if (address_parse(value, true, &address, NULL))
        return value;       /* quoted, maybe, in ways that no search in a text can tell */
    if (address_in(value, 0, &at, &end))
        return (struct bytes){ value.at + at, end - at };
    while (value.n > 0 && (value.at[0] == '<' || value.at[0] == '"'))
        value = bytes_skip(value, 1);
    while (value.n > 0 && (value.at[value.n - 1] == '>' || value.at[value.n - 1] == '"'))
        value.n--;
    return value;
}

static int64_t date_value(struct bounce_reader *reader, struct bytes field)
{
    struct date date;

    if (field.n == 0 || !date_parse(head_unfold(&reader->arena, bytes_first(field, 200)), &date))
        return 0;
    return date.seconds;
}

static enum bounce_action action_value(struct bytes field)
{
    static const struct { const char *word; enum bounce_action action; } actions[] = {
        { "fail", ACTION_FAILED }, { "delay", ACTION_DELAYED }, { "deliver", ACTION_DELIVERED },
        { "relay", ACTION_RELAYED }, { "expand", ACTION_EXPANDED }, { "expired", ACTION_FAILED },
        { "error", ACTION_FAILED }, { "undeliver", ACTION_FAILED },
    };

    field = bytes_trim(field);
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (bytes_begins_nocase(field, bytes_of(actions[i].word)))
            return actions[i].action;
    }
    return ACTION_UNKNOWN;
}

static struct bytes words_value(struct bounce_reader *reader, struct bytes field)
{
    struct bytes value = field_text(reader, bytes_first(field, READ_FIELD_MOST));
    size_t semicolon = bytes_find(value, ';');

    /* "smtp; 550 ..." and not "550 5.1.1 no; such" */
    for (size_t i = 0; i < semicolon && semicolon < value.n; i++) {
        if (!is_alnum(value.at[i]) && value.at[i] != '-' && value.at[i] != '_')
            return value;
    }
    if (semicolon > 20 || semicolon == value.n || (semicolon > 0 && is_digit(value.at[0])))
        return value;
    return bytes_trim(bytes_skip(value, semicolon + 1));
}

static struct bytes host_value(struct bounce_reader *reader, struct bytes field)
{
    struct bytes value = typed_value(head_unfold(&reader->arena, bytes_first(field, 500)));

    return bytes_upto(value, ' ');
}

/* "5.2.1 (mailbox disabled)": what stands between the brackets. */
static struct bytes status_comment(struct bounce_reader *reader, struct bytes field)
{
    struct bytes value = head_unfold(&reader->arena, bytes_first(field, 500));

    return bytes_upto(bytes_skip(value, bytes_find(value, '(') + 1), ')');
}

/* Of X- fields, what adds words. */
static struct bytes extra_value(struct bounce_reader *reader, const struct group *group)
{
    static const enum field fields[] = { FIELD_EXTRA, FIELD_NOTES, FIELD_ERROR, FIELD_REASON,
                                         FIELD_COMMENT };

    for (size_t i = 0; i < COUNT(fields); i++) {
        if (group->field[fields[i]].n > 0)
            return field_text(reader, bytes_first(group->field[fields[i]], READ_FIELD_MOST));
    }
    return status_comment(reader, group->field[FIELD_STATUS]);
}

static bool group_names_someone(const struct group *group)
{
    return group->field[FIELD_FINAL].n > 0 || group->field[FIELD_ORIGINAL].n > 0
        || group->field[FIELD_ACTUAL].n > 0 || group->field[FIELD_FAILED].n > 0;
}

static struct bytes first_of(struct bytes a, struct bytes b)
{
    return bytes_trim(a).n > 0 ? a : b;
}

/* The recipient of one group; false: it names nobody. */
static bool group_take(struct bounce_reader *reader, const struct group *group)
{
    const struct bytes *field = group->field;
    struct bytes original = address_value(reader, field[FIELD_ORIGINAL]);
    struct bytes final = address_value(reader, first_of(field[FIELD_FINAL], first_of(
        field[FIELD_FAILED], field[FIELD_ACTUAL])));
    bool odd = bytes_find(final, '@') == final.n && bytes_find(original, '@') < original.n;

    if (!group_names_someone(group))
        return false;
    if (final.n == 0 || odd)
        final = original;
    struct person *person = person_add(reader, final);
    if (person == NULL)
        return true;
    person->group = true;
    if (!bytes_equal_nocase(original, final))
        person->out.original_recipient = original;
    person->out.action = action_value(field[FIELD_ACTION]);
    person->out.status = code_in(bytes_first(field[FIELD_STATUS], 100), "245");
    person->out.diagnostic = words_value(reader, field[FIELD_DIAGNOSTIC]);
    person->out.remote_mta = host_value(reader, field[FIELD_REMOTE]);
    person->out.last_attempt = date_value(reader, field[FIELD_LAST]);
    person->out.retry_until = date_value(reader, field[FIELD_RETRY]);
    person->extra = extra_value(reader, group);
    if (person->out.diagnostic.n == 0)
        person->out.diagnostic = person->extra;
    return true;
}

static void group_common(struct bounce_reader *reader, const struct group *group)
{
    if (group->field[FIELD_REPORTING].n > 0 && reader->got.reporting_mta.n == 0)
        reader->got.reporting_mta = host_value(reader, group->field[FIELD_REPORTING]);
    if (group->field[FIELD_ARRIVAL].n > 0 && reader->got.arrival.n == 0)
        reader->got.arrival = group->field[FIELD_ARRIVAL];
}

struct groups {
    struct bounce_reader *reader;
    struct group group;
    enum field last;
    unsigned named;
};

static void group_end(struct groups *groups)
{
    group_common(groups->reader, &groups->group);
    groups->named += group_take(groups->reader, &groups->group);
    groups->group = (struct group){ 0 };
    groups->last = FIELDS;
}

/* A field that another recipient's group begins with, though no empty line parts them. */
static bool begins_group(const struct groups *groups, enum field field)
{
    const struct bytes *has = groups->group.field;

    if (field == FIELD_ORIGINAL)
        return has[FIELD_ORIGINAL].at != NULL
            || (has[FIELD_FINAL].at != NULL && has[FIELD_STATUS].at != NULL);
    return field == FIELD_FINAL && has[FIELD_FINAL].at != NULL
        && (has[FIELD_STATUS].at != NULL || has[FIELD_ACTION].at != NULL);
}

static void group_line(struct groups *groups, struct bytes line)
{
    struct bytes *last = groups->last == FIELDS ? NULL : &groups->group.field[groups->last];
    bool folded = line.n > 0 && is_space(line.at[0]);

    if (folded && last != NULL) {
        last->n = (size_t)(line.at + line.n - last->at);
        return;
    }
    enum field field = field_of(bytes_trim(line));
    /* Some servers' words of several lines are not folded as they should be. */
    if (field == FIELDS && last != NULL && groups->last == FIELD_DIAGNOSTIC && line.n > 3
        && is_digit(line.at[0]) && is_digit(line.at[1]) && is_digit(line.at[2])) {
        last->n = (size_t)(line.at + line.n - last->at);
        return;
    }
    groups->last = field;
    if (field == FIELDS)
        return;
    if (begins_group(groups, field))
        group_end(groups);
    groups->last = field;
    if (groups->group.field[field].at == NULL)
        groups->group.field[field] = bytes_skip(line, bytes_find(line, ':') + 1);
    else
        groups->last = FIELDS;
}

unsigned groups_take(struct bounce_reader *reader, struct bytes text)
{
    struct groups groups = { .reader = reader, .last = FIELDS };
    struct lines lines = lines_of(text);
    struct bytes line;

    while (lines_next(&lines, &line)) {
        if (is_blank(line))
            group_end(&groups);
        else
            group_line(&groups, line);
    }
    group_end(&groups);
    return groups.named;
}

void feedback_take(struct bounce_reader *reader, struct bytes text)
{
    struct lines lines = lines_of(text);
    struct bytes line;

    reader->got.feedback_seen = true;
    while (lines_next(&lines, &line)) {
        struct bytes name = bytes_trim(bytes_upto(line, ':'));
        struct bytes value = bytes_trim(bytes_skip(line, bytes_find(line, ':') + 1));
        size_t at, end;
        if (bytes_equal_nocase(name, BYTES("Feedback-Type")) && reader->got.feedback_type.n == 0)
            reader->got.feedback_type = value;
        if (bytes_equal_nocase(name, BYTES("Reporting-MTA")))
            reader->got.reporting_mta = typed_value(value);
        if ((bytes_equal_nocase(name, BYTES("Original-Rcpt-To"))
             || bytes_equal_nocase(name, BYTES("Removal-Recipient")))
            && reader->got.feedback_recipient.n == 0 && address_in(value, 0, &at, &end))
            reader->got.feedback_recipient = (struct bytes){ value.at + at, end - at };
    }
}

void original_take(struct bounce_reader *reader, struct bytes text)
{
    struct lines lines = lines_of(text);

    if (reader->got.original_seen)
        return;
    head_read(&lines, &reader->got.original);
    reader->got.original_seen = reader->got.original.fields > 0;
}

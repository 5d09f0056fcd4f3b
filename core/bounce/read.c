/* SPDX-License-Identifier: ISC */
#include "bounce/read_int.h"

#include "mail/date.h"

#include <string.h>

enum { PEOPLE_FIRST = 16 };

struct bounce_reader *bounce_reader_new(const struct rules *rules)
{
    struct bounce_reader *reader = mem_new(sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->rules = rules;
    reader->arena = arena_with_ceiling(READ_MEMORY_MOST);
    reader->people_room = reader->out_room = PEOPLE_FIRST;
    reader->lines = mem_new(READ_LINES_MOST * sizeof(*reader->lines));
    reader->found = mem_new(FOUND_MOST * sizeof(*reader->found));
    reader->people = mem_new(PEOPLE_FIRST * sizeof(*reader->people));
    reader->out = mem_new(PEOPLE_FIRST * sizeof(*reader->out));
    bool ok = match_init(&reader->notice, &rules->automaton);
    ok = match_init(&reader->said, &rules->automaton) && ok;
    if (ok && reader->lines != NULL && reader->found != NULL && reader->people != NULL
        && reader->out != NULL)
        return reader;
    bounce_reader_free(reader);
    return NULL;
}

void bounce_reader_free(struct bounce_reader *reader)
{
    if (reader == NULL)
        return;
    match_done(&reader->notice);
    match_done(&reader->said);
    arena_done(&reader->arena);
    mem_free(reader->lines);
    mem_free(reader->found);
    mem_free(reader->people);
    mem_free(reader->out);
    mem_free(reader);
}

static void gathering_begin(struct bounce_reader *reader)
{
    reader->got = (struct gathered){ 0 };
    reader->lines_n = 0;
    reader->notice_octets = 0;
    reader->people_n = 0;
    reader->people_all = 0;
    memset(reader->marks, 0, sizeof(reader->marks));
    match_begin(&reader->notice);
    match_begin(&reader->said);
}

static void reading_begin(struct bounce_reader *reader)
{
    arena_reset(&reader->arena);
    reader->cut = false;
    gathering_begin(reader);
}

/* The lines of the notice that are this person's own, one behind the other. */
static struct bytes own_words(struct bounce_reader *reader, uint16_t owner)
{
    struct buffer to = buffer_with_most(READ_DIAGNOSTIC_MOST);
    unsigned blank = 0;

    for (uint32_t i = 0; i < reader->lines_n && to.n + 2 < to.most; i++) {
        struct bytes line = bytes_trim(reader->lines[i].text);
        if (reader->lines[i].owner != owner)
            continue;
        blank = is_blank(line) ? blank + 1 : 0;
        if (blank > 2)
            break;
        if (line.n == 0)
            continue;
        if (to.n > 0)
            buffer_put_char(&to, '\n');
        buffer_put(&to, bytes_first(line, to.most - to.n));
    }
    struct bytes words = arena_copy(&reader->arena, buffer_bytes(&to));
    buffer_done(&to);
    return words.at == NULL ? BYTES_NONE : words;
}

/* Without the line that is the address alone. */
static struct bytes without_address(struct bytes words, struct bytes address)
{
    struct bytes line = bytes_upto(words, '\n');
    size_t at = bytes_search(line, address);

    if (address.n == 0 || at == line.n || line.n - address.n > 4)
        return words;
    return bytes_skip(words, line.n + 1);
}

/* Does anything in the person's lines say something? */
static bool own_tells(const struct bounce_reader *reader, uint16_t owner)
{
    for (uint32_t i = 0; i < reader->notice.hits_n; i++) {
        const struct rule *rule = &reader->rules->rules[reader->notice.hits[i].rule];
        uint32_t line = reader->notice.hits[i].line;
        if (rule->category != CAUSE_NONE && reader->lines[line].owner == owner)
            return true;
    }
    return false;
}

/* Several addresses one behind the other, and then the words that are about all of them. */
static void words_share(struct bounce_reader *reader)
{
    for (uint32_t i = reader->people_n; i-- > 1;) {
        struct person *person = &reader->people[i - 1], *next = &reader->people[i];
        bool none = person->out.diagnostic.n == 0 || (!own_tells(reader, (uint16_t)(i - 1))
            && reply_in(person->out.diagnostic) == 0);
        if (none && next->out.diagnostic.n > 0 && !person->group)
            person->out.diagnostic = next->out.diagnostic;
    }
}

/* One recipient, whose own lines say nothing: the notice is about him, all of it. */
static void lines_give(struct bounce_reader *reader)
{
    struct person *person = reader->people;

    if (reader->people_n != 1 || person->group || own_tells(reader, 0))
        return;
    for (uint32_t i = 0; i < reader->lines_n; i++)
        reader->lines[i].owner = 0;
    person->line = reader->lines_n > 0 ? 0 : LINE_NONE;
}

static void words_find(struct bounce_reader *reader)
{
    people_own(reader);
    lines_give(reader);
    for (uint32_t i = 0; i < reader->people_n; i++) {
        struct person *person = &reader->people[i];
        if (person->out.diagnostic.n > 0 || person->line == LINE_NONE)
            continue;
        struct bytes words = own_words(reader, (uint16_t)i);
        person->out.diagnostic = without_address(words, person->out.recipient);
    }
    words_share(reader);
}

/* A report without an address is about somebody all the same. */
static void someone(struct bounce_reader *reader)
{
    if (reader->people_n > 0)
        return;
    struct person *person = person_add(reader, BYTES_NONE);
    if (person == NULL || reader->lines_n == 0)
        return;
    person->line = 0;
    for (uint32_t i = 0; i < reader->lines_n; i++)
        reader->lines[i].owner = 0;
    person->out.diagnostic = own_words(reader, 0);
}

static enum bounce_action action_of(enum bounce_kind kind)
{
    switch (kind) {
    case BOUNCE_FAILURE:
        return ACTION_FAILED;
    case BOUNCE_DELAY:
        return ACTION_DELAYED;
    case BOUNCE_SUCCESS:
        return ACTION_DELIVERED;
    case BOUNCE_RELAYED:
        return ACTION_RELAYED;
    case BOUNCE_NOT_A_REPORT:
    case BOUNCE_AUTOREPLY:
    case BOUNCE_COMPLAINT:
    case BOUNCE_CHALLENGE:
    case BOUNCE_KINDS:
        break;
    }
    return ACTION_UNKNOWN;
}

/* A group without Action: its code, else what the message is. */
static enum bounce_action action_guess(const struct bounce_recipient *out, enum bounce_kind kind)
{
    if (out->status.class == 2)
        return ACTION_DELIVERED;
    return action_of(kind);
}

static bool is_failure(const struct bounce_recipient *out)
{
    return out->action != ACTION_DELIVERED && out->action != ACTION_RELAYED
        && out->action != ACTION_EXPANDED;
}

static int64_t date_of(struct bounce_reader *reader, struct bytes field)
{
    struct date date;

    if (field.n == 0 || !date_parse(head_unfold(&reader->arena, bytes_first(field, 200)), &date))
        return 0;
    return date.seconds;
}

/* A diagnosis that is the number a program ended with, as Sendmail's "X-Unix; 75". */
static bool only_number(struct bytes text)
{
    size_t at = 0;

    while (at < text.n && at < 4 && text.at[at] >= '0' && text.at[at] <= '9')
        at++;
    return at > 0 && at == text.n;
}

/* What the server's words do not say, the person's lines of the notice may; of one person alone
   who has but a number, any line. */
static void codes_from_notice(struct bounce_reader *reader, struct person *person)
{
    struct bounce_recipient *out = &person->out;
    uint16_t owner = (uint16_t)(person - reader->people);
    bool any = reader->people_n == 1 && only_number(out->diagnostic);

    if (!any && reply_in(bytes_first(out->diagnostic, READ_DIAGNOSTIC_MOST)) != 0)
        return;
    for (uint32_t i = 0; i < reader->lines_n && out->reply_code == 0; i++) {
        struct bytes line = bytes_first(reader->lines[i].text, READ_DIAGNOSTIC_MOST);
        if (reader->lines[i].owner != owner && !any)
            continue;
        uint16_t reply = reply_in(line);
        out->reply_code = reply >= 400 ? reply : 0;
        if (any && out->reply_code != 0)
            out->diagnostic = bytes_trim(line);
    }
}

static void people_judge(struct bounce_reader *reader, enum bounce_kind kind)
{
    bool one = reader->people_n == 1;

    for (uint32_t i = 0; i < reader->people_n; i++) {
        struct person *person = &reader->people[i];
        struct bounce_recipient *out = &person->out;
        if (out->action == ACTION_UNKNOWN)
            out->action = action_guess(out, kind);
        out->reporting_mta = reader->got.reporting_mta;
        out->arrival = date_of(reader, reader->got.arrival);
        if (is_failure(out)) {
            codes_from_notice(reader, person);
            judge(reader, person, kind);
        } else {
            out->cause = cause_of(out->action == ACTION_RELAYED ? CAUSE_NONE : CAUSE_DELIVERED);
            out->cause.over = CAUSE_YES;
            out->reply_code = reply_in(bytes_first(out->diagnostic, READ_DIAGNOSTIC_MOST));
            out->confidence = 100;
        }
        if (one && person->group && out->diagnostic.n == 0)
            out->diagnostic = own_words(reader, 0);
    }
}

/* Who wrote it: of an auto-reply, the sender; of a complaint, the one it names, if any. */
static void author_add(struct bounce_reader *reader, struct bytes field,
                       enum cause_category category)
{
    struct bytes value = head_unfold(&reader->arena, bytes_first(field, READ_FIELD_MOST));
    size_t at, end;
    bool found = address_in(value, 0, &at, &end);

    reader->people_n = 0;
    reader->people_all = 0;
    struct person *person = person_add(reader, found ? (struct bytes){ value.at + at, end - at }
                                       : BYTES_NONE);
    if (person == NULL)
        return;
    person->out.cause = cause_of(category);
    person->out.confidence = 90;
}

static void report_people(struct bounce_reader *reader, enum bounce_kind kind)
{
    switch (kind) {
    case BOUNCE_FAILURE:
    case BOUNCE_DELAY:
    case BOUNCE_SUCCESS:
    case BOUNCE_RELAYED:
        people_find(reader);
        words_find(reader);
        someone(reader);
        people_judge(reader, kind);
        return;
    case BOUNCE_AUTOREPLY:
        author_add(reader, reader->got.head.field[HEAD_FROM], CAUSE_AUTO_REPLY);
        return;
    case BOUNCE_COMPLAINT: {
        struct bytes named = reader->got.feedback_recipient;
        author_add(reader, named.n > 0 ? named : reader->got.original.field[HEAD_TO],
                   CAUSE_COMPLAINT);
        return;
    }
    case BOUNCE_CHALLENGE:
    case BOUNCE_NOT_A_REPORT:
    case BOUNCE_KINDS:
        reader->people_n = 0;
        reader->people_all = 0;
        return;
    }
}

static struct bytes id_of(struct bounce_reader *reader, struct bytes field)
{
    struct bytes value = head_unfold(&reader->arena, bytes_first(field, READ_FIELD_MOST));
    size_t open = bytes_find(value, '<');

    if (open == value.n)
        return value;
    return bytes_upto(bytes_skip(value, open + 1), '>');
}

/* The language that most words of the notice are of; one word alone may be a name. */
static struct bytes language_of(const struct bounce_reader *reader)
{
    struct { struct bytes lang; unsigned words; } count[32];
    size_t n = 0, best = 0;

    for (uint32_t i = 0; i < reader->notice.hits_n; i++) {
        const struct rule *rule = &reader->rules->rules[reader->notice.hits[i].rule];
        size_t at = 0;
        if (rule->mark != MARK_LANGUAGE)
            continue;
        while (at < n && memcmp(count[at].lang.at, rule->lang, 2) != 0)
            at++;
        if (at == COUNT(count))
            continue;
        if (at == n) {
            count[n].lang = (struct bytes){ rule->lang, 2 };
            count[n++].words = 0;
        }
        if (++count[at].words > count[best].words)
            best = at;
    }
    return n > 0 && count[best].words > 1 ? count[best].lang : BYTES_NONE;
}

/* The list, behind each other, as the caller sees it; false: no memory. */
static bool people_show(struct bounce_reader *reader)
{
    if (reader->people_n > reader->out_room) {
        struct bounce_recipient *more = mem_resize(reader->out, reader->people_n * sizeof(*more));
        if (more == NULL)
            return reader->cut = true, false;
        reader->out = more;
        reader->out_room = reader->people_n;
    }
    for (uint32_t i = 0; i < reader->people_n; i++)
        reader->out[i] = reader->people[i].out;
    return true;
}

static void report_make(struct bounce_reader *reader, enum bounce_kind kind,
                        struct bounce_report *ret_report)
{
    const struct head *original = &reader->got.original;
    struct bounce_report report = { .kind = kind, .language = BYTES_NONE };
    bool shown = people_show(reader);

    report.recipients = reader->out;
    report.recipients_n = shown ? reader->people_n : 0;
    report.recipients_all = reader->people_all;
    if (kind != BOUNCE_NOT_A_REPORT) {
        report.message_id = id_of(reader, original->field[HEAD_MESSAGE_ID]);
        report.subject = field_text(reader, original->field[HEAD_SUBJECT]);
        report.from = field_text(reader, original->field[HEAD_FROM]);
        if (report.message_id.n == 0)
            report.message_id = id_of(reader, reader->got.head.field[HEAD_REPLY_TO_ID]);
    }
    report.language = language_of(reader);
    report.feedback_type = reader->got.feedback_type;
    report.cut = reader->cut || reader->arena.full;
    *ret_report = report;
}

/* Is it a report that says nothing itself and has another inside, as a gateway puts it? */
static bool wraps_report(struct bounce_reader *reader)
{
    const struct head *inner = &reader->got.original;

    if (reader->people_n > 0 || reader->got.nested.n == 0 || !reader->got.original_seen)
        return false;
    return has_word(inner->field[HEAD_CONTENT_TYPE], BYTES("delivery-status"))
        && !people_any(reader);
}

void bounce_read(struct bounce_reader *reader, struct bytes message,
                 struct bounce_report *ret_report)
{
    enum bounce_kind kind = BOUNCE_NOT_A_REPORT;

    reading_begin(reader);
    for (unsigned nested = 0; nested < READ_NESTED_MOST; nested++) {
        message_walk(reader, message);
        kind = kind_of(reader);
        bool more = kind == BOUNCE_NOT_A_REPORT ? reader->got.nested.n > 0 : wraps_report(reader);
        if (!more || nested + 1 == READ_NESTED_MOST)
            break;
        message = reader->got.nested;       /* a report that somebody sends on */
        gathering_begin(reader);
    }
    report_people(reader, kind);
    report_make(reader, kind, ret_report);
}

/* SPDX-License-Identifier: ISC
 *
 * Who failed, by the words of a notice. An address alone on its line, or first on it, outranks one
 * behind a label ("Recipient: "), which outranks one in a sentence.
 */
#include "bounce/read_int.h"

#include <string.h>

struct person *person_of(struct bounce_reader *reader, struct bytes address)
{
    for (uint32_t i = 0; i < reader->people_n; i++) {
        struct person *person = &reader->people[i];
        if (bytes_equal_nocase(person->out.recipient, address))
            return person;
    }
    return NULL;
}

struct person *person_add(struct bounce_reader *reader, struct bytes address)
{
    reader->people_all++;
    if (reader->people_n == READ_RECIPIENTS_MOST)
        return NULL;
    if (reader->people_n == reader->people_room) {
        uint32_t room = reader->people_room * 2;
        struct person *more = mem_resize(reader->people, room * sizeof(*more));
        if (more == NULL)
            return reader->cut = true, NULL;
        reader->people = more;
        reader->people_room = room;
    }
    struct person *person = &reader->people[reader->people_n++];
    *person = (struct person){ .line = LINE_NONE };
    person->out.recipient = address;
    return person;
}

/* What may stand around an address that is alone: brackets, quotes, bullets. */
static struct bytes bare(struct bytes text)
{
    const struct bytes marks = BYTES(" \t<>\"'*-=|[]().,;:>`");

    while (text.n > 0 && has_octet(marks, text.at[0]))
        text = bytes_skip(text, 1);
    while (text.n > 0 && has_octet(marks, text.at[text.n - 1]))
        text.n--;
    return text;
}

/* A bit for each letter that the text has: most words need not be looked for. */
static uint32_t letters_of(struct bytes text)
{
    uint32_t letters = 0;

    for (size_t i = 0; i < text.n; i++)
        letters |= 1u << (octet(text.at[i]) & 31);
    return letters;
}

static bool any_word(struct bytes text, const struct bytes *words, size_t n)
{
    uint32_t letters = letters_of(text);

    for (size_t i = 0; i < n; i++) {
        uint32_t first = 1u << (words[i].at[0] & 31) | 1u << (words[i].at[1] & 31)
            | 1u << (words[i].at[words[i].n - 1] & 31);
        if ((letters & first) == first && has_word(text, words[i]))
            return true;
    }
    return false;
}

/* Is what stands before the address a label of somebody who is no recipient? */
static bool names_other(struct bytes before)
{
    static const struct bytes words[] = {
        BYTES_INIT("from:"), BYTES_INIT("from :"), BYTES_INIT("sender"), BYTES_INIT("reply-to"),
        BYTES_INIT("return-path"), BYTES_INIT("return path"), BYTES_INIT("message-id:"),
        BYTES_INIT("message id:"), BYTES_INIT("subject"), BYTES_INIT("mail from"),
        BYTES_INIT("contact"), BYTES_INIT("help"), BYTES_INIT("assistance"),
        BYTES_INIT("originator"), BYTES_INIT("mailto"), BYTES_INIT("please "),
        BYTES_INIT("send mail to"), BYTES_INIT("postmaster"), BYTES_INIT("x-"),
        BYTES_INIT("administrator"), BYTES_INIT("von:"), BYTES_INIT("http"),
        BYTES_INIT("questions"), BYTES_INIT("from <"), BYTES_INIT("from \""),
        BYTES_INIT("unsubscribe"), BYTES_INIT("support"), BYTES_INIT("list-"),
        BYTES_INIT("this is the "), BYTES_INIT("envelope-from"), BYTES_INIT("abuse"),
        BYTES_INIT("written"), BYTES_INIT("wrote"),
    };

    return any_word(before, words, COUNT(words));
}

static bool is_code(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.at[i]) && !has_octet(BYTES(".-# (<"), text.at[i]))
            return false;
    }
    return true;
}

static bool is_label(struct bytes before)
{
    static const struct bytes words[] = {
        BYTES_INIT("recipient"), BYTES_INIT("rcpt to"), BYTES_INIT("to:"), BYTES_INIT("to :"),
        BYTES_INIT("address"), BYTES_INIT("rfc822;"), BYTES_INIT("smtp:"),
        BYTES_INIT("unknown user"), BYTES_INIT("user unknown"), BYTES_INIT("mailbox"),
        BYTES_INIT("undeliverable to"), BYTES_INIT("delivery to"), BYTES_INIT("delivery failed"),
        BYTES_INIT("user:"), BYTES_INIT("account"), BYTES_INIT("smtp="), BYTES_INIT("adresse"),
        BYTES_INIT("destinat"), BYTES_INIT("empf"), BYTES_INIT("failed"), BYTES_INIT("rcpt"),
        BYTES_INIT("for:"), BYTES_INIT("deliver"), BYTES_INIT("generated from"),
        BYTES_INIT("original:"), BYTES_INIT("kunne"), BYTES_INIT("message to"),
        BYTES_INIT("mail to"), BYTES_INIT("e-mail to"), BYTES_INIT("email to"),
    };

    return is_code(before) || any_word(before, words, COUNT(words));
}

static struct bytes last_octets(struct bytes text, size_t n)
{
    return text.n > n ? bytes_skip(text, text.n - n) : text;
}

/* What the address is on its line; `first`: nothing but such addresses stood before it. */
static enum shape shape_of(struct bytes before, struct bytes after, bool first)
{
    struct bytes lead = bare(before), rest = bare(after);

    if (names_other(last_octets(before, 60)))
        return SHAPE_NONE;
    if (lead.n == 0 && first && !bytes_begins(bytes_trim(before), BYTES(">>>"))) {
        struct bytes next = bytes_trim(after);
        if (rest.n == 0)
            return SHAPE_FIRST;
        if (next.n > 0 && has_octet(BYTES(":(,;.-|<>\"']="), next.at[0]))
            return SHAPE_FIRST;
        if (bytes_begins_nocase(next, BYTES("on ")) || bytes_begins_nocase(next, BYTES("smtp"))
            || (next.n > 0 && octet(next.at[0]) >= 0x80))
            return SHAPE_FIRST;
        return SHAPE_LABEL;
    }
    return is_label(last_octets(before, 60)) ? SHAPE_LABEL : SHAPE_SENTENCE;
}

/* Nobody writes to these by hand; they stand in notices to be asked for help. */
static bool is_office(struct bytes address)
{
    static const char *const locals[] = {
        "postmaster", "mailer-daemon", "abuse", "support", "helpdesk", "noreply", "no-reply",
        "mailerdaemon", "mail-daemon", "hostmaster", "webmaster", "help",
    };
    struct bytes local = bytes_upto(address, '@');

    for (size_t i = 0; i < COUNT(locals); i++) {
        if (bytes_equal_nocase(local, bytes_of(locals[i])))
            return true;
    }
    return false;
}

/* A domain of a name, a dot and a top-level name, or a literal. Message ids and file names fail. */
static bool is_likely(struct bytes address)
{
    struct bytes domain = bytes_skip(address, bytes_find_last(address, '@') + 1);
    size_t dot = bytes_find_last(domain, '.');
    struct bytes local = bytes_upto(address, '@');
    unsigned digits = 0;

    if (bytes_begins(domain, BYTES("[")))
        return true;
    for (size_t i = 0; i < local.n; i++)
        digits += is_digit(local.at[i]);
    if (local.n > 40 && digits > local.n / 2)
        return false;
    return dot < domain.n && domain.n - dot >= 3 && !is_digit(domain.at[domain.n - 1]);
}

static uint32_t line_look(struct bounce_reader *reader, uint32_t number, struct found *found,
                          uint32_t n)
{
    struct bytes line = reader->lines[number].text;
    size_t from = 0, at, end;
    bool first = true;

    line = bytes_first(line, READ_FIELD_MOST);
    while (n < FOUND_MOST && address_in(line, from, &at, &end)) {
        struct bytes address = { line.at + at, end - at };
        struct bytes before = { line.at + from, at - from };
        struct bytes after = bytes_skip(line, end);
        enum shape shape = shape_of(before, after, first);
        if (shape != SHAPE_NONE)
            found[n++] = (struct found){ address, number, shape };
        first = first && shape == SHAPE_FIRST;
        from = end;
    }
    return n;
}

static struct bytes field_address(struct bytes field)
{
    size_t at, end;

    if (!address_in(field, 0, &at, &end))
        return BYTES_NONE;
    return (struct bytes){ field.at + at, end - at };
}

/* Does the line hold words of a cause or of a report? */
static bool line_tells(const struct bounce_reader *reader, uint32_t number)
{
    for (uint32_t i = 0; i < reader->notice.hits_n; i++) {
        const struct rule *rule = &reader->rules->rules[reader->notice.hits[i].rule];
        uint32_t line = reader->notice.hits[i].line;
        if (line + 1 >= number && line <= number + 1
            && (rule->category != CAUSE_NONE || rule->mark == MARK_NOTICE
                || rule->mark == MARK_MAYBE || rule->mark == MARK_FAILED
                || rule->mark == MARK_DELAY))
            return true;
    }
    return false;
}

/* Takes those of that shape; `strict` leaves out who is likelier a sender or an office. */
static void people_take(struct bounce_reader *reader, const struct found *found, uint32_t n,
                        enum shape shape, bool strict)
{
    struct bytes to = field_address(reader->got.head.field[HEAD_TO]);
    struct bytes from = field_address(reader->got.head.field[HEAD_FROM]);

    for (uint32_t i = 0; i < n; i++) {
        struct bytes address = found[i].address;
        if (found[i].shape != shape)
            continue;
        if (strict && (is_office(address) || !is_likely(address)
                       || bytes_equal_nocase(address, to) || bytes_equal_nocase(address, from)))
            continue;
        if (shape == SHAPE_SENTENCE && strict && !line_tells(reader, found[i].line))
            continue;
        struct person *person = person_of(reader, address);
        if (person == NULL)
            person = person_add(reader, address);
        if (person != NULL && person->line == LINE_NONE)
            person->line = found[i].line;
    }
}

/* X-Failed-Recipients: a list of addresses. */
static void people_named(struct bounce_reader *reader)
{
    struct bytes field = bytes_first(reader->got.head.field[HEAD_FAILED], READ_FIELD_MOST);
    size_t from = 0, at, end;

    while (address_in(field, from, &at, &end)) {
        struct bytes address = { field.at + at, end - at };
        if (person_of(reader, address) == NULL)
            (void)person_add(reader, address);
        from = end;
    }
}

/* Nobody is named: it was for whom the letter was for. */
static void people_of_letter(struct bounce_reader *reader)
{
    const struct head *original = &reader->got.original;
    struct bytes address = field_address(original->field[HEAD_ENVELOPE_TO]);
    struct bytes received = bytes_first(original->field[HEAD_RECEIVED], 1000);
    size_t for_at = bytes_search(received, BYTES("for <"));

    if (address.n == 0)
        address = field_address(original->field[HEAD_TO]);
    if (address.n == 0 && for_at < received.n)
        address = field_address(bytes_skip(received, for_at));
    if (address.n > 0)
        (void)person_add(reader, address);
}

/* Where each of them stands in the notice, if it does. */
static void people_place(struct bounce_reader *reader, const struct found *found, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct person *person = person_of(reader, found[i].address);
        if (person != NULL && (person->line == LINE_NONE || person->line > found[i].line))
            person->line = found[i].line;
    }
}

/* A group that named no address that can be one: the notice may know it. */
static void people_mend(struct bounce_reader *reader, const struct found *found, uint32_t n)
{
    struct bounce_recipient *out = &reader->people[0].out;
    size_t mark = bytes_find(out->recipient, '@');

    if (reader->people_n != 1 || (mark > 0 && mark < out->recipient.n))
        return;
    for (uint32_t i = 0; i < n; i++) {
        if (found[i].shape == SHAPE_FIRST && is_likely(found[i].address)
            && !is_office(found[i].address)) {
            out->recipient = found[i].address;
            return;
        }
    }
}

/* Does the notice list others than the header does? Then the list counts: it has the reasons. */
static bool first_ones_differ(struct bounce_reader *reader, const struct found *found, uint32_t n)
{
    struct bytes field = bytes_first(reader->got.head.field[HEAD_FAILED], READ_FIELD_MOST);
    bool any = false;

    for (uint32_t i = 0; i < n; i++) {
        if (found[i].shape != SHAPE_FIRST || !is_likely(found[i].address)
            || is_office(found[i].address))
            continue;
        any = true;
        if (bytes_search(field, found[i].address) < field.n)
            return false;
    }
    return any;
}

void people_find(struct bounce_reader *reader)
{
    static const struct { enum shape shape; bool strict; } ways[] = {
        { SHAPE_FIRST, true }, { SHAPE_LABEL, true }, { SHAPE_SENTENCE, true },
        { SHAPE_FIRST, false },
    };
    uint32_t n = 0;
    struct found *found = reader->found;

    for (uint32_t i = 0; i < reader->lines_n; i++) {
        struct bytes line = reader->lines[i].text;
        if (line.n > 0 && memchr(line.at, '@', line.n) != NULL)
            n = line_look(reader, i, found, n);
    }
    if (reader->people_n == 0 && !first_ones_differ(reader, found, n))
        people_named(reader);
    else if (reader->people_n > 0)
        people_mend(reader, found, n);
    for (size_t i = 0; i < COUNT(ways) && reader->people_n == 0; i++) {
        people_take(reader, found, n, ways[i].shape, ways[i].strict);
        if (i == 2 && reader->people_n == 0)
            people_of_letter(reader);
    }
    for (enum shape shape = SHAPE_LABEL; shape > SHAPE_NONE && reader->people_n == 0; shape--)
        people_take(reader, found, n, shape, false);
    people_place(reader, found, n);
}

static uint16_t mentioned(struct bounce_reader *reader, struct bytes line)
{
    size_t from = 0, at, end;

    while (address_in(line, from, &at, &end)) {
        struct bytes address = { line.at + at, end - at };
        struct person *person = person_of(reader, address);
        if (person != NULL)
            return (uint16_t)(person - reader->people);
        from = end;
    }
    return OWNER_NONE;
}

/* "550 host.example (smtp)... Host unknown": Sendmail on a host, before it names its people. */
static bool is_of_host(struct bytes line)
{
    size_t at = 4;

    if (line.n < 12 || line.at[0] < '4' || line.at[0] > '5' || line.at[3] != ' ')
        return false;
    while (at < line.n && line.at[at] != ' ' && line.at[at] != '@')
        at++;
    struct bytes rest = bytes_skip(line, at);
    return bytes_begins(rest, BYTES(" ("))
        && bytes_search(bytes_first(rest, 40), BYTES(")... ")) < rest.n;
}

/* A line of a transcript that is about the person named in the next line that names one. */
static bool is_of_next(struct bytes line)
{
    return bytes_begins(line, BYTES(">>> ")) || bytes_begins(line, BYTES("<<< "))
        || bytes_begins(line, BYTES("While talking to ")) || is_of_host(line);
}

void people_own(struct bounce_reader *reader)
{
    uint16_t owner = OWNER_NONE;
    uint32_t run = 0;           /* how many lines just before this one are of the next */

    for (uint32_t i = 0; i < reader->lines_n; i++) {
        struct bytes line = reader->lines[i].text;
        uint16_t other = OWNER_NONE;
        if (line.n > 0 && memchr(line.at, '@', line.n) != NULL)
            other = mentioned(reader, bytes_first(line, READ_FIELD_MOST));
        owner = other != OWNER_NONE ? other : owner;
        for (uint32_t back = 1; other != OWNER_NONE && back <= run; back++)
            reader->lines[i - back].owner = other;
        reader->lines[i].owner = is_of_host(line) ? OWNER_NONE : owner;
        run = other == OWNER_NONE && is_of_next(line) ? run + 1 : 0;
    }
}

bool people_any(struct bounce_reader *reader)
{
    struct bytes to = field_address(reader->got.head.field[HEAD_TO]);
    size_t from, at, end;

    for (uint32_t i = 0; i < reader->lines_n; i++) {
        struct bytes line = bytes_first(reader->lines[i].text, READ_FIELD_MOST);
        for (from = 0; address_in(line, from, &at, &end); from = end) {
            struct bytes address = { line.at + at, end - at };
            if (is_likely(address) && !is_office(address) && !bytes_equal_nocase(address, to))
                return true;
        }
    }
    return reader->got.head.field[HEAD_FAILED].n > 0;
}

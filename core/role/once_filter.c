/* SPDX-License-Identifier: ISC
 *
 * The queue's filters and verbs, in words.
 */
#include "role/once.h"

#include "base/id.h"
#include "base/number.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "role/once_int.h"

static const struct { const char *word, *done, *would; } verbs[ONCE_VERBS] = {
    [ONCE_LIST] = { "list", "", "" },
    [ONCE_RETRY] = { "retry", "tried at once", "tried at once" },
    [ONCE_HOLD] = { "hold", "held", "held" },
    [ONCE_RELEASE] = { "release", "released and tried at once", "released" },
    [ONCE_BOUNCE] = { "bounce", "sent back to the sender", "sent back to the sender" },
    [ONCE_DELETE] = { "delete", "deleted", "deleted" },
    [ONCE_REDIRECT] = { "redirect", "redirected", "redirected" },
    [ONCE_SUSPEND] = { "suspend", "suspended", "suspended" },
    [ONCE_RESUME] = { "resume", "tried at once", "tried at once" },
};

enum once_verb once_verb_of(struct bytes word)
{
    for (size_t i = ONCE_RETRY; i < ONCE_VERBS; i++)
        if (bytes_equal(word, bytes_of(verbs[i].word)))
            return (enum once_verb)i;
    return ONCE_LIST;
}

const char *once_verb_word(enum once_verb verb)
{
    return verbs[verb].word;
}

bool once_verb_fits(enum once_verb verb, const struct wire_queue_row *row)
{
    bool held = row->held != 0;

    switch (verb) {
    case ONCE_RETRY: case ONCE_HOLD: case ONCE_RESUME:
        return !held;
    case ONCE_RELEASE:
        return held;
    case ONCE_LIST: case ONCE_BOUNCE: case ONCE_DELETE: case ONCE_REDIRECT:
    case ONCE_SUSPEND: case ONCE_VERBS:
        return true;
    }
    return true;
}

/* ---- words */

bool once_span_read(struct bytes word, uint64_t *ret_ms)
{
    static const struct { char letter; uint64_t ms; } units[] = {
        { 's', 1000 }, { 'm', 60 * 1000 }, { 'h', 3600 * 1000 }, { 'd', 24 * 3600 * 1000 },
    };
    uint64_t unit = 1000, count = 0;

    for (size_t i = 0; i < COUNT(units) && word.n > 1; i++)
        if (word.at[word.n - 1] == units[i].letter) {
            unit = units[i].ms;
            word.n--;
            break;
        }
    if (word.n == 0 || word.n > 9)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        if (!is_digit(word.at[i]))
            return false;
        count = count * 10 + (uint64_t)(word.at[i] - '0');
    }
    *ret_ms = count * unit;
    return true;
}

static struct bytes bare(struct bytes word)
{
    bool has = word.n >= 2 && word.at[0] == '<' && word.at[word.n - 1] == '>';

    return has ? (struct bytes){ word.at + 1, word.n - 2 } : word;
}

static bool is_pattern(struct bytes word)
{
    struct address address;

    return (word.n > 1 && word.at[0] == '@') || address_parse(word, true, &address, NULL);
}

static bool wrong(struct buffer *reterr_words, const char *option, const char *wants)
{
    buffer_put_text(reterr_words, option);
    buffer_put_text(reterr_words, " wants ");
    buffer_put_text(reterr_words, wants);
    buffer_put_char(reterr_words, '\n');
    return false;
}

static bool take_value(struct once_filter *filter, struct bytes option, struct bytes value,
                       struct buffer *reterr_words)
{
    if (bytes_equal(option, BYTES("--id")))
        return id_parse(value, &filter->id)
            || wrong(reterr_words, "--id", "a letter's id, 13 letters and digits");
    if (bytes_equal(option, BYTES("--older-than")))
        return once_span_read(value, &filter->older_ms)
            || wrong(reterr_words, "--older-than", "a span such as 90s, 15m, 2h or 3d");
    if (bytes_equal(option, BYTES("--domain"))) {
        filter->domain = value;
        return value.n > 0 || wrong(reterr_words, "--domain", "a domain");
    }
    bool from = bytes_equal(option, BYTES("--from"));
    value = bare(value);
    if (!(from && value.n == 0) && !is_pattern(value))
        return wrong(reterr_words, from ? "--from" : "--to", "an address or @DOMAIN");
    filter->by_from = filter->by_from || from;
    filter->by_to = filter->by_to || !from;
    *(from ? &filter->from : &filter->to) = value;
    return true;
}

bool once_filter_take(struct once_filter *filter, const struct bytes *words, size_t n, size_t *at,
                      struct buffer *reterr_words)
{
    static const struct { const char *word; bool valued; } options[] = {
        { "--all", false }, { "--held", false }, { "--waiting", false }, { "--id", true },
        { "--older-than", true }, { "--domain", true }, { "--from", true }, { "--to", true },
    };
    struct bytes word = words[*at];

    for (size_t i = 0; i < COUNT(options); i++) {
        if (!bytes_equal(word, bytes_of(options[i].word)))
            continue;
        filter->some = true;
        filter->all = filter->all || i == 0;
        filter->held = filter->held || i == 1;
        filter->waiting = filter->waiting || i == 2;
        if (!options[i].valued)
            return true;
        if (++*at == n)
            return wrong(reterr_words, options[i].word, "a value");
        return take_value(filter, word, words[*at], reterr_words);
    }
    return false;
}

/* ---- what it fits */

static void put_normal(struct buffer *to, struct bytes text)
{
    struct address address;

    if (address_parse(text, true, &address, NULL))
        address_put_normal(to, address);
    else
        buffer_put(to, text);
}

static bool same(struct bytes a, struct bytes b)
{
    struct buffer normal_a = buffer_with_most(4 * LIMIT_PATH);
    struct buffer normal_b = buffer_with_most(4 * LIMIT_PATH);

    put_normal(&normal_a, a);
    put_normal(&normal_b, b);
    bool is = !normal_a.bad && !normal_b.bad
        && bytes_equal(buffer_bytes(&normal_a), buffer_bytes(&normal_b));
    buffer_done(&normal_a);
    buffer_done(&normal_b);
    return is;
}

/* As it is written, or as A-labels. */
static bool has_domain(struct bytes address, struct bytes domain)
{
    size_t at = bytes_find_last(address, '@');
    struct bytes has = bytes_skip(address, at + 1);
    struct buffer a = buffer_with_most(LIMIT_PATH), b = buffer_with_most(LIMIT_PATH);

    bool is = at < address.n
        && (bytes_equal_nocase(has, domain)
            || (once_destination_put(&a, has) && once_destination_put(&b, domain)
                && bytes_equal(buffer_bytes(&a), buffer_bytes(&b))));
    buffer_done(&a);
    buffer_done(&b);
    return is;
}

static bool fits(struct bytes pattern, struct bytes address)
{
    if (pattern.n > 1 && pattern.at[0] == '@')
        return has_domain(address, bytes_skip(pattern, 1));
    return same(pattern, address);
}

static bool fits_sender(const struct once_filter *filter, struct bytes head)
{
    struct envelope envelope;

    return envelope_read(head, &envelope) && fits(filter->from, envelope.sender);
}

bool once_filter_matches(const struct once_filter *filter, const struct wire_queue_row *row,
                         uint64_t now_ms)
{
    uint64_t age = now_ms > row->received_ms ? now_ms - row->received_ms : 0;
    struct bytes to = once_address(row->to);

    return (filter->id == 0 || filter->id == row->letter)
        && (!filter->held || row->held != 0) && (!filter->waiting || row->held == 0)
        && (filter->older_ms == 0 || age > filter->older_ms)
        && (filter->domain.n == 0 || has_domain(to, filter->domain))
        && (!filter->by_to || fits(filter->to, to))
        && (!filter->by_from || fits_sender(filter, row->head));
}

void once_redirect_put(struct buffer *to, struct bytes entry, struct bytes address)
{
    struct buffer made = buffer_with_most(RECIPIENT_MOST);
    struct recipient recipient;

    if (!recipient_read(entry, &recipient))
        recipient = (struct recipient){ .orcpt = BYTES_NONE };
    recipient.address = address;
    recipient_put(&made, &recipient);
    buffer_put_block(to, buffer_bytes(&made));
    to->bad = to->bad || made.bad;
    buffer_done(&made);
}

/* ---- how it went */

static void put_json(enum once_verb verb, const struct once_orders *orders, struct buffer *to)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "verb", bytes_of(verbs[verb].word));
    json_put_bool(&json, "dry_run", orders->dry_run);
    json_put_uint(&json, "recipients", orders->recipients);
    json_put_uint(&json, "letters", orders->letters);
    json_put_uint(&json, "being_delivered", orders->busy);
    json_put_uint(&json, "letters_not_now", orders->unanswered);
    json_put_uint(&json, "letters_without_report", orders->unreported);
    json_put_object_end(&json);
    json_line_end(&json);
}

void once_orders_put(const struct once_style *style, enum once_verb verb,
                     const struct once_orders *orders, struct buffer *to)
{
    if (style->json) {
        put_json(verb, orders, to);
        return;
    }
    once_put_count(to, orders->recipients, "recipient");
    buffer_put(to, BYTES(" of "));
    once_put_count(to, orders->letters, "letter");
    buffer_put_text(to, orders->dry_run ? " would be " : ": ");
    buffer_put_text(to, orders->dry_run ? verbs[verb].would : verbs[verb].done);
    buffer_put(to, BYTES(".\n"));
    if (orders->busy > 0) {
        once_put_count(to, orders->busy, "recipient");
        buffer_put(to, BYTES(" left alone: a delivery is under way; ask again in a moment.\n"));
    }
    if (orders->unreported > 0) {
        once_put_count(to, orders->unreported, "letter");
        buffer_put(to, BYTES(" left alone: there is no sender to tell, or he was told often enough"
                             " in this hour.\n"));
    }
    if (orders->unanswered > 0) {
        once_put_count(to, orders->unanswered, "letter");
        buffer_put(to, BYTES(" could not be changed now, or it is not certain: look again.\n"));
    }
}

/* SPDX-License-Identifier: ISC */
#include "bounce/lang.h"

#include "base/clock.h"

#include <assert.h>

#include "lang_tables.h"

const struct lang *lang_at(size_t i)
{
    return i < COUNT(languages) ? &languages[i] : NULL;
}

const struct lang *lang_english(void)
{
    return &languages[0];
}

const struct lang *lang_find(struct bytes code)
{
    size_t n = 0;

    while (n < code.n && is_alpha(code.at[n]))
        n++;
    for (size_t i = 0; i < COUNT(languages); i++)
        if (bytes_equal_nocase(bytes_first(code, n), bytes_of(languages[i].code)))
            return &languages[i];
    return NULL;
}

/* "de;q=0", "de; q=0.000" */
static bool is_unwanted(struct bytes item)
{
    struct bytes weight = bytes_skip(item, bytes_search(item, BYTES("q=")));

    for (size_t i = 2; i < weight.n; i++)
        if (weight.at[i] >= '1' && weight.at[i] <= '9')
            return false;
    return weight.n > 2;
}

const struct lang *lang_of_list(struct bytes list)
{
    struct bytes item;

    while (bytes_cut(&list, ',', &item)) {
        const struct lang *lang = lang_find(bytes_trim(item));
        if (lang != NULL && !is_unwanted(item))
            return lang;
    }
    return NULL;
}

struct bytes lang_text(const struct lang *lang, enum lang_text text)
{
    const char *said = lang->texts[text] != NULL ? lang->texts[text] : languages[0].texts[text];

    return bytes_of(said != NULL ? said : "");
}

struct bytes lang_card(const struct lang *lang, enum cause_category category, enum lang_card part)
{
    const char *said = lang->cards[category][part];

    said = said != NULL ? said : languages[0].cards[category][part];
    return bytes_of(said != NULL ? said : "");
}

static void put_slot(struct buffer *to, struct bytes name, const struct lang_slot *slots,
                     size_t slots_n)
{
    for (size_t i = 0; i < slots_n; i++)
        if (bytes_equal(name, bytes_of(slots[i].name)))
            buffer_put(to, slots[i].value);
}

static void put_filled(struct buffer *to, struct bytes text, const struct lang_slot *slots,
                       size_t slots_n)
{
    while (text.n > 0) {
        struct bytes plain = bytes_upto(text, '{');
        struct bytes name = bytes_upto(bytes_skip(text, plain.n + 1), '}');
        buffer_put(to, plain);
        put_slot(to, name, slots, slots_n);
        text = bytes_skip(text, plain.n + name.n + 2);
    }
}

void lang_put(struct buffer *to, const struct lang *lang, enum lang_text text,
              const struct lang_slot *slots, size_t slots_n)
{
    put_filled(to, lang_text(lang, text), slots, slots_n);
}

void lang_put_number(struct buffer *to, const struct lang *lang, uint64_t number)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (n-- > 0) {
        buffer_put_char(to, digits[n]);
        if (n > 0 && n % 3 == 0)
            buffer_put_text(to, lang->thousands);
    }
}

/* Unicode's plural rules (CLDR), for whole numbers. */
static size_t form_of(enum lang_plural plural, uint64_t n)
{
    bool few = n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14);

    switch (plural) {
    case PLURAL_ONE_OTHER: return n == 1 ? 0 : 1;
    case PLURAL_ZERO_ONE_OTHER: return n <= 1 ? 0 : 1;
    case PLURAL_POLISH: return n == 1 ? 0 : few ? 1 : 2;
    case PLURAL_RUSSIAN: return n % 10 == 1 && n % 100 != 11 ? 0 : few ? 1 : 2;
    case PLURAL_ONE_FORM: return 0;
    case LANG_PLURALS: break;
    }
    assert(false);
}

static struct bytes piece_of(struct bytes text, size_t number)
{
    struct bytes piece = BYTES_NONE;

    for (size_t i = 0; i <= number; i++)
        if (!bytes_cut(&text, '|', &piece))
            break;
    return piece;
}

void lang_put_count(struct buffer *to, const struct lang *lang, enum lang_text text,
                    uint64_t number)
{
    struct buffer digits = buffer_with_most(64);

    lang_put_number(&digits, lang, number);
    struct lang_slot slot = { "n", buffer_bytes(&digits) };
    put_filled(to, piece_of(lang_text(lang, text), form_of(lang->plural, number)), &slot, 1);
    to->bad = to->bad || digits.bad;
    buffer_done(&digits);
}

static void put_zone(struct buffer *to, int minutes)
{
    unsigned size = (unsigned)(minutes < 0 ? -minutes : minutes);

    buffer_put_text(to, minutes < 0 ? "UTC-" : minutes > 0 ? "UTC+" : "UTC");
    if (minutes == 0)
        return;
    buffer_put_uint(to, size / 60);
    if (size % 60 != 0) {
        buffer_put_char(to, ':');
        buffer_put_uint_wide(to, size % 60, 2);
    }
}

void lang_put_date(struct buffer *to, const struct lang *lang, int64_t seconds, int zone_minutes)
{
    int64_t local = seconds + (int64_t)zone_minutes * 60, last = 253402300799;
    uint64_t at = local < 0 ? 0 : (uint64_t)(local > last ? last : local);
    struct civil civil = civil_of(at * 1000);
    struct buffer pieces = buffer_with_most(128);

    buffer_put_uint(&pieces, civil.day);
    size_t day_n = pieces.n;
    buffer_put_uint(&pieces, civil.year);
    size_t year_n = pieces.n;
    buffer_put_uint_wide(&pieces, civil.hour, 2);
    buffer_put_char(&pieces, ':');
    buffer_put_uint_wide(&pieces, civil.minute, 2);
    size_t time_n = pieces.n;
    put_zone(&pieces, zone_minutes);
    struct bytes all = buffer_bytes(&pieces);
    struct lang_slot slots[] = {
        { "day", bytes_first(all, day_n) },
        { "month", piece_of(lang_text(lang, LANG_MONTHS), civil.month - 1) },
        { "year", bytes_skip(bytes_first(all, year_n), day_n) },
        { "time", bytes_skip(bytes_first(all, time_n), year_n) },
        { "zone", bytes_skip(all, time_n) },
    };
    lang_put(to, lang, LANG_DATE, slots, COUNT(slots));
    to->bad = to->bad || pieces.bad;
    buffer_done(&pieces);
}

void lang_put_span(struct buffer *to, const struct lang *lang, uint64_t seconds)
{
    uint64_t minutes = seconds < 60 ? 1 : (seconds + 30) / 60;
    uint64_t hours = (seconds + 1800) / 3600, days = (seconds + 43200) / 86400;

    if (minutes < 90)
        lang_put_count(to, lang, LANG_MINUTES, minutes);
    else if (hours < 48)
        lang_put_count(to, lang, LANG_HOURS, hours);
    else
        lang_put_count(to, lang, LANG_DAYS, days);
}

static struct bytes family_text(const struct lang *lang, enum cause_family family)
{
    switch (family) {
    case CAUSE_FAMILY_ADDRESS: return lang_text(lang, LANG_FAMILY_ADDRESS);
    case CAUSE_FAMILY_BLOCKED: return lang_text(lang, LANG_FAMILY_BLOCKED);
    case CAUSE_FAMILY_INCOMPLETE: return lang_text(lang, LANG_FAMILY_INCOMPLETE);
    case CAUSE_FAMILY_UNDELIVERED:
    case CAUSE_FAMILY_NONE:
    case CAUSE_FAMILIES: break;
    }
    return lang_text(lang, LANG_FAMILY_UNDELIVERED);
}

void lang_put_headline(struct buffer *to, const struct lang *lang, const struct cause *cause)
{
    struct lang_slot slots[] = {
        { "family", family_text(lang, cause_family(cause)) },
        { "cause", cause->quotes ? lang_text(lang, LANG_QUOTES_HEADLINE)
                                 : lang_card(lang, cause->category, CARD_HEADLINE) },
    };

    lang_put(to, lang, LANG_HEADLINE, slots, COUNT(slots));
}

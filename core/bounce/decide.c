/* SPDX-License-Identifier: ISC */
#include "bounce/decide.h"

#include "base/hash.h"
#include "mail/header.h"

enum { HOUR_MS = 3600 * 1000 };

static bool asked(uint8_t notify, uint8_t what)
{
    return (notify & what) != 0;
}

enum bounce_answer bounce_decide(const struct bounce_facts *facts)
{
    bool tell = false, by = facts->by && facts->notify != DSN_NEVER;

    if (facts->null_sender)
        return facts->action == REPORT_FAILED ? BOUNCE_HOLD : BOUNCE_SILENT;
    switch (facts->action) {
    case REPORT_FAILED:
        tell = facts->notify == 0 || asked(facts->notify, DSN_FAILURE);
        break;
    case REPORT_DELAYED:
        tell = facts->age_ms >= facts->delay_ms
            && (by || asked(facts->notify, DSN_DELAY) || (facts->notify == 0 && !facts->bulk));
        break;
    case REPORT_DELIVERED:
    case REPORT_RELAYED:
    case REPORT_EXPANDED:
        tell = by || asked(facts->notify, DSN_SUCCESS);
        break;
    case REPORT_ACTIONS:
        break;
    }
    return tell ? BOUNCE_TELL : BOUNCE_SILENT;
}

static bool of_bulk(struct bytes name)
{
    return bytes_equal_nocase(name, BYTES("Precedence"))
        || bytes_equal_nocase(name, BYTES("List-Id"));
}

static bool says_bulk(const struct header_field *field)
{
    static const struct bytes words[] = {
        BYTES_INIT("bulk"), BYTES_INIT("list"), BYTES_INIT("junk"),
    };
    struct bytes value = bytes_trim(field->body);

    if (bytes_equal_nocase(field->name, BYTES("List-Id")))
        return true;
    for (size_t i = 0; i < COUNT(words); i++)
        if (bytes_equal_nocase(value, words[i]))
            return true;
    return false;
}

bool bounce_is_bulk(struct bytes text)
{
    struct header_reader reader = header_reader_for(of_bulk);
    struct header_field field;
    bool bulk = false;

    while (!bulk && header_next(&reader, &text, &field) == HEADER_FIELD)
        bulk = says_bulk(&field);
    if (!bulk && !reader.ended && header_finish(&reader, &field) == HEADER_FIELD)
        bulk = says_bulk(&field);
    header_reader_done(&reader);
    return bulk;
}

/* The table is keyed by a hash: whoever makes two senders meet stops his own reports. */
static uint64_t hash_of(struct bytes sender)
{
    static const uint8_t key[16] = "reports per hour";

    return siphash(key, sender) | 1;
}

/* Its place in the table, taken when it is new; BOUNCE_SENDERS: there is none left. */
static size_t place_of(struct bounce_limit *limit, struct bytes sender, uint64_t now_ms)
{
    uint64_t hash = hash_of(sender);

    if (limit->hour != now_ms / HOUR_MS)
        *limit = (struct bounce_limit){ .hour = now_ms / HOUR_MS };
    for (size_t i = 0; i < BOUNCE_SENDERS; i++) {
        size_t at = ((size_t)(hash >> 1) + i) % BOUNCE_SENDERS;
        if (limit->table[at].sender == 0)
            limit->table[at].sender = hash;
        if (limit->table[at].sender == hash)
            return at;
    }
    return BOUNCE_SENDERS;
}

bool bounce_limit_take(struct bounce_limit *limit, struct bytes sender, uint64_t now_ms,
                       uint32_t most)
{
    size_t at = place_of(limit, sender, now_ms);

    return at < BOUNCE_SENDERS && limit->table[at].reports < most
        && ++limit->table[at].reports > 0;
}

void bounce_limit_give_back(struct bounce_limit *limit, struct bytes sender, uint64_t now_ms)
{
    size_t at = place_of(limit, sender, now_ms);

    if (at < BOUNCE_SENDERS && limit->table[at].reports > 0)
        limit->table[at].reports--;
}

/* SPDX-License-Identifier: ISC */
#include "mail/cause.h"

#include <assert.h>

struct row {
    const char *name;
    enum cause_family family;
    enum cause_who who;
    enum cause_permanence permanence;
    enum cause_answer retry, address;
};

#define ROW(NAME, text, family, who, permanence, retry, address) \
    [CAUSE_##NAME] = { text, CAUSE_FAMILY_##family, CAUSE_WHO_##who, CAUSE_##permanence, \
                       CAUSE_##retry, CAUSE_##address },
#define OUTSIDE(NAME, text) [CAUSE_##NAME] = { .name = text },
static const struct row rows[CAUSE_COUNT] = {
    [CAUSE_NONE] = { .name = "" },
    CAUSE_LIST(ROW)
    CAUSE_OUTSIDE_LIST(OUTSIDE)
};
#undef ROW
#undef OUTSIDE

struct cause cause_of(enum cause_category category)
{
    assert(category < CAUSE_COUNT);
    const struct row *row = &rows[category];

    return (struct cause){ .category = category, .who = row->who, .permanence = row->permanence,
                           .retry_would_help = row->retry, .address_bad = row->address };
}

enum cause_family cause_family(const struct cause *cause)
{
    bool failure = cause->category >= CAUSE_FIRST && cause->category <= CAUSE_LAST;

    if (failure && cause->over == CAUSE_NO)
        return CAUSE_FAMILY_INCOMPLETE;
    return rows[cause->category].family;
}

const char *cause_category_name(enum cause_category category)
{
    return rows[category].name;
}

#define NAME(NAME, text) text,
const char *cause_family_name(enum cause_family family)
{
    static const char *const names[] = { CAUSE_FAMILY_LIST(NAME) };

    return names[family];
}

const char *cause_who_name(enum cause_who who)
{
    static const char *const names[] = { CAUSE_WHO_LIST(NAME) };

    return names[who];
}

const char *cause_permanence_name(enum cause_permanence permanence)
{
    static const char *const names[] = { CAUSE_PERMANENCE_LIST(NAME) };

    return names[permanence];
}
#undef NAME

/* ASCII case, "-" and "_" set aside. */
static bool same_name(struct bytes a, struct bytes b)
{
    bool same = a.n == b.n;

    for (size_t i = 0; same && i < a.n; i++) {
        char x = a.at[i] == '_' ? '-' : to_lower(a.at[i]);
        same = x == b.at[i];
    }
    return same;
}

enum cause_category cause_category_of(struct bytes name)
{
    for (enum cause_category i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++) {
        if (same_name(name, bytes_of(rows[i].name)))
            return i;
    }
    return CAUSE_NONE;
}

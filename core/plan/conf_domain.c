/* SPDX-License-Identifier: ISC */
#include "plan/conf_int.h"

#include "mail/domain.h"

/* RFC 5321, 4.1.2: sub-domain = Let-dig [Ldh-str]; RFC 6531, 3.3 adds U-labels. */
static bool is_label(struct bytes label)
{
    if (label.n == 0 || label.n > LIMIT_LABEL || label.at[0] == '-' || label.at[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!is_alnum(label.at[i]) && label.at[i] != '-' && octet(label.at[i]) < 0x80)
            return false;
    return true;
}

/* A last label of digits alone is no name but the end of an IPv4 address (RFC 3696, 2). */
static bool is_number(struct bytes label)
{
    for (size_t i = 0; i < label.n; i++)
        if (!is_digit(label.at[i]))
            return false;
    return true;
}

static bool is_domain(struct bytes name)
{
    struct bytes label = BYTES_NONE, rest = name;

    if (name.n == 0 || name.n > LIMIT_DOMAIN || name.at[name.n - 1] == '.')
        return false;
    while (bytes_cut(&rest, '.', &label))
        if (!is_label(label))
            return false;
    return !is_number(label);
}

struct bytes conf_domain_ascii(struct arena *arena, struct bytes name)
{
    struct buffer ascii = buffer_with_most(LIMIT_PATH);
    struct bytes kept = { NULL, 0 };

    /* The mapping may make other dots and digits of what the name holds: look at both forms. */
    if (is_domain(name) && domain_to_ascii(name, &ascii) && !ascii.bad
        && is_domain(buffer_bytes(&ascii)))
        kept = arena_copy(arena, buffer_bytes(&ascii));
    buffer_done(&ascii);
    return kept;
}

bool conf_serves(const struct conf *conf, struct bytes domain_ascii)
{
    for (size_t i = 0; i < conf->domains_ascii.n; i++)
        if (bytes_equal_nocase(conf->domains_ascii.list[i], domain_ascii))
            return true;
    return false;
}

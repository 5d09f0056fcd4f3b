/* SPDX-License-Identifier: ISC */
#include "dns/sts.h"

/* ---- the record */

static bool is_id(struct bytes id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!is_alnum(id.at[i]))
            return false;
    return id.n > 0 && id.n <= STS_ID_MOST;
}

/* (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / "."), of both the record's and the policy's
   extensions. */
static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_alnum(name.at[i])
            && (i == 0 || (name.at[i] != '_' && name.at[i] != '-' && name.at[i] != '.')))
            return false;
    return name.n > 0 && name.n <= 32;
}

/* VCHAR but "=" and ";". */
static bool is_record_value(struct bytes value)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.at[i] <= ' ' || value.at[i] > '~' || value.at[i] == '=' || value.at[i] == ';')
            return false;
    return value.n > 0;
}

/* One field of a record, and its separator: blanks around ";", none around "=". */
static bool cut_field(struct bytes *rest, struct bytes *ret_name, struct bytes *ret_value)
{
    struct bytes field = BYTES_NONE;

    (void)bytes_cut(rest, ';', &field);
    field = bytes_trim(field);
    size_t sign = bytes_find(field, '=');
    if (sign == field.n)
        return false;
    *ret_name = bytes_first(field, sign);
    *ret_value = bytes_skip(field, sign + 1);
    return is_name(*ret_name) && is_record_value(*ret_value);
}

static bool read_record(struct bytes text, struct bytes *ret_id)
{
    struct bytes rest = text, name, value;

    *ret_id = BYTES_NONE;
    if (!cut_field(&rest, &name, &value) || !bytes_equal(value, BYTES("STSv1")))
        return false;
    while (bytes_trim(rest).n > 0) {
        if (!cut_field(&rest, &name, &value))
            return false;
        if (bytes_equal(name, BYTES("id")) && ret_id->n == 0)
            *ret_id = value;
    }
    return is_id(*ret_id);
}

/* Does it claim to be one? "v=STSv1", then a blank, ";" or the end. */
static bool is_record(struct bytes text)
{
    struct bytes start = BYTES("v=STSv1"), after = bytes_skip(text, start.n);

    return bytes_begins(text, start)
        && (after.n == 0 || is_space(after.at[0]) || after.at[0] == ';');
}

bool sts_record_read(const struct dns_answer *answer, struct buffer *to)
{
    struct bytes rest = answer->records, data, id = BYTES_NONE;
    struct buffer text = buffer_with_most(DNS_ANSWER_MOST);
    unsigned found = 0;
    bool well = false;

    while (dns_found(answer) && dns_next_record(&rest, &data)) {
        size_t before = text.n;
        if (!dns_text(data, &text))
            continue;
        if (!is_record(bytes_skip(buffer_bytes(&text), before)))
            text.n = before;
        else
            found++;
    }
    if (found == 1 && read_record(buffer_bytes(&text), &id)) {
        buffer_put(to, id);
        well = !to->bad;
    }
    buffer_done(&text);
    return well;
}

/* ---- the policy */

enum field { FIELD_VERSION = 1, FIELD_MODE = 2, FIELD_AGE = 4, FIELD_MX = 8 };

struct draft {
    struct sts_policy policy;
    unsigned seen;
    struct sts_flaw flaw;
};

static const char *read_mode(struct draft *draft, struct bytes value)
{
    static const struct { struct bytes word; enum sts_mode mode; } modes[] = {
        { BYTES_INIT("none"), STS_NONE }, { BYTES_INIT("testing"), STS_TESTING },
        { BYTES_INIT("enforce"), STS_ENFORCE },
    };

    for (size_t i = 0; i < COUNT(modes); i++)
        if (bytes_equal(value, modes[i].word)) {
            draft->policy.mode = modes[i].mode;
            return NULL;
        }
    return "mode is none of enforce, testing, none";
}

static const char *read_age(struct draft *draft, struct bytes value)
{
    uint64_t age = 0;

    for (size_t i = 0; i < value.n; i++) {
        if (!is_digit(value.at[i]) || value.n > 10)
            return "max_age is not 1 to 10 digits";
        age = age * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (value.n == 0 || age > STS_AGE_MOST)
        return "max_age is not 0 to 31557600";
    draft->policy.max_age = (uint32_t)age;
    return NULL;
}

static const char *read_mx(struct draft *draft, struct bytes value)
{
    struct bytes host = bytes_begins(value, BYTES("*.")) ? bytes_skip(value, 2) : value;

    if (!dns_name_is_plain(host))
        return "mx is no host name";
    if (draft->policy.n == STS_MX_MOST)
        return "too many mx lines";
    draft->policy.mx[draft->policy.n++] = value;
    return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *read_field(struct draft *draft, struct bytes name, struct bytes value)
{
    static const struct {
        struct bytes name;
        enum field field;
    } fields[] = {
        { BYTES_INIT("version"), FIELD_VERSION }, { BYTES_INIT("mode"), FIELD_MODE },
        { BYTES_INIT("max_age"), FIELD_AGE }, { BYTES_INIT("mx"), FIELD_MX },
    };

    for (size_t i = 0; i < COUNT(fields); i++) {
        if (!bytes_equal(name, fields[i].name))
            continue;
        bool again = (draft->seen & fields[i].field) != 0;
        draft->seen |= fields[i].field;
        switch (fields[i].field) {
        case FIELD_VERSION:
            return again || bytes_equal(value, BYTES("STSv1")) ? NULL : "version is not STSv1";
        case FIELD_MODE: return again ? NULL : read_mode(draft, value);
        case FIELD_AGE: return again ? NULL : read_age(draft, value);
        case FIELD_MX: return read_mx(draft, value);
        }
    }
    return NULL;
}

static const char *read_line(struct draft *draft, struct bytes line)
{
    size_t colon = bytes_find(line, ':');
    struct bytes name = bytes_first(line, colon);

    if (colon == line.n || !is_name(name))
        return "expected NAME: VALUE";
    return read_field(draft, name, bytes_trim(bytes_skip(line, colon + 1)));
}

static const char *what_is_missing(const struct draft *draft)
{
    if ((draft->seen & FIELD_VERSION) == 0)
        return "it has no version";
    if ((draft->seen & FIELD_MODE) == 0)
        return "it has no mode";
    if ((draft->seen & FIELD_AGE) == 0)
        return "it has no max_age";
    if (draft->policy.n == 0 && draft->policy.mode != STS_NONE)
        return "it names no mx";
    return NULL;
}

bool sts_policy_read(struct bytes text, struct sts_policy *ret_policy, struct sts_flaw *ret_flaw)
{
    struct draft draft = { .seen = 0 };
    struct bytes rest = text, line;

    if (text.n > STS_POLICY_MOST)
        draft.flaw.words = "it is longer than 64 KiB";
    while (draft.flaw.words == NULL && bytes_cut(&rest, '\n', &line)) {
        draft.flaw.line++;
        if (bytes_ends(line, BYTES("\r")))
            line.n--;
        if (bytes_trim(line).n > 0)
            draft.flaw.words = read_line(&draft, line);
    }
    if (draft.flaw.words == NULL) {
        draft.flaw = (struct sts_flaw){ 0, what_is_missing(&draft) };
    }
    if (draft.flaw.words != NULL) {
        *ret_flaw = draft.flaw;
        return false;
    }
    *ret_policy = draft.policy;
    return true;
}

static bool is_allowed(struct bytes pattern, struct bytes host)
{
    if (!bytes_begins(pattern, BYTES("*.")))
        return bytes_equal_nocase(pattern, host);
    size_t dot = bytes_find(host, '.');
    return dot > 0 && dot < host.n
        && bytes_equal_nocase(bytes_skip(host, dot), bytes_skip(pattern, 1));
}

bool sts_allows(const struct sts_policy *policy, struct bytes host)
{
    for (size_t i = 0; i < policy->n; i++)
        if (is_allowed(policy->mx[i], host))
            return true;
    return false;
}

const char *sts_mode_name(enum sts_mode mode)
{
    switch (mode) {
    case STS_NONE: return "none";
    case STS_TESTING: return "testing";
    case STS_ENFORCE: return "enforce";
    }
    return "";
}

/* SPDX-License-Identifier: ISC */
#include "smtp/param.h"

#include "base/number.h"
#include "mail/recipe.h"
#include "mail/xtext.h"
#include "smtp/param.def"

/* RFC 5321, 4.1.2:  esmtp-param   = esmtp-keyword ["=" esmtp-value]
                     esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
                     esmtp-value   = 1*(%d33-60 / %d62-126)
   RFC 6531, 3.3, adds octets above 127 to the value. */
struct param {
    struct bytes keyword, value;
    bool valued;
};

static bool is_keyword(struct bytes text)
{
    if (text.n == 0 || text.at[0] == '-')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_alnum(text.at[i]) && text.at[i] != '-')
            return false;
    }
    return true;
}

static bool is_value(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (octet(text.at[i]) < 33 || text.at[i] == 127)
            return false;
    }
    return text.n > 0;
}

static bool param_split(struct bytes text, struct param *ret_param)
{
    struct param param = { .keyword = bytes_upto(text, '=') };

    param.valued = param.keyword.n < text.n;
    param.value = bytes_skip(text, param.keyword.n + 1);
    if (!is_keyword(param.keyword) || (param.valued && !is_value(param.value)))
        return false;
    *ret_param = param;
    return true;
}

/* RFC 1870, 4:  size-value = 1*20DIGIT. Twenty digits can be more than 64 bits hold: that is well
   formed, and too big for anybody. */
static bool read_size(struct param param, struct mail_params *params)
{
    if (param.value.n == 0 || param.value.n > 20)
        return false;
    for (size_t i = 0; i < param.value.n; i++) {
        if (!is_digit(param.value.at[i]))
            return false;
    }
    if (!number_parse(param.value, &params->size))
        params->size = UINT64_MAX;
    return true;
}

static bool read_body(struct param param, struct mail_params *params)
{
    if (bytes_equal_nocase(param.value, BYTES("7BIT")))
        params->body = BODY_7BIT;
    else if (bytes_equal_nocase(param.value, BYTES("8BITMIME")))
        params->body = BODY_8BITMIME;
    else if (bytes_equal_nocase(param.value, BYTES("BINARYMIME")))
        params->body = BODY_BINARYMIME;
    else
        return false;
    return true;
}

static bool read_smtputf8(struct param param, struct mail_params *params)
{
    params->utf8 = !param.valued;
    return !param.valued;
}

static bool read_requiretls(struct param param, struct mail_params *params)
{
    params->require_tls = !param.valued;
    return !param.valued;
}

/* Only checked: what it says is used for nothing, but a control octet hidden in it is refused. */
static bool read_auth(struct param param, struct mail_params *params)
{
    (void)params;
    return param.value.n > 0 && xtext_decode(param.value, NULL);
}

static bool read_ret(struct param param, struct mail_params *params)
{
    bool full = bytes_equal_nocase(param.value, BYTES("FULL"));

    params->ret = full ? DSN_RET_FULL : DSN_RET_HDRS;
    return full || bytes_equal_nocase(param.value, BYTES("HDRS"));
}

static bool read_envid(struct param param, struct mail_params *params)
{
    params->envid = param.value;
    return param.value.n > 0 && param.value.n <= ENVID_MOST && xtext_decode(param.value, NULL);
}

/* RFC 2852, 4:  by-value = by-time ";" by-mode [by-trace]
                  by-time  = ["-" / "+"] 1*9digit     ; above 0 with the mode "R"
                  by-mode  = "N" / "R"     by-trace = "T" */
static bool read_by(struct param param, struct mail_params *params)
{
    struct bytes time = bytes_upto(param.value, ';');
    struct bytes mode = bytes_skip(param.value, time.n + 1);
    bool minus = bytes_begins(time, BYTES("-"));
    struct bytes digits = bytes_skip(time, minus || bytes_begins(time, BYTES("+")) ? 1 : 0);
    uint64_t seconds;

    if (digits.n > 9 || !number_parse(digits, &seconds))
        return false;
    params->by_s = minus ? -(int32_t)seconds : (int32_t)seconds;
    params->by_trace = mode.n == 2;
    params->by = bytes_begins_nocase(mode, BYTES("R")) ? BY_RETURN : BY_NOTIFY;
    struct bytes letter = bytes_first(mode, 1);
    return (bytes_equal_nocase(letter, BYTES("R")) || bytes_equal_nocase(letter, BYTES("N")))
        && (mode.n == 1 || bytes_equal_nocase(bytes_skip(mode, 1), BYTES("T")))
        && (params->by == BY_NOTIFY || params->by_s > 0);
}

/* RFC 6710:  priority-value = (["-"] NZDIGIT) / "0" */
static bool read_priority(struct param param, struct mail_params *params)
{
    bool minus = bytes_begins(param.value, BYTES("-"));
    struct bytes digit = bytes_skip(param.value, minus ? 1 : 0);

    if (digit.n != 1 || !is_digit(digit.at[0]) || (minus && digit.at[0] == '0'))
        return false;
    params->priority = (int8_t)(minus ? '0' - digit.at[0] : digit.at[0] - '0');
    return true;
}

static bool read_recipe(struct param param, struct mail_params *params)
{
    uint64_t octets;

    if (!number_parse(param.value, &octets) || octets == 0 || octets > RECIPE_MOST)
        return false;
    params->recipe = (uint32_t)octets;
    return true;
}

/* notify-esmtp-value = "NEVER" / 1#notify-list-element. A word that comes twice is a mistake. */
static bool read_notify(struct param param, struct rcpt_params *params)
{
    static const struct { struct bytes word; uint8_t is; } words[] = {
        { BYTES_INIT("SUCCESS"), DSN_SUCCESS }, { BYTES_INIT("FAILURE"), DSN_FAILURE },
        { BYTES_INIT("DELAY"), DSN_DELAY },
    };
    struct bytes rest = param.value;

    if (bytes_equal_nocase(rest, BYTES("NEVER"))) {
        params->notify = DSN_NEVER;
        return true;
    }
    while (params->notify != DSN_NOTIFY_MOST) {
        struct bytes word = bytes_upto(rest, ',');
        uint8_t is = 0;
        for (size_t i = 0; i < COUNT(words); i++)
            is |= bytes_equal_nocase(word, words[i].word) ? words[i].is : 0;
        if (is == 0 || (params->notify & is) != 0)
            return false;
        params->notify |= is;
        if (word.n == rest.n)
            return true;
        rest = bytes_skip(rest, word.n + 1);
    }
    return false;
}

static bool read_orcpt(struct param param, struct rcpt_params *params)
{
    params->orcpt = param.value;
    return param.value.n <= ORCPT_MOST;     /* what it says: see rcpt_params_parse */
}

enum param_name {
#define PARAM_ENUM(NAME, keyword, read) PARAM_##NAME,
    PARAM_LIST(PARAM_ENUM)
#undef PARAM_ENUM
    PARAM_COUNT
};

static const struct {
    struct bytes keyword;
    bool (*read)(struct param param, struct mail_params *params);
} table[] = {
#define PARAM_ROW(NAME, keyword, read) [PARAM_##NAME] = { BYTES_INIT(keyword), read },
    PARAM_LIST(PARAM_ROW)
#undef PARAM_ROW
};

static enum reply take_param(struct param param, struct mail_params *params, unsigned *seen,
                             struct bytes *ret_keyword)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        if (!bytes_equal_nocase(param.keyword, table[i].keyword))
            continue;
        *ret_keyword = table[i].keyword;
        if ((*seen & (1U << i)) != 0)
            return REPLY_TWICE;
        *seen |= 1U << i;
        return table[i].read(param, params) ? REPLY_NONE : REPLY_BAD_PARAMETER;
    }
    return REPLY_NO_PARAMETER;
}

/* The next parameter of *text, which is moved on; false: it is not well formed. */
static bool next_param(struct bytes *text, struct param *ret_param)
{
    struct bytes word = bytes_upto(bytes_skip(*text, 1), ' ');

    if (text->at[0] != ' ' || !param_split(word, ret_param))
        return false;
    *text = bytes_skip(*text, 1 + word.n);
    return true;
}

enum reply mail_params_parse(struct bytes text, struct mail_params *ret_params,
                             struct bytes *ret_keyword)
{
    struct mail_params params = { .body = BODY_7BIT, .envid = BYTES_NONE };
    unsigned seen = 0;

    while (text.n > 0) {
        struct param param;
        if (!next_param(&text, &param))
            return REPLY_BAD_PARAMETERS;
        enum reply refusal = take_param(param, &params, &seen, ret_keyword);
        if (refusal != REPLY_NONE)
            return refusal;
    }
    *ret_params = params;
    return REPLY_NONE;
}

static const struct {
    struct bytes keyword;
    bool (*read)(struct param param, struct rcpt_params *params);
} rcpt_table[] = {
#define PARAM_ROW(NAME, keyword, read) { BYTES_INIT(keyword), read },
    RCPT_PARAM_LIST(PARAM_ROW)
#undef PARAM_ROW
};

static enum reply take_rcpt_param(struct param param, struct rcpt_params *params, unsigned *seen,
                                  struct bytes *ret_keyword)
{
    for (size_t i = 0; i < COUNT(rcpt_table); i++) {
        if (!bytes_equal_nocase(param.keyword, rcpt_table[i].keyword))
            continue;
        *ret_keyword = rcpt_table[i].keyword;
        if ((*seen & (1U << i)) != 0)
            return REPLY_TWICE;
        *seen |= 1U << i;
        return rcpt_table[i].read(param, params) ? REPLY_NONE : REPLY_BAD_PARAMETER;
    }
    return REPLY_NO_PARAMETER;
}

enum reply rcpt_params_parse(struct bytes text, bool utf8, struct rcpt_params *ret_params,
                             struct bytes *ret_keyword)
{
    struct rcpt_params params = { .orcpt = { NULL, 0 } };
    unsigned seen = 0;

    while (text.n > 0) {
        struct param param;
        if (!next_param(&text, &param))
            return REPLY_BAD_PARAMETERS;
        enum reply refusal = take_rcpt_param(param, &params, &seen, ret_keyword);
        if (refusal != REPLY_NONE)
            return refusal;
    }
    if (params.orcpt.at != NULL && !orcpt_decode(params.orcpt, utf8, NULL)) {
        *ret_keyword = BYTES("ORCPT");
        return REPLY_BAD_PARAMETER;
    }
    if (params.orcpt.at == NULL)
        params.orcpt = BYTES_NONE;
    *ret_params = params;
    return REPLY_NONE;
}

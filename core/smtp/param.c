/* SPDX-License-Identifier: ISC */
#include "smtp/param.h"

#include "base/number.h"
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

static int hex_digit(char c)
{
    return is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3461, 4:  xtext = *( xchar / hexchar )    hexchar = "+" 2(%x30-39 / %x41-46)
   A control octet hidden in it is refused, though what it says is used for nothing. */
static bool read_auth(struct param param, struct mail_params *params)
{
    (void)params;
    for (size_t i = 0; i < param.value.n; i++) {
        if (octet(param.value.at[i]) > 126)
            return false;
        if (param.value.at[i] != '+')
            continue;
        if (param.value.n - i < 3)
            return false;
        int high = hex_digit(param.value.at[i + 1]), low = hex_digit(param.value.at[i + 2]);
        if (high < 0 || low < 0 || high * 16 + low < 32 || high * 16 + low == 127)
            return false;
        i += 2;
    }
    return param.value.n > 0;
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

enum reply mail_params_parse(struct bytes text, struct mail_params *ret_params,
                             struct bytes *ret_keyword)
{
    struct mail_params params = { .body = BODY_7BIT };
    unsigned seen = 0;

    while (text.n > 0) {
        struct param param;
        if (text.at[0] != ' ')
            return REPLY_BAD_PARAMETERS;
        struct bytes word = bytes_upto(bytes_skip(text, 1), ' ');
        text = bytes_skip(text, 1 + word.n);
        if (!param_split(word, &param))
            return REPLY_BAD_PARAMETERS;
        enum reply refusal = take_param(param, &params, &seen, ret_keyword);
        if (refusal != REPLY_NONE)
            return refusal;
    }
    *ret_params = params;
    return REPLY_NONE;
}

enum reply rcpt_params_parse(struct bytes text)
{
    struct param param;

    if (text.n == 0)
        return REPLY_NONE;
    if (text.at[0] != ' ' || !param_split(bytes_upto(bytes_skip(text, 1), ' '), &param))
        return REPLY_BAD_PARAMETERS;
    return REPLY_NO_PARAMETER;
}

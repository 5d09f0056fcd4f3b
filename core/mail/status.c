/* SPDX-License-Identifier: ISC */
#include "mail/status.h"

#include "base/reader.h"

#define ROW(s, d, NAME, basic, reference, text) { (s), (d), #NAME, basic, reference, text },
static const struct status_entry entries[] = { STATUS_DETAIL_LIST(ROW) };
#undef ROW

const struct status_entry *status_find(struct status_code code)
{
    for (size_t i = 0; i < COUNT(entries); i++) {
        if (entries[i].subject == code.subject && entries[i].detail == code.detail)
            return &entries[i];
    }
    return NULL;
}

const struct status_entry *status_entry_at(size_t i)
{
    return i < COUNT(entries) ? &entries[i] : NULL;
}

const char *status_class_text(uint8_t class)
{
#define ROW(c, basic, reference, text) { (c), text },
    static const struct { uint8_t class; const char *text; } classes[] = { STATUS_CLASS_LIST(ROW) };
#undef ROW

    for (size_t i = 0; i < COUNT(classes); i++) {
        if (classes[i].class == class)
            return classes[i].text;
    }
    return "";
}

const char *status_subject_text(uint16_t subject)
{
#define ROW(s, reference, text) { (s), text },
    static const struct { uint16_t subject; const char *text; } subjects[] = {
        STATUS_SUBJECT_LIST(ROW)
    };
#undef ROW

    for (size_t i = 0; i < COUNT(subjects); i++) {
        if (subjects[i].subject == subject)
            return subjects[i].text;
    }
    return "";
}

void status_put(struct buffer *to, struct status_code code)
{
    buffer_put_uint(to, code.class);
    buffer_put_char(to, '.');
    buffer_put_uint(to, code.subject);
    buffer_put_char(to, '.');
    buffer_put_uint(to, code.detail);
}

/* RFC 3463, 2:  subject = 1*3digit,  detail = 1*3digit */
static bool take_number(struct reader *in, uint16_t *ret_number)
{
    struct bytes digits = take_while(in, is_digit);
    uint16_t number = 0;

    if (digits.n == 0 || digits.n > 3)
        return false;
    for (size_t i = 0; i < digits.n; i++)
        number = (uint16_t)(number * 10 + (digits.at[i] - '0'));
    *ret_number = number;
    return true;
}

/* status-code = class "." subject "." detail,  class = "2" / "4" / "5" */
bool status_parse(struct bytes text, struct status_code *ret_code, size_t *ret_used)
{
    struct reader in = reader_of(text);
    struct status_code code = { 0 };
    uint16_t class;

    if (!take_number(&in, &class) || (class != 2 && class != 4 && class != 5) || in.at != 1
        || !take_char(&in, '.') || !take_number(&in, &code.subject)
        || !take_char(&in, '.') || !take_number(&in, &code.detail))
        return false;
    if (peek_octet(&in) == '.' && in.at + 1 < text.n && is_digit(text.at[in.at + 1]))
        return false;
    code.class = (uint8_t)class;
    *ret_code = code;
    *ret_used = in.at;
    return true;
}

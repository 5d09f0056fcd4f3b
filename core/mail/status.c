/* SPDX-License-Identifier: ISC */
#include "mail/status.h"

#include "base/number.h"
#include "base/reader.h"

#define ROW(s, d, NAME, basic, reference, title, text) \
    { (s), (d), #NAME, basic, reference, title, text },
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

struct head {
    uint16_t number;
    const char *reference, *text;
};

#define ROW(c, basic, reference, text) { (c), reference, text },
static const struct head classes[] = { STATUS_CLASS_LIST(ROW) };
#undef ROW
#define ROW(s, reference, text) { (s), reference, text },
static const struct head subjects[] = { STATUS_SUBJECT_LIST(ROW) };
#undef ROW

static struct head head_of(const struct head *heads, size_t n, uint16_t number)
{
    for (size_t i = 0; i < n; i++) {
        if (heads[i].number == number)
            return heads[i];
    }
    return (struct head){ number, "", "" };
}

const char *status_class_text(uint8_t class)
{
    return head_of(classes, COUNT(classes), class).text;
}

const char *status_class_reference(uint8_t class)
{
    return head_of(classes, COUNT(classes), class).reference;
}

const char *status_subject_text(uint16_t subject)
{
    return head_of(subjects, COUNT(subjects), subject).text;
}

const char *status_subject_reference(uint16_t subject)
{
    return head_of(subjects, COUNT(subjects), subject).reference;
}

#define ROW(code, reference, text) { (code), reference, text },
static const struct basic_entry basics[] = { BASIC_LIST(ROW) };
#undef ROW

const struct basic_entry *basic_find(uint16_t code)
{
    for (size_t i = 0; i < COUNT(basics); i++) {
        if (basics[i].code == code)
            return &basics[i];
    }
    return NULL;
}

const struct basic_entry *basic_entry_at(size_t i)
{
    return i < COUNT(basics) ? &basics[i] : NULL;
}

/* The registry writes "451, 550", "451/550", "250 or 251" and "550 (other ... are allowed)". */
bool status_goes_with(const struct status_entry *entry, uint16_t basic)
{
    struct reader in = reader_of(bytes_of(entry->basic));

    while (!reader_empty(&in)) {
        struct bytes digits = take_while(&in, is_digit);
        uint64_t number;
        if (number_parse(digits, &number) && digits.n == 3 && number == basic)
            return true;
        if (digits.n == 0)
            in.at++;
    }
    return false;
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

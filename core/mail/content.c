/* SPDX-License-Identifier: ISC
 *
 * mail/content.c: RFC 2045, 5.1, and RFC 2231, 7.
 *
 *   content    = type "/" subtype *( ";" parameter )
 *   parameter  = attribute "=" value        attribute = name [ "*" section ] [ "*" ]
 *   value      = token / quoted-string      extended  = charset "'" [ language ] "'" *( octet )
 */
#include "mail/content.h"

#include "base/limits.h"
#include "base/qp.h"
#include "mail/charset.h"
#include "mail/lex.h"

struct content content_parse(struct bytes value)
{
    struct reader in = reader_of(value);
    struct content content = { .subtype = BYTES_NONE };

    if (!skip_cfws(&in))
        content.flaws |= CONTENT_BAD_COMMENT;
    content.type = take_while(&in, is_token);
    if (!skip_cfws(&in))
        content.flaws |= CONTENT_BAD_COMMENT;
    if (content.type.n > 0 && take_char(&in, '/')) {
        if (!skip_cfws(&in))
            content.flaws |= CONTENT_BAD_COMMENT;
        content.subtype = take_while(&in, is_token);
    }
    if (content.type.n == 0 || content.subtype.n == 0 || peek_octet(&in) == '/')
        content.flaws |= CONTENT_BAD_TYPE;
    struct bytes rest = reader_left(&in);
    content.parameters = bytes_skip(rest, bytes_find(rest, ';'));
    return content;
}

/* One parameter as it stands: the section number, or -1; the value with its quotes. */
struct parameter {
    struct bytes name, value;
    int section;
    bool extended;      /* a "*" ended its attribute */
};

static bool is_attribute(char c) { return is_token(c) && c != '*'; }

/* [ "*" section ] [ "*" ]; a section of more than four digits is beyond any limit. */
static bool take_section(struct reader *in, struct parameter *parameter)
{
    parameter->section = -1;
    parameter->extended = take_char(in, '*');
    struct bytes digits = take_while(in, is_digit);
    if (digits.n == 0)
        return true;
    if (!parameter->extended)
        return false;
    parameter->section = 0;
    for (size_t i = 0; i < digits.n && i < 5; i++)
        parameter->section = parameter->section * 10 + (digits.at[i] - '0');
    parameter->extended = take_char(in, '*');
    return true;
}

static bool is_value(char c) { return c != ';'; }

/* A quoted string, of which only the end is looked for; or all up to ";" but for white space and a
   comment at its end, since spaces in file names are sent without quotes. */
static struct bytes take_value(struct reader *in, unsigned *flaws)
{
    size_t from = in->at;

    if (peek_octet(in) == '"') {
        struct buffer none = buffer_with_most(0);
        if (!take_quoted(in, &none))
            *flaws |= CONTENT_OPEN_QUOTE;
        return (struct bytes){ in->all.at + from, in->at - from };
    }
    struct bytes value = bytes_trim(take_while(in, is_value));
    size_t comment = bytes_search(value, BYTES(" ("));
    return bytes_trim(bytes_first(value, comment));
}

/* The next parameter; what is none is passed over. False at the end. */
static bool next_parameter(struct reader *in, struct parameter *ret, unsigned *flaws)
{
    while (take_while(in, is_value), take_char(in, ';')) {
        struct parameter parameter = { 0 };
        if (!skip_cfws(in)) {
            *flaws |= CONTENT_BAD_COMMENT;
            return false;
        }
        if (reader_empty(in) || peek_octet(in) == ';')
            continue;
        parameter.name = take_while(in, is_attribute);
        bool well = parameter.name.n > 0 && take_section(in, &parameter) && skip_cfws(in)
                 && take_char(in, '=') && skip_cfws(in);
        if (well) {
            parameter.value = take_value(in, flaws);
            *ret = parameter;
            return true;
        }
        *flaws |= CONTENT_BAD_PARAMETER;
    }
    return false;
}

/* All that was said of one parameter. */
struct found {
    bool plain, single, sections;           /* name=, name*=, name*0= was there */
    struct parameter plain_is, single_is;
    struct parameter section_is[LIMIT_PARAMETER_SECTIONS];
    bool section_seen[LIMIT_PARAMETER_SECTIONS];
};

static void keep(struct found *found, struct parameter parameter, unsigned *flaws)
{
    bool *seen = parameter.extended ? &found->single : &found->plain;
    struct parameter *is = parameter.extended ? &found->single_is : &found->plain_is;

    if (parameter.section >= LIMIT_PARAMETER_SECTIONS) {
        *flaws |= CONTENT_TOO_MANY;
        return;
    }
    if (parameter.section >= 0) {
        seen = &found->section_seen[parameter.section];
        is = &found->section_is[parameter.section];
        found->sections = true;
    }
    if (*seen) {
        *flaws |= bytes_equal(is->value, parameter.value) ? 0 : CONTENT_TWO_VALUES;
        return;
    }
    *seen = true;
    *is = parameter;
}

/* The value without its quotes, into `to`. */
static void put_value(struct buffer *to, struct bytes value)
{
    struct reader in = reader_of(value);

    if (peek_octet(&in) == '"')
        (void)take_quoted(&in, to);
    else
        buffer_put(to, value);
}

/* Octets of %hh; anything else is itself. */
static void put_unescaped(struct buffer *to, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        int high = text.at[i] == '%' && i + 2 < text.n ? hex_value(text.at[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.at[i + 2]) : -1;
        buffer_put_char(to, low >= 0 ? (char)(uint8_t)(high << 4 | low) : text.at[i]);
        i += low >= 0 ? 2 : 0;
    }
}

/* charset "'" language "'" at the front of an extended value. */
static struct bytes take_charset(struct bytes *text)
{
    size_t first = bytes_find(*text, '\'');
    struct bytes charset = bytes_first(*text, first), rest = bytes_skip(*text, first + 1);
    size_t second = bytes_find(rest, '\'');

    if (first == text->n || second == rest.n)
        return BYTES_NONE;
    *text = bytes_skip(rest, second + 1);
    return charset;
}

/* Text that named no charset: UTF-8 where it is that, for nothing else is sent raw today. */
static void put_text(struct buffer *to, struct bytes text)
{
    (void)charset_put(to, BYTES("utf-8"), text);
}

static void put_octets(struct buffer *to, struct bytes charset, const struct buffer *octets,
                       struct bytes written, unsigned *flaws)
{
    if (charset.n > 0 && charset_put(to, charset, buffer_bytes(octets)))
        return;
    *flaws |= CONTENT_BAD_CHARSET;
    put_text(to, charset.n > 0 ? written : buffer_bytes(octets));
}

/* name*=charset'language'text */
static void put_single(struct buffer *to, struct bytes value, unsigned *flaws)
{
    struct buffer raw = buffer_with_most(value.n), octets = buffer_with_most(value.n);

    put_value(&raw, value);
    struct bytes text = buffer_bytes(&raw), charset = take_charset(&text);
    put_unescaped(&octets, text);
    put_octets(to, charset, &octets, buffer_bytes(&raw), flaws);
    to->bad = to->bad || raw.bad || octets.bad;
    buffer_done(&raw);
    buffer_done(&octets);
}

/* The charset that section 0 names, copied: the text it stands in does not last. */
struct charset_name {
    char at[64];
    size_t n;
};

static void keep_charset(struct charset_name *name, struct bytes charset)
{
    if (charset.n > sizeof(name->at))
        return;
    for (size_t i = 0; i < charset.n; i++)
        name->at[name->n++] = charset.at[i];
}

/* One section: its octets, and its text as written. */
static void put_section(const struct parameter *section, struct buffer *octets,
                        struct buffer *written, struct charset_name *charset)
{
    size_t from = written->n;

    put_value(written, section->value);
    struct bytes text = bytes_skip(buffer_bytes(written), from);
    if (!section->extended) {
        buffer_put(octets, text);
        return;
    }
    if (section->section == 0)
        keep_charset(charset, take_charset(&text));
    put_unescaped(octets, text);
}

/* name*0=, name*1*= ... up to the first that is missing; joined as octets, so that a character may
   be cut between two. */
static void put_sections(struct buffer *to, const struct found *found, size_t most, unsigned *flaws)
{
    struct buffer octets = buffer_with_most(most), written = buffer_with_most(most);
    struct charset_name charset = { .n = 0 };
    bool extended = false;
    size_t n = 0;

    for (; n < LIMIT_PARAMETER_SECTIONS && found->section_seen[n]; n++) {
        put_section(&found->section_is[n], &octets, &written, &charset);
        extended = extended || found->section_is[n].extended;
    }
    for (size_t i = n; i < LIMIT_PARAMETER_SECTIONS; i++)
        *flaws |= found->section_seen[i] ? CONTENT_GAP : 0;
    if (extended)
        put_octets(to, (struct bytes){ charset.at, charset.n }, &octets, buffer_bytes(&written),
            flaws);
    else
        put_text(to, buffer_bytes(&octets));
    to->bad = to->bad || octets.bad || written.bad;
    buffer_done(&octets);
    buffer_done(&written);
}

bool content_parameter(const struct content *content, const char *name, struct buffer *to,
                       unsigned *flaws)
{
    struct reader in = reader_of(content->parameters);
    struct found found = { 0 };
    struct parameter parameter;

    while (next_parameter(&in, &parameter, flaws)) {
        if (bytes_equal_nocase(parameter.name, bytes_of(name)))
            keep(&found, parameter, flaws);
    }
    if (found.plain + found.single + found.sections > 1)
        *flaws |= CONTENT_TWO_VALUES;
    if (found.sections && !found.section_seen[0])
        *flaws |= CONTENT_GAP;
    if (found.single) {
        put_single(to, found.single_is.value, flaws);
    } else if (found.section_seen[0]) {
        put_sections(to, &found, content->parameters.n, flaws);
    } else if (found.plain) {
        struct buffer raw = buffer_with_most(content->parameters.n);
        put_value(&raw, found.plain_is.value);
        put_text(to, buffer_bytes(&raw));
        to->bad = to->bad || raw.bad;
        buffer_done(&raw);
    }
    return found.single || found.section_seen[0] || found.plain;
}

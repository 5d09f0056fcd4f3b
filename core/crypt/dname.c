/* SPDX-License-Identifier: ISC */
#include "crypt/dname.h"

#include "base/utf8.h"

static const struct {
    struct bytes type;
    const char *name;
} attributes[] = {
    { BYTES_INIT("\x55\x04\x03"), "CN" },
    { BYTES_INIT("\x55\x04\x05"), "serialNumber" },
    { BYTES_INIT("\x55\x04\x06"), "C" },
    { BYTES_INIT("\x55\x04\x07"), "L" },
    { BYTES_INIT("\x55\x04\x08"), "ST" },
    { BYTES_INIT("\x55\x04\x09"), "STREET" },
    { BYTES_INIT("\x55\x04\x0A"), "O" },
    { BYTES_INIT("\x55\x04\x0B"), "OU" },
    { BYTES_INIT("\x55\x04\x0C"), "T" },
    { BYTES_INIT("\x55\x04\x11"), "postalCode" },
    { BYTES_INIT("\x55\x04\x14"), "telephoneNumber" },
    { BYTES_INIT("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01"), "emailAddress" },
    { BYTES_INIT("\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x19"), "DC" },
};

#define OID_COUNTRY BYTES("\x55\x04\x06")
#define OID_COMMON_NAME BYTES("\x55\x04\x03")
#define OID_EMAIL BYTES("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01")

/* ---- reading DER */

static bool read_part(struct der *set, unsigned level, struct dname_part *ret_part)
{
    struct der pair = der_enter(set, DER_SEQUENCE);

    ret_part->level = level;
    ret_part->type = der_take(&pair, DER_OID);
    ret_part->value = der_take_any(&pair, &ret_part->tag);
    return der_finished(&pair) && ret_part->type.n > 0;
}

bool dname_read(struct bytes der, struct dname_part ret_parts[static DNAME_PARTS_MOST],
                size_t *ret_n)
{
    struct der in = der_of(der), name = der_enter(&in, DER_SEQUENCE);
    size_t n = 0;

    if (der.n > DNAME_MOST || !der_finished(&in))
        return false;
    for (unsigned level = 0; name.left.n > 0; level++) {
        struct der set = der_enter(&name, DER_SET);
        do {
            if (n == DNAME_PARTS_MOST || !read_part(&set, level, &ret_parts[n++]))
                return false;
        } while (set.left.n > 0);
    }
    *ret_n = n;
    return true;
}

/* ---- comparing */

/* The next octet as it is compared: small letters, one blank for many, none at the ends; -1 at
   the end. */
static int next_folded(struct bytes *text, bool *begun)
{
    bool blank = false;

    while (text->n > 0 && text->at[0] == ' ') {
        *text = bytes_skip(*text, 1);
        blank = true;
    }
    if (text->n == 0)
        return -1;
    if (blank && *begun) {
        *begun = false;
        return ' ';
    }
    int c = octet(to_lower(text->at[0]));
    *text = bytes_skip(*text, 1);
    *begun = true;
    return c;
}

static bool is_text(unsigned tag)
{
    return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_TELETEX || tag == DER_IA5;
}

static bool values_equal(const struct dname_part *a, const struct dname_part *b)
{
    struct bytes x = a->value, y = b->value;
    bool x_begun = false, y_begun = false;

    if (!is_text(a->tag) || !is_text(b->tag))
        return a->tag == b->tag && bytes_equal(x, y);
    for (;;) {
        int c = next_folded(&x, &x_begun);
        if (c != next_folded(&y, &y_begun))
            return false;
        if (c < 0)
            return true;
    }
}

static bool parts_equal(const struct dname_part *a, const struct dname_part *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].level != b[i].level || !bytes_equal(a[i].type, b[i].type)
            || !values_equal(&a[i], &b[i]))
            return false;
    return true;
}

bool dname_equal(struct bytes a, struct bytes b)
{
    struct dname_part x[DNAME_PARTS_MOST], y[DNAME_PARTS_MOST];
    size_t x_n, y_n;

    if (bytes_equal(a, b))
        return true;
    return dname_read(a, x, &x_n) && dname_read(b, y, &y_n) && x_n == y_n
        && parts_equal(x, y, x_n);
}

bool dname_is_below(struct bytes name, struct bytes above)
{
    struct dname_part x[DNAME_PARTS_MOST], y[DNAME_PARTS_MOST];
    size_t x_n, y_n;

    return dname_read(name, x, &x_n) && dname_read(above, y, &y_n) && x_n > y_n
        && parts_equal(x, y, y_n) && (y_n == 0 || x[y_n].level > y[y_n - 1].level);
}

/* ---- text */

/* What could be taken for the form itself: a comma cannot, unless "TYPE =" stands behind it. */
static bool is_sign(uint32_t c)
{
    return c == '=' || c == '\\';
}

static void put_code(struct buffer *to, uint32_t c)
{
    if (is_sign(c))
        buffer_put_char(to, '\\');
    if (c < 0x80) {
        buffer_put_char(to, (char)c);
    } else if (c < 0x800) {
        buffer_put_char(to, (char)(0xC0 | c >> 6));
        buffer_put_char(to, (char)(0x80 | (c & 0x3F)));
    } else {
        buffer_put_char(to, (char)(0xE0 | c >> 12));
        buffer_put_char(to, (char)(0x80 | (c >> 6 & 0x3F)));
        buffer_put_char(to, (char)(0x80 | (c & 0x3F)));
    }
}

/* T.61 is taken for Latin-1, as nearly all who wrote it did. What is no text is shown in hex. */
static void put_value(struct buffer *to, const struct dname_part *part)
{
    static const char hex[] = "0123456789ABCDEF";
    struct bytes v = part->value;

    if (part->tag == DER_BMP && v.n % 2 == 0) {
        for (size_t i = 0; i < v.n; i += 2)
            put_code(to, (uint32_t)octet(v.at[i]) << 8 | octet(v.at[i + 1]));
    } else if (part->tag == DER_UTF8) {
        for (size_t i = 0; i < v.n; i++) {
            if (is_sign(octet(v.at[i])))
                buffer_put_char(to, '\\');
            buffer_put_char(to, v.at[i]);
        }
    } else if (is_text(part->tag)) {
        for (size_t i = 0; i < v.n; i++)
            put_code(to, octet(v.at[i]));
    } else {
        buffer_put_char(to, '#');
        for (size_t i = 0; i < v.n; i++) {
            buffer_put_char(to, hex[octet(v.at[i]) >> 4]);
            buffer_put_char(to, hex[octet(v.at[i]) & 15]);
        }
    }
}

/* "1.2.840": the first two numbers share the first octets (X.690, 8.19). */
static void put_dotted(struct buffer *to, struct bytes type)
{
    uint64_t number = 0;
    bool first = true;

    for (size_t i = 0; i < type.n; i++) {
        number = number << 7 | (octet(type.at[i]) & 0x7F);
        if (octet(type.at[i]) >= 0x80 && i + 1 < type.n)
            continue;
        if (first) {
            uint64_t arc = number < 80 ? number / 40 : 2;
            buffer_put_uint(to, arc);
            number -= 40 * arc;
            first = false;
        }
        buffer_put_char(to, '.');
        buffer_put_uint(to, number);
        number = 0;
    }
}

static void put_type(struct buffer *to, struct bytes type)
{
    for (size_t i = 0; i < COUNT(attributes); i++) {
        if (bytes_equal(attributes[i].type, type)) {
            buffer_put_text(to, attributes[i].name);
            return;
        }
    }
    put_dotted(to, type);
}

void dname_put_text(struct bytes der, struct buffer *to)
{
    struct dname_part parts[DNAME_PARTS_MOST];
    size_t n;

    if (!dname_read(der, parts, &n)) {
        buffer_put(to, BYTES("(no name)"));
        return;
    }
    for (size_t i = n; i-- > 0;) {
        if (i + 1 < n)
            buffer_put_text(to, parts[i].level == parts[i + 1].level ? " + " : ", ");
        put_type(to, parts[i].type);
        buffer_put(to, BYTES(" = "));
        put_value(to, &parts[i]);
    }
}

struct bytes dname_mailbox(struct bytes der)
{
    struct dname_part parts[DNAME_PARTS_MOST];
    struct bytes found = BYTES_NONE;
    size_t n;

    if (!dname_read(der, parts, &n))
        return BYTES_NONE;
    for (size_t i = 0; i < n; i++) {
        bool at = is_text(parts[i].tag) && bytes_find(parts[i].value, '@') < parts[i].value.n;
        if (at && bytes_equal(parts[i].type, OID_EMAIL))
            return parts[i].value;
        if (at && bytes_equal(parts[i].type, OID_COMMON_NAME))
            found = parts[i].value;
    }
    return found;
}

/* ---- from text */

struct typed {
    struct bytes type;
    struct bytes value;         /* with its backslashes */
};

static bool find_type(struct bytes word, struct bytes *ret_type)
{
    if (bytes_equal_nocase(word, BYTES("S")))
        word = BYTES("ST");
    if (bytes_equal_nocase(word, BYTES("E")))
        word = BYTES("emailAddress");
    for (size_t i = 0; i < COUNT(attributes); i++) {
        if (bytes_equal_nocase(word, bytes_of(attributes[i].name))) {
            *ret_type = attributes[i].type;
            return true;
        }
    }
    return false;
}

/* Where the value ends: at a comma that "\" does not stand before, unless what follows is no
   "TYPE =": so RIPEM's "O = RSA Data Security, Inc., C = US" is read as it is meant. */
static size_t value_end(struct bytes text)
{
    struct bytes type;

    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] == '\\') {
            i++;
        } else if (text.at[i] == ',') {
            struct bytes next = bytes_skip(text, i + 1);
            size_t equals = bytes_find(next, '=');
            if (equals < next.n && find_type(bytes_trim(bytes_first(next, equals)), &type))
                return i;
        }
    }
    return text.n;
}

/* A bare "=" in a value is a type that is not known, or a comma forgotten. */
static bool has_bare_equals(struct bytes value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.at[i] == '=')
            return true;
        i += value.at[i] == '\\';
    }
    return false;
}

static bool take_typed(struct bytes *rest, struct typed *ret)
{
    size_t equals = bytes_find(*rest, '=');

    if (equals == rest->n || !find_type(bytes_trim(bytes_first(*rest, equals)), &ret->type))
        return false;
    *rest = bytes_skip(*rest, equals + 1);
    size_t end = value_end(*rest);
    ret->value = bytes_trim(bytes_first(*rest, end));
    *rest = bytes_skip(*rest, end + 1);
    return ret->value.n > 0 && !has_bare_equals(ret->value);
}

static bool is_printable(char c)
{
    return is_alnum(c) || bytes_find(BYTES(" '()+,-./:=?"), c) < 12;
}

static unsigned tag_for(const struct typed *one, struct bytes value, bool old)
{
    bool printable = true, ascii = true;

    for (size_t i = 0; i < value.n; i++) {
        printable = printable && is_printable(value.at[i]);
        ascii = ascii && octet(value.at[i]) < 0x80;
    }
    if (bytes_equal(one->type, OID_EMAIL) && ascii)
        return DER_IA5;
    return printable ? DER_PRINTABLE : old && ascii ? DER_TELETEX : DER_UTF8;
}

static bool put_typed(const struct typed *one, bool old, struct buffer *to)
{
    struct buffer value = buffer_with_most(DNAME_MOST);
    size_t begun = der_begin(to);

    for (size_t i = 0; i < one->value.n; i++) {
        if (one->value.at[i] == '\\' && i + 1 < one->value.n)
            i++;
        buffer_put_char(&value, one->value.at[i]);
    }
    bool well = !value.bad && utf8_valid(buffer_bytes(&value))
             && (!bytes_equal(one->type, OID_COUNTRY)
                 || (value.n == 2 && is_alpha(value.at[0]) && is_alpha(value.at[1])));
    der_put(to, DER_OID, one->type);
    der_put(to, tag_for(one, buffer_bytes(&value), old), buffer_bytes(&value));
    der_end(to, begun, DER_SEQUENCE);
    der_end(to, begun, DER_SET);
    buffer_done(&value);
    return well;
}

bool dname_read_text(struct bytes text, bool old, struct buffer *to)
{
    struct typed parts[DNAME_PARTS_MOST];
    size_t n = 0, begun = der_begin(to);
    bool well = true;

    for (struct bytes rest = text; rest.n > 0; n++)
        if (n == DNAME_PARTS_MOST || !take_typed(&rest, &parts[n]))
            return false;
    for (size_t i = n; i-- > 0;)
        well = put_typed(&parts[i], old, to) && well;
    der_end(to, begun, DER_SEQUENCE);
    return n > 0 && well && !to->bad && to->n - begun <= DNAME_MOST;
}

bool dname_persona(struct bytes address, struct buffer *to)
{
    struct typed parts[] = {
        { OID_COUNTRY, BYTES("US") },
        { attributes[6].type, BYTES("RSA Data Security, Inc.") },
        { attributes[7].type, BYTES("Persona Certificate") },
        { OID_COMMON_NAME, address },
    };
    size_t begun = der_begin(to);
    bool well = address.n > 0;

    for (size_t i = 0; i < COUNT(parts); i++)
        well = put_typed(&parts[i], true, to) && well;
    der_end(to, begun, DER_SEQUENCE);
    return well && !to->bad;
}

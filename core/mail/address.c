/* SPDX-License-Identifier: ISC
 *
 * mail/address.c: RFC 5321, 4.1.2, as RFC 6531, 3.3, widens it; one function a production.
 *
 *   Path           = "<" [ A-d-l ":" ] Mailbox ">"
 *   A-d-l          = At-domain *( "," At-domain )
 *   At-domain      = "@" Domain
 *   Mailbox        = Local-part "@" ( Domain / address-literal )
 *   Local-part     = Dot-string / Quoted-string
 *   Dot-string     = Atom *("."  Atom)
 *   Atom           = 1*atext                                ; atext =/ UTF8-non-ascii
 *   Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
 *   QcontentSMTP   = qtextSMTP / quoted-pairSMTP
 *   quoted-pairSMTP = %d92 %d32-126
 *   qtextSMTP      = %d32-33 / %d35-91 / %d93-126           ; =/ UTF8-non-ascii
 *   Domain         = sub-domain *("." sub-domain)           ; no dot at the end
 *   sub-domain     = Let-dig [Ldh-str]                      ; =/ U-label
 *
 * Nothing here is taken off or added: no comments, no white space, no obsolete syntax of headers.
 */
#include "mail/address.h"

#include "base/limits.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "mail/domain.h"
#include "mail/literal.h"

#include <utf8proc.h>

const char ADDRESS_EMPTY_LOCAL[] = "a local part that is not empty";

struct parser {
    struct reader in;
    bool allow_utf8, saw_utf8;
    const char *expected;       /* set by the production that failed */
};

static bool expect(struct parser *parser, const char *what)
{
    if (parser->expected == NULL)
        parser->expected = what;
    return false;
}

static bool is_atext(char c)
{
    static const struct bytes marks = BYTES_INIT("!#$%&'*+-/=?^_`{|}~");

    return is_alnum(c) || bytes_find(marks, c) < marks.n;
}

static bool is_qtext(char c) { return c >= 32 && c <= 126 && c != '"' && c != '\\'; }

/* Controls, spaces, and what makes a text look like another: marks of direction, line separators,
   invisible formatting, private use, noncharacters; and a combining mark with nothing to combine
   with. The joiners U+200C and U+200D are letters' business in several scripts and stay. */
static bool is_refused(uint32_t point, bool first)
{
    if (point == 0x200C || point == 0x200D)
        return first;
    if (utf8_is_unsafe(point) || (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF))
        return true;
    utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)point);
    if (kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_MC
        || kind == UTF8PROC_CATEGORY_ME)
        return first;
    return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_CF
        || kind == UTF8PROC_CATEGORY_CO;
}

/* UTF8-non-ascii, one character, the first of its string or not; only called when the next octet
   is above 127. */
static bool take_utf8(struct parser *parser, bool first)
{
    uint32_t point;
    size_t n = utf8_take(reader_left(&parser->in), &point);

    if (!parser->allow_utf8)
        return expect(parser, "ASCII, since SMTPUTF8 was not asked for");
    if (n == 0)
        return expect(parser, "valid UTF-8");
    if (is_refused(point, first))
        return expect(parser, "a visible character");
    parser->in.at += n;
    parser->saw_utf8 = true;
    return true;
}

static bool take_atom(struct parser *parser)
{
    size_t from = parser->in.at;

    for (int c; (c = peek_octet(&parser->in)) >= 0;) {
        if (c > 127) {
            if (!take_utf8(parser, parser->in.at == from))
                return false;
        } else if (is_atext((char)c)) {
            parser->in.at++;
        } else {
            break;
        }
    }
    return parser->in.at > from || expect(parser, "a local part");
}

static bool take_dot_string(struct parser *parser)
{
    if (!take_atom(parser))
        return false;
    while (take_char(&parser->in, '.')) {
        if (!take_atom(parser))
            return expect(parser, "an atom after the dot");
    }
    return true;
}

static bool take_quoted_pair(struct parser *parser)
{
    parser->in.at++;
    int c = peek_octet(&parser->in);
    if (c < 32 || c > 126)
        return expect(parser, "a printable character after the backslash");
    parser->in.at++;
    return true;
}

static bool take_quoted_string(struct parser *parser)
{
    size_t from = ++parser->in.at;

    for (int c; (c = peek_octet(&parser->in)) != '"';) {
        if (c < 0)
            return expect(parser, "a closing quote");
        if (c == '\\') {
            if (!take_quoted_pair(parser))
                return false;
        } else if (c > 127) {
            if (!take_utf8(parser, parser->in.at == from))
                return false;
        } else if (is_qtext((char)c)) {
            parser->in.at++;
        } else {
            return expect(parser, "a printable character");
        }
    }
    if (parser->in.at == from)
        return expect(parser, ADDRESS_EMPTY_LOCAL);
    parser->in.at++;
    return true;
}

static bool take_local_part(struct parser *parser, struct address *address)
{
    size_t from = parser->in.at;

    address->quoted = peek_octet(&parser->in) == '"';
    if (!(address->quoted ? take_quoted_string(parser) : take_dot_string(parser)))
        return false;
    size_t n = parser->in.at - from;
    if (n > LIMIT_LOCAL_PART)
        return expect(parser, "a local part of at most 64 octets");
    address->local = (struct bytes){ parser->in.all.at + from, n };
    return true;
}

/* Let-dig [Ldh-str], or the octets of a U-label, which libidn2 judges afterwards with the whole
   name. */
static bool take_sub_domain(struct parser *parser)
{
    size_t from = parser->in.at;
    bool ascii = true;

    for (int c; (c = peek_octet(&parser->in)) >= 0;) {
        if (c > 127) {
            ascii = false;
            if (!take_utf8(parser, parser->in.at == from))
                return false;
        } else if (is_alnum((char)c) || (c == '-' && parser->in.at > from)) {
            parser->in.at++;
        } else {
            break;
        }
    }
    size_t n = parser->in.at - from;
    if (n == 0 || parser->in.all.at[parser->in.at - 1] == '-')
        return expect(parser, "a letter or digit of a domain name");
    return !ascii || n <= LIMIT_LABEL || expect(parser, "a label of at most 63 octets");
}

/* What the grammar cannot say of a name with U-labels: it must have an A-label form that fits. */
static bool has_a_labels(struct bytes domain)
{
    char room[LIMIT_DOMAIN];    /* on the stack: want of memory must not look like a bad name */
    struct buffer ascii = { .at = room, .room = sizeof(room), .most = sizeof(room) };

    return domain_to_ascii(domain, &ascii) && !ascii.bad;
}

static bool take_domain(struct parser *parser, struct bytes *ret_domain)
{
    size_t from = parser->in.at;
    bool before = parser->saw_utf8;

    parser->saw_utf8 = false;
    do {
        if (!take_sub_domain(parser))
            return false;
    } while (take_char(&parser->in, '.'));
    struct bytes domain = { parser->in.all.at + from, parser->in.at - from };
    if (parser->saw_utf8 ? !has_a_labels(domain) : domain.n > LIMIT_DOMAIN)
        return expect(parser, "a domain name that DNS can carry");
    parser->saw_utf8 = parser->saw_utf8 || before;
    *ret_domain = domain;
    return true;
}

static bool take_address_literal(struct parser *parser, struct bytes *ret_domain)
{
    struct bytes left = reader_left(&parser->in);
    struct bytes text = bytes_first(left, bytes_find(left, ']') + 1);
    struct literal literal;

    /* A General-address-literal's tag must be registered, and none is (4.1.3; IANA, "Address
       Literal Tags"): the form is known, nothing can be sent there. */
    if (text.n > LIMIT_DOMAIN || !literal_parse(text, &literal) || literal.kind == LITERAL_GENERAL)
        return expect(parser, "an address literal such as [192.0.2.1] or [IPv6:2001:db8::1]");
    parser->in.at += text.n;
    *ret_domain = text;
    return true;
}

static bool take_mailbox(struct parser *parser, struct address *address)
{
    size_t from = parser->in.at;

    if (!take_local_part(parser, address))
        return false;
    if (!take_char(&parser->in, '@'))
        return expect(parser, "\"@\" and a domain");
    address->literal = peek_octet(&parser->in) == '[';
    if (!(address->literal ? take_address_literal(parser, &address->domain)
                           : take_domain(parser, &address->domain)))
        return false;
    address->utf8 = parser->saw_utf8;
    address->whole = (struct bytes){ parser->in.all.at + from, parser->in.at - from };
    return address->whole.n <= LIMIT_ADDRESS || expect(parser, "an address of at most 254 octets");
}

static bool give_flaw(const struct parser *parser, struct flaw *reterr_flaw)
{
    if (reterr_flaw != NULL)
        *reterr_flaw = (struct flaw){ parser->in.at, parser->expected };
    return false;
}

bool address_parse(struct bytes text, bool allow_utf8, struct address *ret_address,
                   struct flaw *reterr_flaw)
{
    struct parser parser = { .in = reader_of(text), .allow_utf8 = allow_utf8 };
    struct address address = { 0 };

    if (!take_mailbox(&parser, &address)
        || (!reader_empty(&parser.in) && !expect(&parser, "the end of the address")))
        return give_flaw(&parser, reterr_flaw);
    *ret_address = address;
    return true;
}

/* The source route is of no use to anybody since RFC 5321, 3.3: read, checked and forgotten. */
static bool take_source_route(struct parser *parser)
{
    struct bytes dropped;

    if (peek_octet(&parser->in) != '@')
        return true;
    do {
        if (!take_char(&parser->in, '@') || !take_domain(parser, &dropped))
            return expect(parser, "a domain of the source route");
    } while (take_char(&parser->in, ','));
    parser->saw_utf8 = false;
    return take_char(&parser->in, ':') || expect(parser, "\":\" after the source route");
}

/* "<Postmaster>" of RCPT, the one path without a domain (RFC 5321, 4.1.1.3). */
static bool take_postmaster(struct parser *parser, struct address *address)
{
    struct bytes name = bytes_first(reader_left(&parser->in), BYTES("postmaster").n);
    struct bytes end = bytes_first(bytes_skip(reader_left(&parser->in), name.n), 1);

    if (!bytes_equal_nocase(name, BYTES("postmaster")) || !bytes_equal(end, BYTES(">")))
        return false;
    parser->in.at += name.n;
    *address = (struct address){ .whole = name, .local = name, .domain = BYTES_NONE };
    return true;
}

static bool take_path(struct parser *parser, struct address *address)
{
    if (!take_char(&parser->in, '<'))
        return expect(parser, "\"<\"");
    if (peek_octet(&parser->in) != '>' && !take_postmaster(parser, address)
        && (!take_source_route(parser) || !take_mailbox(parser, address)))
        return false;
    if (!take_char(&parser->in, '>'))
        return expect(parser, "\">\"");
    return parser->in.at <= LIMIT_PATH || expect(parser, "a path of at most 1024 octets");
}

bool address_parse_path(struct bytes text, bool allow_utf8, struct address *ret_address,
                        size_t *ret_used, struct flaw *reterr_flaw)
{
    struct parser parser = { .in = reader_of(text), .allow_utf8 = allow_utf8 };
    struct address address = { .whole = BYTES_NONE, .local = BYTES_NONE, .domain = BYTES_NONE };

    if (!take_path(&parser, &address))
        return give_flaw(&parser, reterr_flaw);
    *ret_address = address;
    *ret_used = parser.in.at;
    return true;
}

enum { LOCAL_MOST = LIMIT_PATH };

/* The characters a local part stands for: quotes off, backslashes off. */
static struct bytes unquoted(struct address address, char ret_plain[static LOCAL_MOST])
{
    struct bytes local = bytes_first(address.local, LOCAL_MOST);
    size_t n = 0;

    if (!address.quoted || local.n < 2)
        return local;
    for (size_t i = 1; i < local.n - 1; i++) {
        if (local.at[i] == '\\' && i + 1 < local.n - 1)
            i++;
        ret_plain[n++] = local.at[i];
    }
    return (struct bytes){ ret_plain, n };
}

/* In Unicode's normal form C (RFC 6530, 10.1: the same name can be typed in two ways). A text that
   has none, or is too long for one, stays as it is. */
static struct bytes composed(struct bytes text, utf8proc_int32_t *points, size_t room)
{
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)text.at,
        (utf8proc_ssize_t)text.n, points, (utf8proc_ssize_t)room - 1, how);

    if (n < 0 || (size_t)n >= room)
        return text;
    n = utf8proc_reencode(points, n, how);
    return n < 0 ? text : (struct bytes){ (const char *)points, (size_t)n };
}

static bool is_dot_string(struct bytes plain)
{
    struct bytes atom;

    if (plain.n == 0 || plain.at[plain.n - 1] == '.')
        return false;
    while (bytes_cut(&plain, '.', &atom)) {
        for (size_t i = 0; i < atom.n; i++) {
            if (octet(atom.at[i]) < 128 && !is_atext(atom.at[i]))
                return false;
        }
        if (atom.n == 0)
            return false;
    }
    return true;
}

static void put_quoted(struct buffer *to, struct bytes plain)
{
    buffer_put_char(to, '"');
    for (size_t i = 0; i < plain.n; i++) {
        if (plain.at[i] == '"' || plain.at[i] == '\\')
            buffer_put_char(to, '\\');
        buffer_put_char(to, plain.at[i]);
    }
    buffer_put_char(to, '"');
}

static void put_normal_local(struct buffer *to, struct address address)
{
    char plain[LOCAL_MOST];
    utf8proc_int32_t points[LOCAL_MOST];
    struct bytes local = unquoted(address, plain);

    if (address.utf8)
        local = composed(local, points, COUNT(points));
    if (bytes_equal_nocase(local, BYTES("postmaster")))
        buffer_put(to, BYTES("postmaster"));
    else if (is_dot_string(local))
        buffer_put(to, local);
    else
        put_quoted(to, local);
}

void address_put_normal(struct buffer *to, struct address address)
{
    if (address_is_null(address))
        return;
    put_normal_local(to, address);
    if (address.domain.n == 0)
        return;
    buffer_put_char(to, '@');
    if (address.literal)
        literal_put_normal(to, address.domain);
    else
        domain_put_normal(address.domain, to);
}

bool address_equal(struct address a, struct address b)
{
    if (bytes_equal(a.whole, b.whole))
        return true;
    struct buffer one = buffer_with_most(ADDRESS_NORMAL_MOST);
    struct buffer other = buffer_with_most(ADDRESS_NORMAL_MOST);
    address_put_normal(&one, a);
    address_put_normal(&other, b);
    bool equal = !one.bad && !other.bad && bytes_equal(buffer_bytes(&one), buffer_bytes(&other));
    buffer_done(&one);
    buffer_done(&other);
    return equal;
}

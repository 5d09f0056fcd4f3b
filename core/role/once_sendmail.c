/* SPDX-License-Identifier: ISC */
#include "role/once_sendmail.h"

#include "mail/address.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/list.h"
#include "mail/xtext.h"

enum { TEXT_MOST = 1 << 30 };

/* ---- addresses */

static bool put_address(struct buffer *to, struct bytes address, struct bytes domain)
{
    struct buffer whole = buffer_with_most(LIMIT_PATH);
    struct address parsed;

    buffer_put(&whole, address);
    if (bytes_find_last(address, '@') == address.n) {
        buffer_put_char(&whole, '@');
        buffer_put(&whole, domain);
    }
    bool well = address.n > 0 && !whole.bad
        && address_parse(buffer_bytes(&whole), true, &parsed, NULL);
    if (well)
        buffer_put(to, buffer_bytes(&whole));
    buffer_done(&whole);
    return well;
}

/* A name of this machine's stands alone: "root". */
static struct bytes address_of(const struct list_item *item)
{
    return item->address.n == 0 ? item->name : item->address;
}

bool sendmail_address(struct buffer *to, struct bytes text, struct bytes domain)
{
    struct list_reader list = list_of(text);
    struct list_item item;
    bool well = list_next(&list, &item) && !item.group_itself
        && put_address(to, address_of(&item), domain);

    well = well && !list_next(&list, &item) && list.flaws == 0;
    list_done(&list);
    return well;
}

static bool take_list(struct sendmail_made *made, struct bytes body, struct bytes domain,
                      unsigned *n)
{
    struct list_reader list = list_of(body);
    struct list_item item;
    bool well = true;

    while (well && list_next(&list, &item)) {
        struct buffer address = buffer_with_most(LIMIT_PATH);
        if (!item.group_itself && put_address(&address, address_of(&item), domain)) {
            buffer_put_block(&made->to, buffer_bytes(&address));
            well = ++*n <= SENDMAIL_RECIPIENTS;
        }
        buffer_done(&address);
    }
    list_done(&list);
    return well;
}

/* ---- the header */

enum { HAS_DATE = 1, HAS_FROM = 2, HAS_ID = 4, HAS_RESENT = 8 };

static bool is_named(const struct header_field *field, const char *name)
{
    return bytes_equal_nocase(field->name, bytes_of(name));
}

static unsigned look_at(const struct header_field *field)
{
    return is_named(field, "Date") ? HAS_DATE : is_named(field, "From") ? HAS_FROM
         : is_named(field, "Message-ID") ? HAS_ID
         : is_named(field, "Resent-To") || is_named(field, "Resent-Cc")
           || is_named(field, "Resent-Bcc") ? HAS_RESENT : 0;
}

/* Which fields there are; *ret_body_at: where the body begins. */
static unsigned look(struct bytes raw, uint64_t *ret_body_at)
{
    struct header_reader reader = header_reader_for(NULL);
    struct header_field field;
    unsigned has = 0;

    while (header_next(&reader, &raw, &field) == HEADER_FIELD)
        has |= look_at(&field);
    while (!reader.ended && header_finish(&reader, &field) == HEADER_FIELD)
        has |= look_at(&field);
    *ret_body_at = reader.body_at;
    header_reader_done(&reader);
    return has;
}

static bool names_recipients(const struct header_field *field, bool resent)
{
    return resent ? is_named(field, "Resent-To") || is_named(field, "Resent-Cc")
                    || is_named(field, "Resent-Bcc")
                  : is_named(field, "To") || is_named(field, "Cc") || is_named(field, "Bcc");
}

/* Lines with CRLF ends. A last one without an end gets one. */
static void put_lines(struct buffer *to, struct bytes text)
{
    struct bytes line;

    while (bytes_cut(&text, '\n', &line)) {
        if (bytes_ends(line, BYTES("\r")))
            line.n--;
        buffer_put(to, line);
        buffer_put(to, BYTES("\r\n"));
    }
}

static void put_missing(const struct sendmail_letter *letter, unsigned has, struct buffer *to)
{
    if ((has & HAS_FROM) == 0) {
        buffer_put(to, BYTES("From: "));
        if (letter->name.n > 0) {
            buffer_put_char(to, '"');
            for (size_t i = 0; i < letter->name.n; i++) {
                char c = letter->name.at[i];
                if (c == '"' || c == '\\')
                    buffer_put_char(to, '\\');
                if (octet(c) >= ' ' && c != 0x7F)
                    buffer_put_char(to, c);
            }
            buffer_put(to, BYTES("\" "));
        }
        buffer_put_char(to, '<');
        buffer_put(to, letter->sender);
        if (letter->sender.n == 0) {
            buffer_put(to, BYTES("MAILER-DAEMON@"));
            buffer_put(to, letter->domain);
        }
        buffer_put(to, BYTES(">\r\n"));
    }
    if ((has & HAS_DATE) == 0) {
        buffer_put(to, BYTES("Date: "));
        date_put(to, letter->now_ms);
        buffer_put(to, BYTES("\r\n"));
    }
    if ((has & HAS_ID) == 0) {
        buffer_put(to, BYTES("Message-ID: <"));
        buffer_put_uint(to, letter->now_ms);
        buffer_put_char(to, '.');
        buffer_put_uint(to, letter->chance);
        buffer_put_char(to, '@');
        buffer_put(to, letter->domain);
        buffer_put(to, BYTES(">\r\n"));
    }
}

/* One field: its recipients are taken, and it is kept, unless it is a Bcc under -t. */
static bool take_field(const struct sendmail_letter *letter, const struct header_field *field,
                       bool resent, struct sendmail_made *made, unsigned *n)
{
    bool takes = letter->from_header && names_recipients(field, resent);
    bool hidden = is_named(field, "Bcc") || is_named(field, "Resent-Bcc");

    if (takes && !take_list(made, field->body, letter->domain, n))
        return false;
    if (!(letter->from_header && hidden))
        put_lines(&made->text, bytes_first(bytes_skip(letter->raw, field->at),
                                           field->end - field->at));
    return true;
}

static bool take_fields(const struct sendmail_letter *letter, bool resent,
                        struct sendmail_made *made)
{
    struct header_reader reader = header_reader_for(NULL);
    struct bytes raw = letter->raw;
    struct header_field field;
    bool well = true;
    unsigned n = 0;

    while (well && header_next(&reader, &raw, &field) == HEADER_FIELD)
        well = take_field(letter, &field, resent, made, &n);
    while (well && !reader.ended && header_finish(&reader, &field) == HEADER_FIELD)
        well = take_field(letter, &field, resent, made, &n);
    well = well && !reader.held.bad;
    header_reader_done(&reader);
    return well;
}

static bool has_eight_bit(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (octet(text.at[i]) >= 0x80)
            return true;
    return false;
}

bool sendmail_make(const struct sendmail_letter *letter, struct sendmail_made *ret_made)
{
    struct sendmail_made *made = ret_made;
    uint64_t body_at;
    unsigned has = look(letter->raw, &body_at);

    *made = (struct sendmail_made){ .to = buffer_with_most(SENDMAIL_LIST_MOST),
                                    .text = buffer_with_most(TEXT_MOST) };
    put_missing(letter, has, &made->text);
    if (!take_fields(letter, (has & HAS_RESENT) != 0, made))
        return false;
    made->utf8 = has_eight_bit(buffer_bytes(&made->text))
              || has_eight_bit(buffer_bytes(&made->to)) || has_eight_bit(letter->sender);
    buffer_put(&made->text, BYTES("\r\n"));
    put_lines(&made->text, bytes_skip(letter->raw, body_at));
    made->eight_bit = has_eight_bit(buffer_bytes(&made->text));
    return !made->to.bad && !made->text.bad;
}

void sendmail_made_done(struct sendmail_made *made)
{
    buffer_done(&made->to);
    buffer_done(&made->text);
}

void sendmail_envid_put(struct buffer *to, struct bytes envid)
{
    xtext_put(to, envid);
}

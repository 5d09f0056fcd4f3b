/* SPDX-License-Identifier: ISC
 *
 * Header fields with UTF-8, made ASCII: what people read becomes encoded words (RFC 2047), domains
 * become A-labels, parameters are coded as RFC 2231 has it. A mailbox whose local part is not ASCII
 * has no ASCII form: it becomes an empty group that names it (RFC 6857, 3.1.8). Any other
 * structured field goes into a "Downgraded-" one (3.1.10).
 */
#include "mail/convert_int.h"

#include "base/reader.h"
#include "base/utf8.h"
#include "mail/domain.h"
#include "mail/header.h"
#include "mail/lex.h"
#include "mail/list.h"
#include "mail/words.h"

enum { FIELD_MOST = 1024 * 1024, FOLD_AT = 70 };

static bool is_one_of(struct bytes name, const struct bytes *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_equal_nocase(name, names[i]))
            return true;
    return false;
}

static void begin_field(struct buffer *to, struct bytes name)
{
    buffer_put(to, name);
    buffer_put(to, BYTES(": "));
}

/* ---- text */

static void put_text(struct buffer *to, struct bytes name, struct bytes text)
{
    begin_field(to, name);
    convert_put_words(to, text, name.n + 2);
    buffer_put(to, BYTES("\r\n"));
}

/* ---- mailboxes */

/* What stands behind a comma goes on, or begins another line. */
static void put_comma(struct buffer *to, size_t line_at, bool first)
{
    if (first)
        return;
    buffer_put_text(to, to->n - line_at > FOLD_AT ? ",\r\n " : ", ");
}

static void put_quoted(struct buffer *to, struct bytes text)
{
    buffer_put_char(to, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            buffer_put_char(to, '\\');
        if (text.at[i] != '\r' && text.at[i] != '\n')
            buffer_put_char(to, text.at[i]);
    }
    buffer_put_char(to, '"');
}

static void put_name(struct buffer *to, struct bytes name)
{
    if (convert_is_ascii(name) && bytes_search(name, BYTES("=?")) == name.n)
        put_quoted(to, name);
    else if (convert_is_ascii(name))
        buffer_put(to, name);               /* encoded words, as they are */
    else
        convert_put_words(to, name, 1);
}

/* False: it has no ASCII form. */
static bool put_address(struct buffer *to, struct bytes text)
{
    size_t at = bytes_find_last(text, '@');
    struct bytes local = bytes_first(text, at), domain = bytes_skip(text, at + 1);
    struct buffer ascii = buffer_with_most(1024);
    bool well = at < text.n && convert_is_ascii(local);

    if (well && !convert_is_ascii(domain))
        well = domain_to_ascii(domain, &ascii);
    else if (well)
        buffer_put(&ascii, domain);
    if (well) {
        buffer_put_char(to, '<');
        buffer_put(to, local);
        buffer_put_char(to, '@');
        buffer_put(to, buffer_bytes(&ascii));
        buffer_put_char(to, '>');
        to->bad |= ascii.bad;
    }
    buffer_done(&ascii);
    return well;
}

/* "Name local@domain:;" with the first part in encoded words: shown, and answered to nobody. */
static void put_removed(struct buffer *to, const struct list_item *item)
{
    struct buffer text = buffer_with_most(FIELD_MOST);

    if (item->name.n > 0) {
        words_put(&text, item->name);
        buffer_put_char(&text, ' ');
    }
    buffer_put(&text, item->address);
    convert_put_words(to, buffer_bytes(&text), 1);
    buffer_put(to, BYTES(" :;"));
    to->bad |= text.bad;
    buffer_done(&text);
}

static void put_item(struct buffer *to, const struct list_item *item)
{
    size_t before = to->n;

    if (item->group_itself) {
        put_name(to, item->group.n > 0 ? item->group : item->name);
        buffer_put(to, BYTES(":;"));
        return;
    }
    if (item->name.n > 0) {
        put_name(to, item->name);
        buffer_put_char(to, ' ');
    }
    if (put_address(to, item->address))
        return;
    to->n = before;
    put_removed(to, item);
}

/* Groups are taken apart: their mailboxes stand alone. */
static void put_mailboxes(struct buffer *to, struct bytes name, struct bytes body)
{
    struct list_reader list = list_of(body);
    struct list_item item;
    size_t line_at = to->n;
    bool first = true;

    begin_field(to, name);
    while (list_next(&list, &item)) {
        put_comma(to, line_at, first);
        if (bytes_ends(buffer_bytes(to), BYTES("\r\n ")))
            line_at = to->n - 1;
        put_item(to, &item);
        first = false;
    }
    buffer_put(to, BYTES("\r\n"));
    list_done(&list);
}

/* ---- parameters (RFC 2231) */

static void put_percent(struct buffer *to, struct bytes value)
{
    static const char digits[] = "0123456789ABCDEF";

    buffer_put_text(to, utf8_valid(value) ? "utf-8''" : "unknown-8bit''");
    for (size_t i = 0; i < value.n; i++) {
        char c = value.at[i];
        if (is_alnum(c) || c == '-' || c == '.' || c == '_') {
            buffer_put_char(to, c);
        } else {
            buffer_put_char(to, '%');
            buffer_put_char(to, digits[octet(c) >> 4]);
            buffer_put_char(to, digits[octet(c) & 15]);
        }
    }
}

/* One parameter as written, without the ";": NAME "=" value. */
static void put_parameter(struct buffer *to, struct bytes text)
{
    struct bytes name = bytes_trim(bytes_upto(text, '='));
    struct bytes written = bytes_trim(bytes_skip(text, bytes_find(text, '=') + 1));
    struct buffer value = buffer_with_most(FIELD_MOST);
    struct reader in = reader_of(written);

    if (convert_is_ascii(text)) {
        header_unfold(to, text);
    } else if (!convert_is_ascii(name)) {
        ;                                   /* nobody could read it before either */
    } else {
        if (bytes_begins(written, BYTES("\"")))
            (void)take_quoted(&in, &value);
        else
            buffer_put(&value, written);
        buffer_put(to, name);
        buffer_put_text(to, bytes_ends(name, BYTES("*")) ? "=" : "*=");
        put_percent(to, buffer_bytes(&value));
    }
    to->bad |= value.bad;
    buffer_done(&value);
}

/* Up to the next ";" that stands in no quotes. */
static bool cut_parameter(struct bytes *rest, struct bytes *ret_text)
{
    bool quoted = false;
    size_t i = 0;

    if (rest->n == 0)
        return false;
    for (; i < rest->n && (quoted || rest->at[i] != ';'); i++) {
        if (rest->at[i] == '\\' && quoted && i + 1 < rest->n)
            i++;
        else if (rest->at[i] == '"')
            quoted = !quoted;
    }
    *ret_text = bytes_first(*rest, i);
    *rest = bytes_skip(*rest, i + 1);
    return true;
}

static void put_content(struct buffer *to, struct bytes name, struct bytes body)
{
    struct bytes rest = body, text;
    bool first = true;

    begin_field(to, name);
    while (cut_parameter(&rest, &text)) {
        if (bytes_trim(text).n == 0)
            continue;
        if (!first)
            buffer_put(to, BYTES(";\r\n "));
        if (first && convert_is_ascii(text))
            header_unfold(to, text);
        else if (!first)
            put_parameter(to, text);
        first = false;
    }
    buffer_put(to, BYTES("\r\n"));
}

/* ---- which is which */

static const struct bytes mailboxes[] = {
    BYTES_INIT("From"), BYTES_INIT("Sender"), BYTES_INIT("Reply-To"), BYTES_INIT("To"),
    BYTES_INIT("Cc"), BYTES_INIT("Bcc"), BYTES_INIT("Resent-From"), BYTES_INIT("Resent-Sender"),
    BYTES_INIT("Resent-To"), BYTES_INIT("Resent-Cc"), BYTES_INIT("Resent-Bcc"),
    BYTES_INIT("Disposition-Notification-To"), BYTES_INIT("Mail-Followup-To"),
};
static const struct bytes contents[] = {
    BYTES_INIT("Content-Type"), BYTES_INIT("Content-Disposition"),
};
/* Others' programs read them by a grammar of their own. */
static const struct bytes structured[] = {
    BYTES_INIT("Message-ID"), BYTES_INIT("In-Reply-To"), BYTES_INIT("References"),
    BYTES_INIT("Resent-Message-ID"), BYTES_INIT("Received"), BYTES_INIT("Return-Path"),
    BYTES_INIT("Delivered-To"), BYTES_INIT("Original-Recipient"), BYTES_INIT("Content-ID"),
    BYTES_INIT("List-Id"), BYTES_INIT("List-Post"), BYTES_INIT("List-Unsubscribe"),
    BYTES_INIT("Authentication-Results"), BYTES_INIT("Date"), BYTES_INIT("MIME-Version"),
};

static void put_downgraded(struct buffer *to, struct bytes name, struct bytes text)
{
    struct buffer longer = buffer_with_most(1200);

    buffer_put(&longer, BYTES("Downgraded-"));
    buffer_put(&longer, name);
    put_text(to, buffer_bytes(&longer), text);
    to->bad |= longer.bad;
    buffer_done(&longer);
}

void convert_field(struct buffer *to, struct bytes name, struct bytes body)
{
    struct buffer text = buffer_with_most(FIELD_MOST);

    header_unfold(&text, body);
    if (text.bad)
        to->bad = true;
    else if (is_one_of(name, mailboxes, COUNT(mailboxes)))
        put_mailboxes(to, name, body);
    else if (is_one_of(name, contents, COUNT(contents)))
        put_content(to, name, body);
    else if (is_one_of(name, structured, COUNT(structured)))
        put_downgraded(to, name, buffer_bytes(&text));
    else
        put_text(to, name, buffer_bytes(&text));
    buffer_done(&text);
}

/* SPDX-License-Identifier: ISC */
#include "bounce/read_int.h"

#include "base/base64.h"
#include "base/charset.h"
#include "base/qp.h"
#include "base/utf8.h"
#include "mail/words.h"

#include <string.h>

/* Of one part's text that is decoded. */
enum { DECODED_MOST = READ_NOTICE_MOST };

/* A buffer's text, moved into the arena. */
static struct bytes settled(struct bounce_reader *reader, struct buffer *buffer)
{
    struct bytes text = arena_copy(&reader->arena, buffer_bytes(buffer));

    buffer_done(buffer);
    return text.at == NULL ? BYTES_NONE : text;
}

static struct bytes uncoded(struct bounce_reader *reader, struct bytes body, struct bytes coding)
{
    struct buffer to = buffer_with_most(2 * DECODED_MOST);

    coding = bytes_trim(coding);
    if (bytes_begins_nocase(coding, BYTES("base64"))) {
        struct base64_decoder decoder = { 0 };
        base64_decode(&decoder, bytes_first(body, DECODED_MOST), &to);
        base64_decode_end(&decoder, &to);
        return settled(reader, &to);
    }
    if (bytes_begins_nocase(coding, BYTES("quoted-printable"))) {
        struct qp_decoder decoder = { 0 };
        qp_decode(&decoder, bytes_first(body, DECODED_MOST), &to);
        qp_decode_end(&decoder, &to);
        return settled(reader, &to);
    }
    return body;
}

static bool has_8bit(struct bytes text)
{
    return utf8_ascii(text) < text.n;
}

static bool has_escape(struct bytes text)
{
    const char *at = text.n == 0 ? NULL : memchr(text.at, 0x1b, text.n);

    return at != NULL && (size_t)(at - text.at) + 2 < text.n && (at[1] == '$' || at[1] == '(');
}

/* What a text is in that says it is in something else, or says nothing. */
static const struct charset *guessed(struct bytes text, struct bytes name)
{
    bool plain = !has_8bit(text);

    if (has_escape(text))
        return charset_find(BYTES("iso-2022-jp"));
    if (plain && !has_word(bytes_first(name, 40), BYTES("utf-7")))
        return NULL;
    if (!plain && utf8_valid(text))
        return NULL;
    const struct charset *charset = charset_find(name);
    if (plain)
        return charset;
    if (charset == NULL || !charset_is_8bit(charset))
        return charset_guess(text);
    return charset;
}

static struct bytes recoded(struct bounce_reader *reader, struct bytes text, struct bytes name)
{
    text = bytes_first(text, DECODED_MOST);
    const struct charset *charset = guessed(text, name);
    struct buffer to = buffer_with_most(4 * DECODED_MOST);

    if (charset == NULL)
        return text;
    charset_put_text(&to, charset, text);
    return settled(reader, &to);
}

static bool tag_breaks(struct bytes tag)
{
    static const char *const names[] = { "br", "p", "/p", "div", "/div", "tr", "/tr", "li", "h",
                                         "/h", "table", "td", "hr", "pre", "/pre", "ul" };

    for (size_t i = 0; i < COUNT(names); i++) {
        size_t n = strlen(names[i]);
        if (bytes_begins_nocase(tag, bytes_of(names[i]))
            && (tag.n == n || !is_alpha(tag.at[n]) || n == 1))
            return true;
    }
    return false;
}

static size_t entity_put(struct buffer *to, struct bytes text)
{
    static const struct { const char *name, *text; } entities[] = {
        { "&lt;", "<" }, { "&gt;", ">" }, { "&amp;", "&" }, { "&quot;", "\"" }, { "&nbsp;", " " },
        { "&#39;", "'" }, { "&apos;", "'" }, { "&#64;", "@" }, { "&#x40;", "@" }, { "&#60;", "<" },
        { "&#62;", ">" }, { "&#160;", " " }, { "&#43;", "+" }, { "&#46;", "." }, { "&#58;", ":" },
        { "&#34;", "\"" }, { "&#45;", "-" }, { "&#95;", "_" }, { "&#61;", "=" },
    };

    for (size_t i = 0; i < COUNT(entities); i++) {
        if (bytes_begins_nocase(text, bytes_of(entities[i].name))) {
            buffer_put_text(to, entities[i].text);
            return strlen(entities[i].name);
        }
    }
    buffer_put_char(to, '&');
    return 1;
}

/* Behind what `to` holds; what a style or a script holds is left out. */
static struct bytes without_tags(struct bounce_reader *reader, struct bytes text)
{
    struct buffer to = buffer_with_most(4 * DECODED_MOST);
    bool hidden = false;

    for (size_t i = 0; i < text.n;) {
        if (text.at[i] == '<') {
            size_t n = bytes_find(bytes_skip(text, i), '>');
            struct bytes tag = bytes_first(bytes_skip(text, i + 1), n == 0 ? 0 : n - 1);
            if (bytes_find(tag, '@') < tag.n && bytes_find(tag, ' ') == tag.n
                && bytes_find(tag, '=') == tag.n) {
                buffer_put(&to, bytes_first(bytes_skip(text, i), n + 1));   /* <a@b>, no tag */
            } else if (bytes_begins_nocase(tag, BYTES("style"))
                       || bytes_begins_nocase(tag, BYTES("script"))) {
                hidden = true;
            } else if (bytes_begins_nocase(tag, BYTES("/style"))
                       || bytes_begins_nocase(tag, BYTES("/script"))) {
                hidden = false;
            } else if (tag_breaks(tag)) {
                buffer_put_char(&to, '\n');
            }
            i += n + 1;
        } else if (hidden) {
            i++;
        } else if (text.at[i] == '&') {
            i += entity_put(&to, bytes_skip(text, i));
        } else {
            buffer_put_char(&to, text.at[i++]);
        }
    }
    return settled(reader, &to);
}

struct bytes part_text(struct bounce_reader *reader, struct bytes body, struct bytes coding,
                       struct bytes charset, bool html)
{
    struct bytes text = recoded(reader, uncoded(reader, body, coding), charset);

    return html ? without_tags(reader, text) : text;
}

struct bytes content_value(struct bounce_reader *reader, struct bytes field, const char *name)
{
    struct bytes value = head_unfold(&reader->arena, field), rest = value, word = bytes_of(name);
    size_t n = word.n;

    for (size_t i = 0; i + n < rest.n; i++) {
        if (to_lower(rest.at[i]) != word.at[0] || !bytes_begins_nocase(bytes_skip(rest, i), word)
            || (i > 0 && is_alnum(rest.at[i - 1])))
            continue;
        struct bytes text = bytes_trim(bytes_skip(rest, i + n));
        if (text.n > 0 && text.at[0] == '*')
            text = bytes_skip(text, bytes_find(text, '='));
        if (text.n == 0 || text.at[0] != '=')
            continue;
        text = bytes_trim(bytes_skip(text, 1));
        if (text.n > 0 && text.at[0] == '"')
            return bytes_upto(bytes_skip(text, 1), '"');
        return bytes_trim(bytes_upto(text, ';'));
    }
    return BYTES_NONE;
}

struct bytes field_text(struct bounce_reader *reader, struct bytes body)
{
    struct bytes text = bytes_first(head_unfold(&reader->arena, body), READ_FIELD_MOST);

    if (bytes_search(text, BYTES("=?")) < text.n) {
        struct buffer to = buffer_with_most(4 * READ_FIELD_MOST);
        words_put(&to, text);
        return settled(reader, &to);
    }
    return has_8bit(text) || has_escape(text) ? recoded(reader, text, BYTES_NONE) : text;
}

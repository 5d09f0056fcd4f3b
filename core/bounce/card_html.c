/* SPDX-License-Identifier: ISC
 *
 * A card as HTML: one article with headings, readable without styles, by screen readers, in light
 * and dark. No script, no outside resource.
 */
#include "base/html.h"
#include "bounce/card_int.h"

const char card_css[] =
    ":root{color-scheme:light dark;--bg:#f5f5f2;--fg:#1d1d1f;--soft:#55565c;--card:#fff;"
    "--line:#d8d8d4;--link:#0b57a4;--address:#9a4a00;--blocked:#a3161f;--undelivered:#a3161f;"
    "--incomplete:#735200;--none:#1a6b35}"
    "@media (prefers-color-scheme:dark){:root{--bg:#161718;--fg:#ececee;--soft:#b0b2b8;"
    "--card:#202224;--line:#3c3f43;--link:#8ab8f5;--address:#f0a860;--blocked:#ff8f8f;"
    "--undelivered:#ff8f8f;--incomplete:#e6c25c;--none:#7fd39a}}"
    "body{margin:0;background:var(--bg);color:var(--fg);"
    "font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "main{max-width:44rem;margin:0 auto;padding:1rem}"
    "a{color:var(--link)}"
    ".card{background:var(--card);border:1px solid var(--line);border-top:.3rem solid var(--mark);"
    "border-radius:.6rem;padding:1rem 1.25rem 1.25rem;margin:0 0 1.25rem;--mark:var(--none)}"
    ".card-address{--mark:var(--address)}.card-blocked{--mark:var(--blocked)}"
    ".card-undelivered{--mark:var(--undelivered)}.card-incomplete{--mark:var(--incomplete)}"
    ".card header{display:flex;gap:.9rem;align-items:center}"
    ".card .icon{flex:none;color:var(--mark)}"
    ".card h2{font-size:1.3rem;line-height:1.3;margin:.2rem 0;overflow-wrap:break-word;"
    "hyphens:auto}"
    ".card h3{font-size:1rem;margin:1.1rem 0 .2rem}"
    ".card p{margin:.3rem 0}"
    ".card dl{margin:.8rem 0;display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem}"
    ".card dt{color:var(--soft)}.card dd{margin:0}"
    ".card ul{margin:.3rem 0;padding:0;list-style:none}"
    ".card li{margin:.5rem 0}.card li strong{display:block}"
    ".card samp{font-family:ui-monospace,monospace;font-size:.9em;white-space:pre-wrap}"
    ".card details{margin-top:1.1rem;border-top:1px solid var(--line);padding-top:.7rem}"
    ".card summary{cursor:pointer;color:var(--soft)}"
    "@media (max-width:30rem){main{padding:.5rem}.card{padding:.8rem}"
    ".card h2{font-size:1.15rem}.card .icon{width:36px;height:36px}"
    ".card dl{grid-template-columns:1fr;gap:0}.card dd{margin:0 0 .5rem}}"
    "@media print{.card{border:1px solid #000}}";

static void put_element(struct buffer *to, const char *open, struct bytes text, const char *close)
{
    buffer_put_text(to, open);
    html_put(to, text);
    buffer_put_text(to, close);
}

/* A stranger's text: cut, and kept from turning what stands around it. */
static void put_foreign(struct buffer *to, const char *open, struct bytes text, const char *close)
{
    bool cut;
    struct bytes shown = card_cut(text, &cut);

    put_element(to, open, shown, cut ? " \xe2\x80\xa6" : "");
    buffer_put_text(to, close);
}

static void put_field(struct buffer *to, const struct lang *lang, enum lang_text label,
                      struct bytes value)
{
    if (value.n == 0)
        return;
    put_element(to, "<dt>", lang_text(lang, label), "</dt>");
    put_foreign(to, "<dd><bdi>", value, "</bdi></dd>\n");
}

static void put_more(struct buffer *to, const struct lang *lang, const char *open, uint64_t more,
                     const char *close)
{
    if (more == 0)
        return;
    buffer_put_text(to, open);
    lang_put_count(to, lang, LANG_MORE_RECIPIENTS, more);
    buffer_put_text(to, close);
}

static void put_recipients(struct buffer *to, const struct bounce_report *report,
                           const struct card_group *group, const struct lang *lang)
{
    uint32_t named = 0;

    for (uint32_t i = group->at; i < report->recipients_n && named < CARD_ADDRESSES_MOST; i++) {
        const struct bounce_recipient *recipient = &report->recipients[i];
        if (!card_is_in(group, recipient))
            continue;
        named++;
        put_field(to, lang, LANG_LABEL_RECIPIENT, recipient->recipient);
        put_field(to, lang, LANG_LABEL_ORIGINAL, recipient->original_recipient);
    }
    put_more(to, lang, "<dt></dt><dd>", group->members - named, "</dd>\n");
    put_field(to, lang, LANG_LABEL_SUBJECT, report->subject);
}

static void put_list(struct buffer *to, const struct buffer *rows)
{
    if (rows->n > 0) {
        buffer_put_text(to, "<dl>\n");
        buffer_put(to, buffer_bytes(rows));
        buffer_put_text(to, "</dl>\n");
    }
    to->bad = to->bad || rows->bad;
}

static void put_title(struct buffer *to, const struct lang *lang, enum lang_text title)
{
    put_element(to, "<h3>", lang_text(lang, title), "</h3>\n");
}

static void put_answers(struct buffer *to, const struct cause *cause,
                        const struct card_style *style)
{
    struct buffer retry = buffer_with_most(LANG_TEXT_MOST);
    struct card_fix fixes[CAUSE_WHOS];
    size_t n = card_fixes(cause, style->lang, fixes);

    put_title(to, style->lang, LANG_WHO_TITLE);
    put_element(to, "<p>", lang_text(style->lang, card_who(cause->who)), "</p>\n");
    put_title(to, style->lang, LANG_FIX_TITLE);
    buffer_put_text(to, "<ul>\n");
    for (size_t i = 0; i < n; i++) {
        put_element(to, "<li><strong>", lang_text(style->lang, card_fix_for(fixes[i].who)),
                    "</strong> ");
        put_element(to, "", fixes[i].text, "</li>\n");
    }
    if (cause->address_bad == CAUSE_YES)
        put_element(to, "<li>", lang_text(style->lang, LANG_BAD_ADDRESS), "</li>\n");
    buffer_put_text(to, "</ul>\n");
    put_title(to, style->lang, LANG_RETRY_TITLE);
    card_put_retry(&retry, cause, style);
    put_element(to, "<p>", buffer_bytes(&retry), "</p>\n");
    to->bad = to->bad || retry.bad;
    buffer_done(&retry);
}

/* A code, as a link to its page when there are pages. */
static void put_code(struct buffer *to, const struct card_style *style, enum lang_text label,
                     const struct buffer *code)
{
    if (code->n == 0)
        return;
    put_element(to, "<dt>", lang_text(style->lang, label), "</dt><dd>");
    if (style->codes != NULL) {
        put_element(to, "<a href=\"", bytes_of(style->codes), "");
        put_element(to, "", buffer_bytes(code), "\">");
    }
    put_element(to, "", buffer_bytes(code), style->codes != NULL ? "</a></dd>\n" : "</dd>\n");
}

static void put_codes(struct buffer *to, const struct bounce_recipient *recipient,
                      const struct card_style *style)
{
    struct buffer text = buffer_with_most(LANG_TEXT_MOST);
    struct bytes reference;

    if (card_status(recipient).class != 0)
        status_put(&text, card_status(recipient));
    put_code(to, style, LANG_LABEL_STATUS, &text);
    buffer_clear(&text);
    if (card_reply_code(recipient) != 0)
        buffer_put_uint(&text, card_reply_code(recipient));
    put_code(to, style, LANG_LABEL_REPLY, &text);
    buffer_clear(&text);
    if (card_put_official(&text, recipient, &reference)) {
        put_element(to, "<dt>", lang_text(style->lang, LANG_LABEL_MEANING), "</dt>");
        put_element(to, "<dd lang=\"en\">", buffer_bytes(&text), reference.n > 0 ? " (" : "");
        put_element(to, "", reference, reference.n > 0 ? ")</dd>\n" : "</dd>\n");
    }
    to->bad = to->bad || text.bad;
    buffer_done(&text);
}

static void put_details(struct buffer *to, const struct bounce_report *report,
                        const struct bounce_recipient *recipient, const struct card_style *style)
{
    struct buffer rows = buffer_with_most(CARD_MOST);

    put_codes(&rows, recipient, style);
    put_field(&rows, style->lang, LANG_LABEL_SERVER, recipient->remote_mta);
    if (recipient->diagnostic.n > 0) {
        put_element(&rows, "<dt>", lang_text(style->lang, LANG_LABEL_SAID), "</dt>");
        put_foreign(&rows, "<dd><samp lang=\"\" dir=\"auto\">", recipient->diagnostic,
                    "</samp></dd>\n");
    }
    put_field(&rows, style->lang, LANG_LABEL_MESSAGE_ID, report->message_id);
    if (rows.n > 0) {
        put_element(to, "<details><summary>", lang_text(style->lang, LANG_LABEL_DETAILS),
                    "</summary>\n");
        put_list(to, &rows);
        buffer_put_text(to, "</details>\n");
    }
    to->bad = to->bad || rows.bad;
    buffer_done(&rows);
}

static const char *class_of(enum cause_family family)
{
    switch (family) {
    case CAUSE_FAMILY_ADDRESS: return "address";
    case CAUSE_FAMILY_BLOCKED: return "blocked";
    case CAUSE_FAMILY_INCOMPLETE: return "incomplete";
    case CAUSE_FAMILY_UNDELIVERED: return "undelivered";
    case CAUSE_FAMILY_NONE:
    case CAUSE_FAMILIES: break;
    }
    return "none";
}

/* The start of a card, its icon and its headline. */
static void put_header(struct buffer *to, const struct lang *lang, enum cause_family family,
                       struct bytes headline, unsigned serial, uint32_t card)
{
    struct buffer id = buffer_with_most(32);

    buffer_put_char(&id, 'c');
    buffer_put_uint(&id, serial);
    buffer_put_char(&id, '-');
    buffer_put_uint(&id, card);
    buffer_put_text(to, "<article class=\"card card-");
    buffer_put_text(to, class_of(family));
    put_element(to, "\" lang=\"", bytes_of(lang->code), "\" aria-labelledby=\"");
    buffer_put(to, buffer_bytes(&id));
    buffer_put_text(to, "\">\n<header>");
    card_put_icon(to, family);
    put_element(to, "<h2 id=\"", buffer_bytes(&id), "\">");
    put_element(to, "", headline, "</h2></header>\n");
    to->bad = to->bad || id.bad;
    buffer_done(&id);
}

static void put_group(struct buffer *to, const struct bounce_report *report,
                      const struct card_group *group, const struct card_style *style,
                      unsigned serial)
{
    const struct bounce_recipient *first = group->first;
    struct buffer headline = buffer_with_most(LANG_TEXT_MOST);
    struct buffer rows = buffer_with_most(CARD_MOST);
    bool failure = card_is_failure(first);

    card_put_headline(&headline, first, report->kind, style);
    put_header(to, style->lang, failure ? cause_family(&first->cause) : CAUSE_FAMILY_NONE,
               buffer_bytes(&headline), serial, group->at);
    put_recipients(&rows, report, group, style->lang);
    put_list(to, &rows);
    put_element(to, "<p>", card_summary(first, report->kind, style->lang), "</p>\n");
    if (failure)
        put_answers(to, &first->cause, style);
    put_details(to, report, first, style);
    buffer_put_text(to, "</article>\n");
    to->bad = to->bad || headline.bad || rows.bad;
    buffer_done(&headline);
    buffer_done(&rows);
}

void card_put_html(struct buffer *to, const struct bounce_report *report,
                   const struct card_style *style, unsigned serial)
{
    struct card_group group;
    uint32_t at = 0, cards = 0;

    while (cards < CARD_GROUPS_MOST && card_next_group(report, &at, &group)) {
        put_group(to, report, &group, style, serial);
        cards++;
    }
    if (cards == 0) {
        put_header(to, style->lang, CAUSE_FAMILY_NONE,
                   lang_text(style->lang, card_kind_headline(report->kind)), serial, 0);
        put_element(to, "<p>", lang_text(style->lang, card_kind_summary(report->kind)),
                    "</p>\n</article>\n");
    }
    if (report->recipients_all > report->recipients_n)
        put_more(to, style->lang, "<p>", report->recipients_all - report->recipients_n,
                 "</p>\n");
}

void card_put_html_begin(struct buffer *to, const struct lang *lang, struct bytes title)
{
    put_element(to, "<!doctype html>\n<html lang=\"", bytes_of(lang->code),
                "\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<title>");
    put_element(to, "", title, "</title>\n<style>");
    buffer_put_text(to, card_css);
    put_element(to, "</style>\n</head>\n<body>\n<main>\n<h1>", title, "</h1>\n");
}

void card_put_html_end(struct buffer *to)
{
    buffer_put_text(to, "</main>\n</body>\n</html>\n");
}

/* SPDX-License-Identifier: ISC
 *
 * bounce/card.h: what a report says, for people and for programs: a card in text, in HTML, and
 * JSON. Stands on base and mail; lang.h has the words, read.h the report.
 *
 * Whatever a stranger wrote into the report leaves escaped for the place where it goes: a terminal,
 * HTML, JSON. Recipients with the same cause and answers share a card.
 */
#ifndef POSTERN_BOUNCE_CARD_H
#define POSTERN_BOUNCE_CARD_H

#include "base/json.h"
#include "bounce/lang.h"
#include "bounce/read.h"

struct card_style {
    const struct lang *lang;
    int64_t now;                /* seconds since 1970; 0: not known, no "another 3 days" */
    int zone_minutes;           /* in which moments are said, east of UTC */
    size_t columns;             /* text: of a line; 0: CARD_COLUMNS */
    bool colour;                /* text: for a terminal that shows bold */
    const char *codes;          /* HTML: links to pages of codes begin so; NULL: no links */
};

enum {
    CARD_MOST = 8 * 1024 * 1024,        /* no report's text, HTML or JSON is longer */
    CARD_COLUMNS = 80,
    CARD_FIELD_MOST = 1000,             /* octets shown of one text of a stranger; JSON: all */
    CARD_ADDRESSES_MOST = 20,           /* named on one card; the others are counted */
    CARD_GROUPS_MOST = 50,              /* cards of one report; JSON has all recipients */
};

/* The language for a report: `wanted` (an option, a setting) when it is known, else that of the
   notice, else English. */
const struct lang *card_lang(struct bytes wanted, const struct bounce_report *report);

/* Lines of at most 80 columns with LF, the last with its end. */
void card_put_text(struct buffer *to, const struct bounce_report *report,
                   const struct card_style *style);

/* A text of ours in lines of so many columns, the last with its end. */
void card_put_paragraph(struct buffer *to, struct bytes text, size_t columns);

/* One or more <article>. Their ids begin with "c", the serial and "-", so that a page may hold
   several reports. */
void card_put_html(struct buffer *to, const struct bounce_report *report,
                   const struct card_style *style, unsigned serial);
/* A document around them: no outside resources, light and dark; `title` is escaped. */
void card_put_html_begin(struct buffer *to, const struct lang *lang, struct bytes title);
void card_put_html_end(struct buffer *to);
/* What a <style> needs for the cards. */
extern const char card_css[];
/* An icon of ours as <svg>; a headline must stand beside it, which screen readers say instead. */
void card_put_icon(struct buffer *to, enum cause_family family);

/* One object without its line end, as doc/explain-json.md has it. `input`: what was read, as the
   caller names it. */
void card_put_json(struct json *json, const struct bounce_report *report,
                   const struct card_style *style, struct bytes input);

/* The pieces, for others that show them (reports of our own, the web). */
enum lang_text card_kind_headline(enum bounce_kind kind);
enum lang_text card_kind_summary(enum bounce_kind kind);
/* Is it one of the twenty? Else nothing failed, and JSON has null. */
bool card_is_failure(const struct bounce_recipient *recipient);
void card_put_headline(struct buffer *to, const struct bounce_recipient *recipient,
                       enum bounce_kind kind, const struct card_style *style);
struct bytes card_summary(const struct bounce_recipient *recipient, enum bounce_kind kind,
                          const struct lang *lang);
void card_put_retry(struct buffer *to, const struct cause *cause, const struct card_style *style);
enum lang_text card_who(enum cause_who who);

/* What can be done, by the sender first, who reads it; at most CAUSE_WHOS. Returns how many. */
struct card_fix {
    enum cause_who who;
    struct bytes text;
};
size_t card_fixes(const struct cause *cause, const struct lang *lang,
                  struct card_fix ret_fixes[static CAUSE_WHOS]);
enum lang_text card_fix_for(enum cause_who who);

/* Its enhanced code: as the report says it, else as the cause has it; class 0: none. The same of
   its reply code; 0: none. */
struct status_code card_status(const struct bounce_recipient *recipient);
uint16_t card_reply_code(const struct bounce_recipient *recipient);
/* The official meaning of its codes, in English, and where it stands; false: it has none. */
bool card_put_official(struct buffer *to, const struct bounce_recipient *recipient,
                       struct bytes *ret_reference);

#endif

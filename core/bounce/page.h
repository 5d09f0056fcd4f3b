/* SPDX-License-Identifier: ISC
 *
 * bounce/page.h: the page of a status code: what 4.7.7, X.7.7, 5.7, 5 or 550 means, what to do
 * about it and for whom, whether it is tried again, what the standard says, and an example. Stands
 * on base and mail; all of it is constant.
 *
 * The words of each code in each class are written by hand in page_0.def to page_7.def, those of
 * the basic reply codes in page_basic.def, those of classes and subjects in page_head.def. A code
 * that nobody registered is read by the theory of codes (RFC 3463, 2): by its class and subject,
 * or by its class alone; its page says so.
 */
#ifndef POSTERN_BOUNCE_PAGE_H
#define POSTERN_BOUNCE_PAGE_H

#include "base/json.h"
#include "mail/cause.h"
#include "mail/status.h"

enum page_kind {
    PAGE_STATUS,                /* 5.7.7; of all classes together, X.7.7: code.class is 0 */
    PAGE_SUBJECT,               /* 5.7 or X.7 */
    PAGE_CLASS,                 /* 5 */
    PAGE_BASIC,                 /* 550 */
    PAGE_KINDS
};

/* What is said of one class. */
struct page_sense {
    const char *reason;
    const char *sender;         /* what the sender does about it */
    const char *retried;        /* is it tried again? */
    const char *example;        /* what a server says: the basic code, then words; "" for none */
    const char *verified;       /* what postern verify means by it; NULL: it does not say it */
};

enum page_class { PAGE_TEMPORARY, PAGE_PERMANENT, PAGE_SUCCESS, PAGE_CLASSES };

struct page_words {
    const char *headline;       /* no full stop */
    struct page_sense sense[PAGE_CLASSES];  /* of a basic code: only that of its first digit */
    enum cause_category category;   /* of a failure, as far as the code alone tells */
    enum cause_who who;         /* can mend it */
    const char *admin;          /* what who runs the sender's mail does about it */
    const char *recipient;      /* what the recipient, or who runs the mail there, does */
    const char *official;       /* what the standard says, in our own words */
};

struct page {
    enum page_kind kind;
    struct status_code code;    /* of a basic code its class alone; a 3xx has 2 */
    uint16_t basic;             /* PAGE_BASIC */
    bool registered;            /* else the words are those of its subject or class */
    const struct status_entry *entry;   /* PAGE_STATUS, registered; else NULL */
    const struct basic_entry *reply;    /* PAGE_BASIC; else NULL */
    const struct page_words *words;     /* never NULL */
};

/* The page of "5.7.7", "X.7.7", "5.7", "X.7", "5" or "550"; small letters, "#" in front, "X" for a
   detail ("5.7.X"), brackets and a reply code in front ("550-5.7.1") are allowed. False: it is no
   code; page_put_flaw says why. */
MUST_USE bool page_find(struct bytes word, struct page *ret_page);
/* Why a word has no page, and which codes may have been meant: one line without its end. The word
   is made safe. */
void page_put_flaw(struct buffer *to, struct bytes word);
/* The page of a code that was read already; class 2, 4 or 5, or 0 for all. */
struct page page_of(struct status_code code);

/* Every page there is, in order: the classes, the subjects, each registered code as X.Y.Z, 4, 5 and
   2, the basic reply codes. False past the last. */
MUST_USE bool page_at(size_t i, struct page *ret_page);

/* "5.7.7", "X.7.X", "5.X.X", "550". */
void page_put_name(struct buffer *to, const struct page *page);
/* One line: the headline, and what became of the message, as ": not delivered". */
void page_put_title(struct buffer *to, const struct page *page);
enum page_class page_class_of(uint8_t class);       /* 2, 4 or 5 */

/* The page as text, in lines of at most 80 columns, ASCII; `colour`: for a terminal. */
void page_put_text(struct buffer *to, const struct page *page, bool colour);
/* One object, without its line end. */
void page_put_json(struct json *json, const struct page *page);
/* The <article> alone, to be framed; its links go to `base` and the name, as "codes/" "5.7.8";
   NULL: no links. page_style is what a <style> needs for it. */
void page_put_article(struct buffer *to, const struct page *page, const char *base);
extern const char page_style[];
/* A whole document: one page, no other resources, light and dark. */
void page_put_html(struct buffer *to, const struct page *page);

/* All codes, one a line; as JSON, one object a line; as one HTML document. */
void page_list_text(struct buffer *to, bool colour);
void page_list_json(struct buffer *to);
void page_list_article(struct buffer *to, const char *base);
void page_list_html(struct buffer *to);

/* No page, and no list, is longer. */
enum { PAGE_MOST = 64 * 1024, PAGE_LIST_MOST = 2 * 1024 * 1024 };

#endif

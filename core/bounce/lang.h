/* SPDX-License-Identifier: ISC
 *
 * bounce/lang.h: what people read, in their language: the cards of the twenty categories and the
 * words around them, numbers, dates and spans of time. Stands on base and mail.
 *
 * lang.def is the list of texts, lang/XX.lang the texts of one language; to add a language is to
 * add that file. English is the first, and stands in for a text that another one lacks.
 */
#ifndef POSTERN_BOUNCE_LANG_H
#define POSTERN_BOUNCE_LANG_H

#include "base/buffer.h"
#include "bounce/lang.def"
#include "mail/cause.h"

#define LANG_NAME_(NAME, ...) LANG_##NAME,
enum lang_text { LANG_TEXT_LIST(LANG_NAME_) LANG_TEXTS };
#undef LANG_NAME_

/* Of each category. The fixes are in the order of enum cause_who: of the sender, his
   administrator, the recipient, his administrator. */
#define LANG_NAME_(NAME, ...) CARD_##NAME,
enum lang_card { LANG_CARD_LIST(LANG_NAME_) LANG_CARD_TEXTS };
#undef LANG_NAME_

#define LANG_NAME_(NAME, ...) PLURAL_##NAME,
enum lang_plural { LANG_PLURAL_LIST(LANG_NAME_) LANG_PLURALS };
#undef LANG_NAME_

enum { LANG_TEXT_MOST = 4096 };     /* octets of a text with its placeholders filled */

struct lang {
    const char *code;               /* "de", as in the attribute lang of HTML (BCP 47) */
    enum lang_plural plural;
    const char *thousands;
    const char *const *texts;       /* [LANG_TEXTS]; NULL where it is missing */
    const char *const (*cards)[LANG_CARD_TEXTS];    /* [CAUSE_COUNT] */
};

/* The i-th language, English first; NULL past the last. */
const struct lang *lang_at(size_t i);
const struct lang *lang_english(void);
/* By its code, whatever follows it: "de", "de-AT", "de_AT.UTF-8"; NULL when it is not known. */
const struct lang *lang_find(struct bytes code);
/* The first known one of a list as in Accept-Language (RFC 9110, 12.5.4) or Content-Language; a
   weight of 0 is left out, other weights are not compared: browsers put the dearest first. NULL
   when none is known. */
const struct lang *lang_of_list(struct bytes list);

/* Constant texts. What a language lacks is said in English. */
struct bytes lang_text(const struct lang *lang, enum lang_text text);
/* Empty when the category has no such text in any language. */
struct bytes lang_card(const struct lang *lang, enum cause_category category, enum lang_card part);

/* A text with "{name}" replaced by the value; values are put as they are, so that what holds a
   stranger's octets must be escaped behind it. */
struct lang_slot {
    const char *name;
    struct bytes value;
};
void lang_put(struct buffer *to, const struct lang *lang, enum lang_text text,
              const struct lang_slot *slots, size_t slots_n);

/* "12,345" */
void lang_put_number(struct buffer *to, const struct lang *lang, uint64_t number);
/* A text of several FORMS: that of the number, with {n} filled. */
void lang_put_count(struct buffer *to, const struct lang *lang, enum lang_text text,
                    uint64_t number);
/* "22 November 2026, 14:05 (UTC+2)"; seconds since 1970, years 1970 to 9999. */
void lang_put_date(struct buffer *to, const struct lang *lang, int64_t seconds, int zone_minutes);
/* "3 days", "5 hours", "40 minutes": rounded to the unit, never less than a minute. */
void lang_put_span(struct buffer *to, const struct lang *lang, uint64_t seconds);
/* "Address not found: there is no such mailbox", for one of the twenty. */
void lang_put_headline(struct buffer *to, const struct lang *lang, const struct cause *cause);

#endif

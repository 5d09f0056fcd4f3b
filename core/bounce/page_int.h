/* SPDX-License-Identifier: ISC
 *
 * bounce/page_int.h: what the writers of pages share: the tables of words, and what a page shows
 * beside its words.
 */
#ifndef POSTERN_BOUNCE_PAGE_INT_H
#define POSTERN_BOUNCE_PAGE_INT_H

#include "bounce/page.h"

/* The rows of the .def files; NULL when there is none. (page_words.c) */
const struct page_words *page_words_of_status(struct status_code code);
const struct page_words *page_words_of_basic(uint16_t code);
const struct page_words *page_words_of_class(uint8_t class);
const struct page_words *page_words_of_subject(uint16_t subject);

/* The page of a basic reply code, 200 to 599; false for a 3xx that nobody knows. (page.c) */
bool page_of_basic(uint16_t basic, struct page *ret_page);

/* "not delivered yet", "not delivered", "reported as a success". */
const char *page_outcome(enum page_class class);
/* "temporary", "permanent", "success"; and for people, "Temporary" ... */
const char *page_class_name(enum page_class class);
const char *page_class_title(enum page_class class);
uint8_t page_class_digit(enum page_class class);

/* Is it one of its classes? A page of all classes has all three; a basic code has one. */
bool page_has(const struct page *page, enum page_class class);
/* The only class of a page, false when it is of all classes. */
bool page_class_only(const struct page *page, enum page_class *ret_class);
/* The page of the same code in another class; false when there is none. */
bool page_sibling(const struct page *page, enum page_class class, struct page *ret_page);
/* Whether it is tried again: a success has nothing to try. */
const char *page_retried(const struct page *page, enum page_class class);
/* What postern verify means by this one code; NULL: it does not say it. */
const char *page_verified(const struct page *page);
/* What a server says, with the code put in; nothing when there is no example. */
void page_put_example(struct buffer *to, const struct page *page, enum page_class class);
/* Action of a report: "delayed", "failed", "delivered". */
const char *page_action(const struct page *page, enum page_class class);

/* Beside the example of a temporary failure: the Action alone says whether it is over. */
extern const char page_action_note[];

/* What the standard says, one thing after another. */
struct page_official {
    const char *about;          /* "5.X.X", "X.7.X", "X.7.7", "550" */
    const char *text, *reference;
};
enum { PAGE_OFFICIAL_MOST = 4 };
size_t page_official(const struct page *page, struct page_official ret[static PAGE_OFFICIAL_MOST]);
/* Why the words are not its own; "" when they are. */
const char *page_unregistered(const struct page *page);
/* What a large provider means by it, against the registry or beside it; false for most. */
bool page_elsewhere(const struct page *page, const char **ret_provider, const char **ret_text);
/* Has it advice for administrators? A success has none, but for a basic code. */
bool page_failed(const struct page *page);

/* Is anything broken that somebody can mend? */
bool page_mendable(const struct page *page);
/* "the sender", "whoever runs the recipient's mail". */
const char *page_who(const struct page *page);
/* Over what is to be done. */
const char *page_fix_heading(const struct page *page);

/* The nearest pages of the same kind, at most two before and two after. */
enum { PAGE_NEIGHBOURS = 4 };
size_t page_neighbours(const struct page *page, struct page ret[static PAGE_NEIGHBOURS]);
/* The i-th page that the registry names together with it: of an enhanced code its basic codes, of
   a basic code the enhanced ones of its class. False past the last. */
bool page_goes_with(const struct page *page, size_t i, struct page *ret_page);

#endif

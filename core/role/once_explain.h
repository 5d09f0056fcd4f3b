/* SPDX-License-Identifier: ISC
 *
 * role/once_explain.h: postern explain as pure functions: its words read, files taken in through a
 * window, cards, JSON or counts written. host/ctl_explain.c reads the files.
 */
#ifndef POSTERN_ROLE_ONCE_EXPLAIN_H
#define POSTERN_ROLE_ONCE_EXPLAIN_H

#include "bounce/explain.h"
#include "bounce/mbox.h"
#include "role/once.h"

enum {
    ONCE_EXPLAIN_WINDOW = 8 * 1024 * 1024,  /* of a file; of one message no more is read */
    ONCE_EXPLAIN_ANSWER = 2 * CARD_MOST,    /* what one window may make */
};

struct once_explain_request {
    enum explain_form form;
    bool help, summary;
    struct bytes lang, rules;   /* --lang, --rules; empty: not given */
    size_t inputs;              /* files, folders or texts: now the first of the words */
};

/* The words behind the command's name; its inputs are moved to their front. False: reterr_words
   says what is wrong, one line with its end, for ONCE_USAGE. */
MUST_USE bool once_explain_read(struct bytes *words, size_t n,
                                struct once_explain_request *ret_request,
                                struct buffer *reterr_words);
extern const char once_explain_help[];

/* One run of the command. Set the first part, leave the rest zero. */
struct once_explain {
    struct once_explain_request request;
    struct bounce_reader *reader;
    struct bytes setting;       /* the reader's language, as LANG or "" */
    struct card_style style;    /* its language is chosen anew for each report */
    bool many;                  /* more than one input: each is named, what is none is left out */
    /* counted */
    uint64_t texts, reports, recipients;
    uint64_t kinds[BOUNCE_KINDS], categories[CAUSE_COUNT];
};

/* One file on its way through the window. Begin with an empty struct and its name. */
struct once_explain_file {
    struct bytes name;
    bool known;                 /* what it is */
    enum bounce_input input;
    struct mbox mbox;
    uint64_t messages;
};

enum once_window {
    ONCE_WINDOW_DROP,           /* drop *ret_used octets of the window and ask again */
    ONCE_WINDOW_MORE,           /* read more into it */
    ONCE_WINDOW_OVER,           /* the rest of the file says nothing */
};
/* Explain the next of what the window holds. `full`, `whole` as in bounce/mbox.h. */
enum once_window once_explain_window(struct once_explain *explain, struct once_explain_file *file,
                                     struct bytes window, bool full, bool whole,
                                     struct buffer *to, size_t *ret_used);

/* Before the first file and after the last. The exit status: ONCE_FOUND_NOTHING when nothing was a
   report. */
void once_explain_begin(const struct once_explain *explain, struct buffer *to);
enum once_exit once_explain_end(const struct once_explain *explain, struct buffer *to);

#endif

/* SPDX-License-Identifier: ISC
 *
 * mail/scan.h: what the front wants to know of each letter's header while the text passes by: how
 * often it was received, its Message-ID, to whom it was delivered before, and what is odd about it.
 *
 * Stands on header.h. Costs about a microsecond a KiB, and keeps memory between letters.
 */
#ifndef POSTERN_MAIL_SCAN_H
#define POSTERN_MAIL_SCAN_H

#include "mail/header.h"

struct header_scan {
    struct header_reader reader;    /* flaws, fields, body_at, ended, empty_line: see header.h */
    unsigned received;              /* Received fields so far */
    unsigned message_ids;           /* Message-ID fields so far; the first one's value is kept */
    struct buffer message_id;       /* see header_scan_message_id */
    unsigned delivered;             /* Delivered-To fields so far */
    struct buffer delivered_to;     /* their values, unfolded, each ended by LF; those that fit */
    bool finished;
};

struct header_scan header_scan_new(void);
/* Ready for the next letter; the memory is kept. */
void header_scan_clear(struct header_scan *scan);
void header_scan_done(struct header_scan *scan);

/* Feed it the whole text, in any pieces; once the section ended it returns at once. The results
   can be read at any time and stand for what came so far. */
void header_scan_feed(struct header_scan *scan, struct bytes piece);
/* The text is over: take the last field, should the section not have ended. */
void header_scan_finish(struct header_scan *scan);

/* The first Message-ID without its brackets, or empty: none, one that no line of an envelope can
   hold, or nothing in it. Borrows until the scan is fed or cleared. */
struct bytes header_scan_message_id(const struct header_scan *scan);
/* Is the text one of the Delivered-To values (ASCII case set aside)? For loops. */
bool header_scan_was_delivered_to(const struct header_scan *scan, struct bytes address);

/* A flaw in a word or two, for the log: the first of the set; "" for none. */
const char *header_flaw_name(unsigned flaws);

#endif

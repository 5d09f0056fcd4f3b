/* SPDX-License-Identifier: ISC
 *
 * sim/copy.h: reads one delivered copy as a stranger would, and compares it with what was sent.
 */
#ifndef POSTERN_SIM_COPY_H
#define POSTERN_SIM_COPY_H

#include "sim/letter.h"
#include "sim/server.h"

/* NULL when `file` is exactly this letter's copy for that recipient: Return-Path, Delivered-To, one
   Received, then the text, with LF for CRLF unless it came as BINARYMIME. Else what is wrong. */
const char *copy_check(struct bytes file, const struct letter *letter,
                       const struct letter_recipient *recipient);

/* The same of what a server elsewhere got. Made anew for one that lacks 8BITMIME or BINARYMIME, of
   the text only its Message-ID and what lies in front can be compared. */
const char *copy_check_away(const struct server_letter *taken, const struct letter *letter);

#endif

/* SPDX-License-Identifier: ISC
 *
 * smtp/dialogue_int.h: for the tests: one dialogue as a row, played whole, octet by octet and cut
 * at random; each time the same must come out. Linked into tests only.
 */
#ifndef POSTERN_SMTP_DIALOGUE_INT_H
#define POSTERN_SMTP_DIALOGUE_INT_H

#include "smtp/play_int.h"

struct dialogue {
    const char *name;
    struct bytes input;
    const char *replies;        /* as play_summary has them */
    const char *letters;        /* as play.letters */
};

#define DIALOGUE(name, input, replies, letters) \
    { name, BYTES_INIT(input), replies, letters }

#define D_EHLO "EHLO c.example\r\n"
#define D_MAIL "MAIL FROM:<a@c.example>\r\n"
#define D_RCPT "RCPT TO:<b@example.org>\r\n"
#define D_OPEN D_EHLO D_MAIL D_RCPT
#define D_QUIT "QUIT\r\n"
/* The replies to these. */
#define R_EHLO "220 250"
#define R_OPEN R_EHLO " 250/2.1.0 250/2.1.5"
#define R_QUIT " 221/2.0.0 close"

/* Sizes small enough to be reached by a row; notes are off. */
struct smtp_settings dialogue_settings(void);

/* NULL when it came out as the row says, by every way of cutting it; else what was wrong, in
   `to`. */
const char *dialogue_check(const struct dialogue *row, struct smtp_settings settings,
                           struct buffer *to);
/* The same for a table; the first that is wrong is told. */
const char *dialogues_check(const struct dialogue *rows, size_t n, struct buffer *to);

/* Play the input in pieces: step 0 cuts it at random, by `dice`. The input does not end. */
void dialogue_play(struct play *play, struct bytes input, size_t step, uint64_t *dice);
uint64_t dialogue_roll(uint64_t *dice);

#endif

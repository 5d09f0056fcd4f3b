/* SPDX-License-Identifier: ISC
 *
 * role/once_refused.h: postern refused: what the server refused, for whom, and why, told from the
 * lines of its log. host/ctl_refused.c reads the log.
 */
#ifndef POSTERN_ROLE_ONCE_REFUSED_H
#define POSTERN_ROLE_ONCE_REFUSED_H

#include "bounce/lang.h"
#include "role/once.h"

enum {
    REFUSED_ROWS = 4096,        /* of different recipients and codes; beyond it they are counted */
    REFUSED_ANSWER_MOST = 8 * 1024 * 1024,
};

struct refused_request {
    bool help, json, letter;
    uint64_t since_ms;          /* a span before now */
    struct bytes lang;
};
extern const char once_refused_help[];
/* The words of the command, `refused` first. False: reterr_words says what is wrong. */
MUST_USE bool once_refused_read(const struct bytes *words, size_t n,
                                struct refused_request *ret_request, struct buffer *reterr_words);

struct refused_row {
    char recipient[LIMIT_ADDRESS + 2];  /* without brackets; "": none was named yet */
    uint16_t reply;
    struct status_code code;
    uint64_t count;
    char last[32];              /* the moment, as in the log */
};

struct refused {
    char from[32], to[32];      /* moments as in the log; lines outside are not counted */
    uint64_t count, left_out;
    size_t rows_n;
    struct refused_row rows[REFUSED_ROWS];
};

/* Zeroed memory made ready for what lies between two moments. */
void once_refused_begin(struct refused *refused, uint64_t from_ms, uint64_t to_ms);
/* A line of the log, without its end; all but refusals of recipients and letters are overlooked. */
void once_refused_line(struct refused *refused, struct bytes line);
/* The answer, causes with the most refusals first. `postmaster`, `host`: for --letter;
   an empty postmaster is that of the host. */
void once_refused_put(struct refused *refused, const struct refused_request *request,
                      const struct lang *lang, uint64_t now_ms, struct bytes host,
                      struct bytes postmaster, struct buffer *to);

#endif

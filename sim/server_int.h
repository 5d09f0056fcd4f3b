/* SPDX-License-Identifier: ISC
 *
 * sim/server_int.h: what the files of a server of somebody's share.
 *
 *   server.c           connections, TLS, and what it says instead of what is due
 *   server_commands.c  commands and texts, and what is due
 */
#ifndef POSTERN_SIM_SERVER_INT_H
#define POSTERN_SIM_SERVER_INT_H

#include "base/limits.h"
#include "sim/server.h"

enum { TEXT_MOST = 64 << 20, RCPTS_MOST = 100 };

enum secrecy { CLEAR, SHAKES, SECURE };

struct server_line {
    struct server_line *next;   /* of all there ever were */
    struct server *server;
    const struct server_face *face;
    void *at;
    struct server_offers offers;
    struct conn *conn;          /* NULL: it is over */
    uint64_t since_us;
    enum secrecy secrecy;
    struct buffer raw, in, text;
    struct buffer unsure;       /* the text of copies kept, until their reply surely came */
    char *unsure_to[RCPTS_MOST];
    size_t unsure_n;
    char sender[LIMIT_PATH + 1], to[LIMIT_PATH + 1];
    char *rcpts[RCPTS_MOST];    /* that were taken */
    size_t rcpts_n;
    bool ehlo;                  /* it knows what is offered here */
    bool mail, text_due;        /* a transaction; DATA was answered 354 */
    bool turned;                /* MAIL was answered with a lie */
    bool binary, deaf, off;     /* off: its replies are not where they belong */
    bool well_next;             /* off: the next one that is taken for an answer is a 2xx */
    uint64_t chunk;             /* octets of it that are still to come */
    bool in_chunk, last;
};

struct server {
    struct world *world;
    struct server_watch watch;
    struct server_plan plan;
    struct server_line *lines;
    uint64_t back_us;           /* it is dead until then */
    uint64_t replies, said, heard;
};

/* server.c */

/* Whether it lies now, where it may. */
bool server_lies(struct server *server);
void server_forget(char **list, size_t *n);
/* What it said instead. */
enum server_lie line_say(struct server_line *line, const char *due);
/* A 5xx at this place: about whom? And may it be? */
void line_refuse(struct server_line *line);
bool line_may_refuse(const struct server_line *line);
/* A 5xx may be taken for the answer about any of those taken. */
void line_refuse_all(struct server_line *line);
/* Gone without a word. */
void line_hang_up(struct server_line *line);

/* server_commands.c */

/* As much as has come. */
void line_take_all(struct server_line *line);

#endif

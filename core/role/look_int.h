/* SPDX-License-Identifier: ISC
 *
 * role/look_int.h: a look under way, shared by the files that take its steps.
 */
#ifndef POSTERN_ROLE_LOOK_INT_H
#define POSTERN_ROLE_LOOK_INT_H

#include "base/arena.h"
#include "queue/inspect.h"
#include "role/look.h"
#include "role/once_int.h"

enum look_what { LOOK_QUEUE, LOOK_TRACE, LOOK_CHECK, LOOK_EXPORT, LOOK_EXPORT_ALL };

/* LOG_NAMES -> BODY_NAMES -> SCAN -> TAKE (letter after letter) -> OVER
   HISTORY_NAMES -> SEARCH (way after way) -> OVER                          */
enum look_phase {
    PHASE_LOG_NAMES, PHASE_BODY_NAMES, PHASE_SCAN, PHASE_TAKE, PHASE_TAKING, PHASE_HISTORY_NAMES,
    PHASE_SEARCH, PHASE_OVER,
};

enum { LOOK_TEXT_MOST = 4 * 1024 * 1024, LOOK_NAMES_MOST = LIMIT_LIST_BYTES };

struct look {
    enum look_what what;
    enum look_phase phase;
    struct once_style style;
    int status;
    struct buffer names;            /* of log/, or history/ */
    struct buffer name;             /* of what is wanted, or written */
    struct buffer text;
    struct bytes given;

    struct inspect *inspect;
    struct inspect_letter *letters;
    size_t letters_n, letters_room, letter;
    uint64_t id;                    /* EXPORT */
    struct once_queue queue;

    struct history_search *search;
    struct buffer word;
    enum trace_by ways[2];
    size_t ways_n, way;
    struct once_trace trace;
};

/* One of the wants. */
struct look_want look_says(struct look *look, enum look_to to);
struct look_want look_reads(struct bytes name, uint64_t offset, uint32_t count);
/* Words for standard error and an exit status: nothing more comes. */
struct look_want look_fails(struct look *look, const char *words, int status);

/* The steps; each returns a want, or one of LOOK_SAYS without text: go on at once. */
struct look_want look_scan(struct look *look);
struct look_want look_take(struct look *look);
struct look_want look_search(struct look *look);

#endif

/* SPDX-License-Identifier: ISC
 *
 * role/look.h: what the commands do with the files of the spool while no server runs, as a value.
 *
 * It says which names or octets it wants, is given them, and says what to print or to write; it
 * changes nothing. The reading itself is the server's own (queue/inspect.h, queue/history.h).
 */
#ifndef POSTERN_ROLE_LOOK_H
#define POSTERN_ROLE_LOOK_H

#include "role/once.h"

struct look;

/* All return NULL without memory; slices are copied. */
MUST_USE struct look *look_queue(struct once_style style);
/* A word of one of the forms of once_trace_ways. */
MUST_USE struct look *look_trace(struct once_style style, struct bytes word);
/* Every record and every body file. */
MUST_USE struct look *look_check(struct once_style style);
/* The text of one letter to LOOK_OUT. */
MUST_USE struct look *look_export(uint64_t id);
/* Each letter to LOOK_FILE: ID.envelope and ID.eml. */
MUST_USE struct look *look_export_all(void);
void look_free(struct look *look);

enum look_need {
    LOOK_NEEDS_NAMES,       /* the names in the folder `name`, each ended by '\n', sorted */
    LOOK_NEEDS_READ,        /* `count` octets at `offset` of the file `name`, or fewer at its end */
    LOOK_SAYS,              /* `text`, for `to` */
    LOOK_ENDS,              /* `status`: an exit status */
};
enum look_to { LOOK_OUT, LOOK_ERR, LOOK_FILE };

/* Slices live until the next call. */
struct look_want {
    enum look_need need;
    struct bytes name;      /* below the spool; SAYS to LOOK_FILE: of that file */
    uint64_t offset;
    uint32_t count;
    enum look_to to;
    struct bytes text;
    int status;
};
/* What it needs now. After NEEDS_*, look_give comes first. */
struct look_want look_next(struct look *look);
/* Empty when there is no such file or folder. The octets live until the next look_give. */
void look_give(struct look *look, struct bytes octets);

#endif

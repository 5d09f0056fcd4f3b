/* SPDX-License-Identifier: ISC
 *
 * host/drill_int.h: what somebody who has taken over a role would try first.
 */
#ifndef POSTERN_HOST_DRILL_INT_H
#define POSTERN_HOST_DRILL_INT_H

#include <stddef.h>

struct prey {
    int pid;                    /* of a sibling */
    char folder[256];           /* of the server: spool, mail, log, control below it */
};

extern const size_t drill_attempts;
const char *drill_name(size_t number);
/* Negative and errno: denied. Whatever it began is undone or harmless. */
long drill_try(size_t number, const struct prey *prey);

#endif

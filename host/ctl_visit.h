/* SPDX-License-Identifier: ISC
 *
 * host/ctl_visit.h: the sockets of postern doctor: it calls on many mail servers at the same time,
 * each for a short while (role/probe.h).
 */
#ifndef POSTERN_HOST_CTL_VISIT_H
#define POSTERN_HOST_CTL_VISIT_H

#include "role/probe.h"

enum {
    VISIT_CONNECT_MS = 10 * 1000,   /* patience for a connection */
    VISIT_MS = 20 * 1000,           /* and for all of a visit */
    VISITS_MS = 60 * 1000,          /* and for all visits */
    VISITS_AT_ONCE = 16,
};

struct visit_order {
    struct probe_want want;
    struct checkup_visit *visit;    /* with its address; one that has an end already is left out */
    bool called;                    /* a connection was had, and then: */
    uint8_t from[16];               /* our own address */
};

/* Returns when all visits have an end. */
void visit_all(struct visit_order *orders, size_t n);

#endif

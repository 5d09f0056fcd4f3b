/* SPDX-License-Identifier: ISC
 *
 * queue/scan_int.h: walk over the octets of one segment, which come in pieces.
 *
 * Recovery and `postern store check` both use it; what a flaw means is theirs to say.
 */
#ifndef POSTERN_QUEUE_SCAN_INT_H
#define POSTERN_QUEUE_SCAN_INT_H

#include "queue/record_int.h"

enum { SCAN_PIECE = 4 * 1024 * 1024 };

struct scan {
    uint8_t key[STORE_KEY];
    uint32_t segment;
    uint32_t epoch;             /* of the last record: the next may not have a smaller one */
    /* octets of the file from `start`; those before `used` are done with */
    struct buffer window;
    size_t used;
    uint64_t start;
    bool at_end;                /* the window reaches to the end of the file */
    /* behind the last octets that claim to lie in this segment: offset */
    uint64_t ours;
    /* while seeking: a record whose head alone is right was of this letter */
    uint64_t broken_id;
};

enum scan_is {
    SCAN_RECORD,        /* ret_record; the walk stands behind it */
    SCAN_HUNGRY,        /* give more octets, or say that there are none */
    SCAN_FLAW,          /* no whole record lies here; the walk does not move */
    SCAN_END,           /* the file ends here */
};

void scan_init(struct scan *scan, const uint8_t key[static STORE_KEY]);
void scan_done(struct scan *scan);
/* Begin at an offset of a segment. */
void scan_begin(struct scan *scan, uint32_t segment, uint64_t offset);
/* The next octets of the file; fewer than asked for means its end, which must be told. False:
   no memory. */
MUST_USE bool scan_give(struct scan *scan, struct bytes octets, bool at_end);
/* The same for octets that could not be read. */
MUST_USE bool scan_give_zeroes(struct scan *scan, size_t n);
static inline uint64_t scan_offset(const struct scan *scan) { return scan->start + scan->used; }

/* The record that lies here. Borrows from the window: until the next scan_give. */
enum scan_is scan_next(struct scan *scan, struct record *ret_record);
/* After a flaw: look further for a whole record, but do not step over it. SCAN_RECORD: one
   lies here now. */
enum scan_is scan_seek(struct scan *scan);

#endif

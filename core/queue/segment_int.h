/* SPDX-License-Identifier: ISC
 *
 * queue/segment_int.h: the driver: what the queue asks of whatever keeps its octets.
 *
 * Segments: list, create, append, read, seal (sync), remove; bodies: create, write, finish, read,
 * remove. These calls are all there is of files in the queue (the history aside), and they only
 * speak FX_IO; so host's files and the simulator's disk are two drivers already, and one for RADOS
 * takes the place of segment.c. Ownership (acquire, release, lost) is the host's for plain files:
 * the spool is locked before the role starts. Below the spool lie
 *
 *   log/NNNNNNNNNN     segments, by number       log/spare.N    zero-filled files made ahead
 *   body/ID            texts of large letters    quarantine/    octets that recovery could not read
 *   kept, memory       the owner's own octets (keep_int.h)
 *
 * A chain is a run of linked operations of one lane; its last one alone reports, the others only
 * when they fail (their token has `step` set).
 */
#ifndef POSTERN_QUEUE_SEGMENT_INT_H
#define POSTERN_QUEUE_SEGMENT_INT_H

#include "base/effects.h"

enum lane { LANE_LOG, LANE_BODY, LANE_BODY_TWO, LANE_HOUSE, LANE_READ, LANE_HISTORY, LANE_SEARCH };

enum purpose {
    FOR_NOTHING,        /* nobody waits for it */
    FOR_LOG,            /* a group was written and synced */
    FOR_BIRTH,          /* a segment was made */
    FOR_SPARE,          /* a spare was made; data: its number */
    FOR_LEAVE,          /* a dead segment was recycled or removed */
    FOR_RECOVERY,       /* data: generation */
    FOR_BODY,           /* part of a large letter was written; data: its serial */
    FOR_BODY_END,       /* all of it is on stable storage */
    FOR_RECORD,         /* a record was read; data: number of the request */
    FOR_JOB,            /* part of a body file was read; data: the job */
    FOR_HISTORY,
    FOR_SEARCH,         /* data: which, and how often that place was used */
    FOR_TIDY,
    FOR_SPACE,
    FOR_SLOT,           /* a file was closed; data: its slot */
    FOR_KEEP,           /* the owner's own octets were read, or written */
    FOR_MEMORY,         /* those in the other file */
    PURPOSES
};

struct token {
    enum purpose purpose;
    bool step;          /* one of a chain, before its last: comes only when it failed */
    bool opens;         /* that one was to open or make the file: it is not open */
    uint64_t data;      /* below 2^54 */
};
uint64_t token_pack(struct token token);
struct token token_unpack(uint64_t packed);
/* Is this EV_IO's token one of the queue's? */
bool token_ours(uint64_t packed);

static inline struct token token_of(enum purpose purpose, uint64_t data)
{
    return (struct token){ .purpose = purpose, .data = data };
}

/* What is known of a chain that is under way. The failure of a step and the end of the chain
   may be told in either order; the chain is over when both are known. */
struct chain {
    uint64_t number;    /* an answer with other data is of an older one */
    enum fault fault;   /* the first failure */
    bool ended, not_open;
};
/* Begin one: the data of its token. */
uint64_t chain_begin(struct chain *chain);
/* An EV_IO came for it. True: it is over, and chain->fault says how it went. */
MUST_USE bool chain_over(struct chain *chain, struct token token, enum fault fault);

/* The folders, and the names in log/ made durable: a segment that another process gave its name and
   did not sync would go with a power cut, and what is written into it now with it. Then
   the names in log/, body/ and quarantine/, each list in its own EV_IO. */
void segment_folders(struct effects *fx, struct token token);
void segment_list(struct effects *fx, const char *folder, struct token token);
/* Names. Segments and spares: 0 when it is none of that kind. */
bool segment_number(struct bytes name, uint32_t *ret_number);
bool spare_number(struct bytes name, uint32_t *ret_number);
bool body_number(struct bytes name, uint64_t *ret_body);

/* The first of a chain: a read of it must follow in the same step, as with body_open. */
void segment_open(struct effects *fx, enum lane lane, uint32_t slot, uint32_t number,
                  struct token token);
void segment_read(struct effects *fx, enum lane lane, uint32_t slot, uint64_t offset,
                  uint64_t count, struct token token);
void segment_close(struct effects *fx, enum lane lane, uint32_t slot);

/* One chain: any number of appends, then the sync that ends it. The data is given away. */
void segment_append(struct effects *fx, uint32_t slot, uint64_t offset, char *data, size_t n,
                    struct token token);
void segment_sync(struct effects *fx, uint32_t slot, struct token token);
/* One chain: a spare becomes the segment `number`, with this first page (given away), and is
   open in the slot. `fresh`: the spare does not exist and is made first. */
void segment_birth(struct effects *fx, uint32_t slot, uint32_t spare, bool fresh, uint32_t number,
                   uint64_t bytes, char *page, struct token token);
/* One chain: a spare is made, durably. */
void segment_spare(struct effects *fx, uint32_t slot, uint32_t spare, uint64_t bytes,
                   struct token token);
/* One chain: a dead segment becomes a spare, or goes. */
void segment_recycle(struct effects *fx, uint32_t number, uint32_t spare, struct token token);
void segment_remove(struct effects *fx, uint32_t number, struct token token);
void spare_remove(struct effects *fx, uint32_t spare);

static inline enum lane body_lane(uint64_t body)
{
    return (body >> 20 ^ body) & 1 ? LANE_BODY_TWO : LANE_BODY;
}
/* To be written to only when this succeeded. */
void body_create(struct effects *fx, uint32_t slot, uint64_t body, struct token token);
void body_write(struct effects *fx, uint32_t slot, uint64_t body, uint64_t offset, char *data,
                size_t n, struct token token);
/* One chain: sync the file and its folder. */
void body_finish(struct effects *fx, uint32_t slot, uint64_t body, struct token token);
void body_close(struct effects *fx, uint32_t slot, uint64_t body);
void body_open(struct effects *fx, uint32_t slot, uint64_t body, struct token token);
void body_read(struct effects *fx, uint32_t slot, uint64_t offset, uint64_t count,
               struct token token);
void body_read_close(struct effects *fx, uint32_t slot);
/* In the lane of its writing, so that it comes behind all of that. */
void body_remove(struct effects *fx, uint64_t body);

/* One chain: octets that could not be read are kept for people, as NUMBER-OFFSET. */
void quarantine_keep(struct effects *fx, uint32_t slot, uint32_t segment, uint64_t offset,
                     char *data, size_t n, struct token token);

#endif

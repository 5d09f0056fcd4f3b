/* SPDX-License-Identifier: ISC
 *
 * role/local_int.h: what the files of local share. Nobody else includes it.
 *
 *   local.c           the role: frames, lanes, questions
 *   local_deliver.c   one delivery, stage by stage
 *   local_path.c      where the mailbox of an address lies
 *   local_text.c      line ends, and the lines that go on top
 */
#ifndef POSTERN_ROLE_LOCAL_INT_H
#define POSTERN_ROLE_LOCAL_INT_H

#include "base/effects.h"
#include "base/limits.h"
#include "mail/envelope.h"
#include "mail/status.h"
#include "plan/conf.h"
#include "role/wire.h"

enum {
    LOCAL_LANES = 4,            /* deliveries beside each other; a lane and a file slot each */
    LOCAL_SURE = 1024,          /* mailboxes that a process remembers to have synced */
    LOCAL_ASK_LANE = 4,         /* questions do not wait behind deliveries */
    LOCAL_NAME_MOST = 255,      /* one component of a path, as file systems have it */
    LOCAL_FOLDER_MOST = 2 * LOCAL_NAME_MOST + 1,
    LOCAL_PATH_MOST = LOCAL_FOLDER_MOST + 8 + LOCAL_NAME_MOST,
    /* Text of one job held here: what credit allows, what stands on top, CRs. */
    LOCAL_TEXT_MOST = LIMIT_LETTER_CREDIT + 64 * 1024,
};

/* ---- local_path.c */

/* The folder of a mailbox below the mail root, DOMAIN/LOCALPART. `home` is the domain of an
   address that has none ("postmaster", RFC 5321, 4.5.1). False: no such folder can be (the
   address does not read, or a name is too long). Nothing that comes out begins with a dot or
   holds a slash of the address's own. */
MUST_USE bool local_folder(struct bytes address, struct bytes home, struct buffer *ret_folder);

/* ---- local_text.c */

/* CRLF made LF, over any split. A CR that stands alone is kept. Zero is ready. */
struct line_ends {
    bool held;                  /* a CR came last; its LF may follow */
};
void line_ends_put(struct line_ends *ends, struct bytes text, struct buffer *to);
void line_ends_finish(struct line_ends *ends, struct buffer *to);

/* Return-Path, Delivered-To, Received. `binary`: line ends are CRLF, else LF. */
void local_put_top(struct buffer *to, const struct envelope *envelope, struct bytes recipient,
                   uint64_t letter, bool binary);

/* ---- local_deliver.c */

struct job;

/* What goes on in a delivery. Each stage but WAITS and WRITES has one chain of file operations
   under way; the last of a chain always answers, the others only when they fail. */
enum stage {
    STAGE_WAITS,            /* for a lane */
    STAGE_LOOKS_IN_NEW,     /* not the first attempt: did an earlier one get there? */
    STAGE_LOOKS_IN_CUR,     /* ... and a reader moved it? */
    STAGE_FOUND,            /* it did; now its folder is made durable */
    STAGE_OPENS,
    STAGE_REPAIRS,          /* tmp, new and cur are made */
    STAGE_WRITES,           /* the file is open; it writes what has come, or waits */
    STAGE_ENDS,             /* all is written: sync, close, link, sync of the folder */
    STAGE_REPLACES,         /* an earlier attempt's file stands in new and may not be durable */
    STAGE_CLEARS,           /* it failed: nothing of it is left in tmp */
    STAGES
};

enum op {
    OP_NONE,
    OP_STAT_NEW, OP_LIST_CUR, OP_UNLINK, OP_CREATE, OP_MKDIR, OP_WRITE, OP_SYNC, OP_CLOSE,
    OP_LINK, OP_RENAME, OP_SYNC_NEW, OP_SYNC_CUR, OP_SYNC_BOX,
    OPS
};

struct job {
    uint32_t number;            /* the store's name for it */
    uint64_t letter;
    uint32_t recipient, attempt;
    uint32_t serial;            /* ours: tells a late answer from one that is meant */
    uint8_t lane;
    bool recovered, binary;
    bool ended;                 /* JOB_END came */
    bool orphan;                /* the store that gave it is gone: nobody to tell */
    bool open, made;            /* the slot holds a file; tmp/NAME may be ours to remove */
    bool repaired, reopened;    /* each is tried once */
    bool sure;                  /* the names tmp, new and cur in the mailbox are durable */
    enum stage stage;
    bool busy;                  /* a chain is under way */
    enum op last;               /* ... and ends with this */
    enum op failed;             /* what failed first in it, and how */
    enum fault fault;
    struct line_ends ends;
    struct buffer text;         /* to be written */
    uint64_t offset;            /* of what is written next */
    size_t taken, writing;      /* octets to give credit for: not yet in a chain, and in one */
    struct job *next;
    uint8_t outcome;            /* enum job_outcome; 0: not known yet */
    struct status_code code;
    const char *words;
    char name[LOCAL_NAME_MOST + 1];
    char folder[LOCAL_FOLDER_MOST + 1];
};

/* Fix the file's name from what does not change between attempts. */
void job_name(struct job *job, const struct envelope *envelope);
/* It has got a lane: begin. */
void job_start(struct job *job, struct effects *fx);
/* More text came, or the end of it, or the store died: go on if nothing is under way. */
void job_pump(struct job *job, struct effects *fx);
/* A file operation of it ended. Octets for which credit is due are added to *credit. */
void job_on_io(struct job *job, const struct event *event, struct effects *fx, size_t *credit);
/* It comes to nothing, for this reason; what it left behind is removed first. */
void job_fail(struct job *job, enum fault fault, struct effects *fx);
/* All is said and no chain is under way: tell the outcome and forget it. */
static inline bool job_is_over(const struct job *job) { return job->outcome != 0 && !job->busy; }

static inline uint64_t job_token(const struct job *job, enum op op)
{
    return (uint64_t)job->serial << 16 | (uint64_t)job->lane << 8 | (uint64_t)op;
}

#endif

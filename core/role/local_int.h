/* SPDX-License-Identifier: ISC
 *
 * role/local_int.h: what the files of local share. Nobody else includes it.
 *
 *   local.c           the role: frames, lanes, questions; and the role user, which is a local with
 *                     one mailbox
 *   local_ask.c       is there such a mailbox?
 *   local_cover.c     our card in front of a bounce
 *   local_deliver.c   one delivery, stage by stage
 *   local_user.c      letters for system users, handed to children that are those
 *   local_home.c      what follows from the state of that one's home
 *   local_path.c      where the mailbox of an address lies
 *   local_text.c      line ends, and the lines that go on top
 */
#ifndef POSTERN_ROLE_LOCAL_INT_H
#define POSTERN_ROLE_LOCAL_INT_H

#include "base/effects.h"
#include "base/limits.h"
#include "bounce/rules.h"
#include "mail/envelope.h"
#include "mail/status.h"
#include "plan/conf.h"
#include "role/role.h"
#include "role/wire.h"

enum {
    LOCAL_LANES = 4,            /* deliveries beside each other; a lane and a file slot each */
    LOCAL_SURE = 1024,          /* mailboxes and domains it remembers to have synced */
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

/* ---- local_cover.c */

/* Of a delivery that may get a card in front (bounce/cover.h): its text is kept back until all of
   it is there and it is known whether the letter it names was sent from here. */
struct job_cover {
    struct buffer head, to;         /* the envelope, and the recipient's entry */
    struct buffer raw;              /* the text as it came */
    uint64_t due_ms;                /* asked: an answer counts until then; 0: not asked */
};

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
    OP_LINK, OP_RENAME, OP_SYNC_NEW, OP_SYNC_CUR, OP_SYNC_BOX, OP_SYNC_ABOVE,
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
    bool own;                   /* the mailbox itself may have to be made, in its root */
    bool sure;                  /* its name, and tmp, new and cur in it, are durable */
    bool sure_above;            /* so is the name of its domain */
    enum stage stage;
    bool busy;                  /* a chain is under way */
    enum op last;               /* ... and ends with this */
    enum op failed;             /* what failed first in it, and how */
    enum fault fault;
    struct line_ends ends;
    struct buffer text;         /* to be written */
    struct job_cover *cover;    /* NULL: what came is in `text` */
    uint64_t offset;            /* of what is written next */
    size_t taken, writing;      /* octets to give credit for: not yet in a chain, and in one */
    struct job *next;
    uint8_t outcome;            /* enum job_outcome; 0: not known yet */
    struct status_code code;
    const char *words;
    char name[LOCAL_NAME_MOST + 1];
    char folder[LOCAL_FOLDER_MOST + 1];
};

/* By its envelope: may it be covered? Then its text goes to job->cover first. */
void job_cover_begin(struct job *job, const struct envelope *envelope,
                     const struct wire_job_begin *begin);
void job_cover_part(struct job *job, struct bytes text);
/* All came: cover it, let it be as it is, or first ask `boss` whether it is known. */
void job_cover_end(struct job *job, struct rules *rules, struct role_name boss, uint64_t now_ms,
                   struct effects *fx);
/* The answer came, or is not waited for any more (`known` false). */
void job_cover_known(struct job *job, struct rules *rules, bool known);
void job_cover_free(struct job *job);

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

/* ---- local_home.c */

enum mailbox_is home_is(enum home_state home);
/* Why nothing can be delivered there: not for HOME_WELL. */
struct bytes home_words(enum home_state home, struct status_code *ret_code);

/* ---- local_user.c */

enum { USERS_EACH = 2 };        /* places that one user's letters may hold at once */

enum place_state {
    PLACE_FREE,
    PLACE_STARTS,               /* a child was asked for */
    PLACE_WORKS,                /* it is there and has its errand */
    PLACE_ENDS,                 /* it has answered, or was given up: until its channel is down */
};

struct errand;

/* Of one child. */
struct user_place {
    enum place_state state;
    struct errand *errand;      /* NULL in FREE and ENDS */
    uint64_t letter;            /* what it may still be at, though nobody waits for it */
    uint32_t recipient;
    uint64_t due_ms;            /* it is ended then; 0: it was */
    char name[LIMIT_USER_NAME + 1];
};

struct errands {
    struct errand *list;        /* in the order they came */
    size_t n;
    struct user_place places[LIMIT_USERS];
};

/* A letter for that user, or a question whether there is one; `frame` is the store's own. */
void errands_letter(struct errands *errands, struct bytes name, const struct wire_job_begin *begin,
                    struct bytes frame, struct effects *fx);
void errands_ask(struct errands *errands, struct bytes name, const struct wire_mailbox_ask *ask,
                 struct bytes frame, struct effects *fx);
/* More of that letter; false: it is none of these. */
bool errands_more(struct errands *errands, uint32_t number, struct bytes frame,
                  const struct moment *now, struct effects *fx);
void errands_drop(struct errands *errands, uint32_t number, struct effects *fx);
/* A child said something; false: nothing that it may say now. */
MUST_USE bool errands_told(struct errands *errands, uint32_t index, struct bytes frame,
                           const struct moment *now, struct effects *fx);
void errands_child(struct errands *errands, uint32_t index, bool up, const struct moment *now,
                   struct effects *fx);
/* Nobody waits for them any more. `begun_too`: end the children, too. */
void errands_forget(struct errands *errands, bool begun_too, struct effects *fx);
/* Begin what can be begun, end what took too long. */
void errands_go(struct errands *errands, const struct moment *now, struct effects *fx);
/* When errands_go must be called at the latest; 0: it need not. */
uint64_t errands_due(const struct errands *errands);
void errands_done(struct errands *errands);

/* ---- local.c */

struct local {
    const struct conf *conf;
    struct job *jobs;               /* in the order they came */
    size_t jobs_n;
    struct job *lanes[LOCAL_LANES];
    uint32_t serial;
    uint64_t sure[LOCAL_SURE];      /* hashes of mailboxes and domains whose names are durable */
    struct role_name boss;          /* who gives it letters: the store; of a user, local */
    struct routes *routes;          /* NULL for a user */
    struct errands errands;         /* letters for system users */
    struct rules *rules;            /* NULL: no bounce came yet */
    bool is_user;                   /* it is one, with a single mailbox, for one answer */
    bool answered;
    enum home_state home;
    struct moment now;
    uint64_t alarm_ms;
    uint32_t asker;                 /* grows with each store: only the last one's questions count */
    bool stopping, over;
};

/* Tokens of questions have this bit, those of deliveries never. */
#define LOCAL_ASK_BIT ((uint64_t)1 << 63)
enum { LOCAL_ASKERS = 1 << 30 };

/* ---- local_ask.c */

/* The domain of an address that has none. */
struct bytes local_home(const struct local *local);
void local_on_ask(struct local *local, const struct wire_mailbox_ask *ask, struct bytes frame,
                  struct effects *fx);
/* What its IO_STAT said. */
void local_on_stat(struct local *local, const struct event *event, struct effects *fx);

#endif

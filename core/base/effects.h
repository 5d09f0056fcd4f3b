/* SPDX-License-Identifier: ISC
 *
 * base/effects.h: what a role asks of its world; a list of plain values, made anew in each step.
 *
 * A slice in an effect must live until that role's next step: the world sends or copies it before
 * then. Only IO_WRITE's data changes hands: the world frees it with mem_free when it was written.
 */
#ifndef POSTERN_BASE_EFFECTS_H
#define POSTERN_BASE_EFFECTS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/event.h"

struct web_response;            /* web/web.h */

enum effect_kind {
    FX_SEND,        /* these octets to a connection, in order, as fast as it takes them */
    FX_PAUSE,       /* read no more from a connection until FX_RESUME */
    FX_RESUME,
    FX_CLOSE,       /* send what is left, then close; of this connection only EV_CLOSED comes */
    FX_ABORT,       /* close at once, unsent octets are lost; then EV_CLOSED */
    FX_DIAL,        /* connect to `address`, or to the unix socket `bytes` when that is not empty:
                       EV_CONNECTED with `number` as its token, sooner or later */
    FX_TELL,        /* a frame to another role; lost without a word when its channel is down */
    FX_RESOLVE,     /* names only: ask for the records of type `conn` of the name `bytes`;
                       EV_RESOLVED with `number` as its token, sooner or later */
    FX_FETCH,       /* fetch only: do what `bytes` say (dns/fetch.h codes it); EV_FETCHED with
                       `number` as its token, sooner or later */
    FX_FETCH_END,   /* fetch only: give up the one with this `number`; nothing is told of it */
    FX_ALARM,       /* EV_ALARM at that monotonic time, in place of the one before; 0: none */
    FX_IO,          /* a file operation */
    FX_LOG,         /* one line, made by base/log.h, without its line end */
    FX_SPAWN,       /* master only: (re)start the process of `to` */
    FX_KILL,        /* master only: end the process of `to` (SIGTERM; `number` 1: SIGKILL) */
    FX_USER,        /* local only: let a child that is the system user `bytes` have the place `to`;
                       EV_PEER_UP tells of it, EV_PEER_DOWN that it ended, or could not be made.
                       `bytes` empty: end it, however it is */
    FX_RELOAD,      /* admin only: read the configuration anew; EV_RELOAD tells how it went */
    FX_ANSWER,      /* admin only: to EV_ASKED with `number` as its token; once for each */
    FX_EXIT,        /* this role is done; `number` is the exit status (sysexits) */
};

/* Names are relative to one of these folders, never begin with '/', never hold "..". */
enum io_root { IN_SPOOL, IN_MAIL, IN_KEYS, IO_ROOTS };

enum io_kind {
    IO_CREATE,      /* make a new file (FAULT_EXISTS: the name is taken), open it in slot `file` */
    IO_OPEN,        /* an existing regular file in slot `file`; EV_IO.number: its size */
    IO_WRITE,       /* `data`, all of it, at `offset` */
    IO_READ,        /* up to `count` octets at `offset`; fewer only at the end of the file */
    IO_EXTEND,      /* write zeroes so that the file is `count` octets long and has no holes */
    IO_TRUNCATE,    /* to `count` octets */
    IO_SYNC,        /* fdatasync of slot `file` */
    IO_CLOSE,
    IO_RENAME,      /* `name` to `to`, replacing what stood there */
    IO_LINK_NEW,    /* `name` to `to`; FAULT_EXISTS rather than replace; `name` is gone after */
    IO_UNLINK,
    IO_MKDIR,       /* one folder, mode 0700; an existing one is well */
    IO_SYNC_DIR,    /* fsync of the folder `name` ("" is the root itself) */
    IO_LIST,        /* EV_IO.bytes: names, each ended by '\n', sorted; at most LIMIT_LIST_BYTES */
    IO_STAT,        /* is there a folder (number 1) or a regular file (number 2), or FAULT_GONE */
    IO_SPACE,       /* EV_IO.number: free octets of the file system of `root` */
};

/* Lanes run beside each other; within one, operations run in the order given. `linked` ties an
   operation to the next of its lane in the same step: when it fails, the rest of the chain is not
   done, and their EV_IO says FAULT_SKIPPED. `quiet`: EV_IO only when it fails (a skipped quiet one
   is silent too). */
struct io {
    enum io_kind kind;
    enum io_root root;
    uint8_t lane;               /* 0 .. LIMIT_IO_LANES - 1 */
    bool linked, quiet;
    uint32_t file;              /* a slot, below LIMIT_IO_FILES; the role chooses and remembers */
    uint64_t token;             /* comes back in EV_IO */
    uint64_t offset, count;
    struct bytes name, to;
    char *data;                 /* IO_WRITE: from mem_*, owned by the world from now on */
    size_t data_n;
};

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct effect {
    enum effect_kind kind;
    uint32_t conn;
    struct role_name to;
    struct bytes bytes;
    struct bytes more;          /* TELL: the frame's second part, straight behind `bytes` */
    uint64_t number;            /* ALARM: monotonic ms; DIAL, KILL, ANSWER, EXIT: see there */
    const struct web_response *web;     /* ANSWER; lives until that role's next step */
    struct net_address address; /* DIAL */
    enum log_level level;
    struct io io;
};

struct effects {
    struct effect *list;
    size_t n, room;
    struct arena kept;          /* what fx_keep copied */
    struct buffer draft;
    bool bad;                   /* an effect could not be kept: the world must end the role */
};

/* Ready for use; holds no memory yet. */
struct effects effects_none(void);
void effects_done(struct effects *fx);
/* Before each step: forget the list (what it pointed to is the world's by now). */
void effects_clear(struct effects *fx);

/* An empty buffer to build a frame or a line in; the same one at every call. Pass it on through
   fx_keep. */
struct buffer *fx_draft(struct effects *fx);
/* A copy of the text that lives until effects_clear. */
struct bytes fx_keep(struct effects *fx, struct bytes text);

void fx_send(struct effects *fx, uint32_t conn, struct bytes bytes);
/* An internet address, or a unix socket when `path` is not empty. */
void fx_dial(struct effects *fx, uint32_t token, const struct net_address *address,
             struct bytes path);
/* The name as dns/name.h has it; lives until the next step. */
void fx_resolve(struct effects *fx, uint64_t token, uint16_t type, struct bytes name);
/* An order as dns/fetch.h codes it; lives until the next step. */
void fx_fetch(struct effects *fx, uint64_t token, struct bytes order);
void fx_fetch_end(struct effects *fx, uint64_t token);
void fx_pause(struct effects *fx, uint32_t conn);
void fx_resume(struct effects *fx, uint32_t conn);
void fx_close(struct effects *fx, uint32_t conn);
void fx_abort(struct effects *fx, uint32_t conn);
/* One frame: head, then body (which may be empty). At most LIMIT_FRAME_BYTES together. */
void fx_tell(struct effects *fx, struct role_name to, struct bytes head, struct bytes body);
void fx_alarm(struct effects *fx, uint64_t mono_ms);
void fx_io(struct effects *fx, struct io io);
void fx_log(struct effects *fx, enum log_level level, struct bytes line);
void fx_spawn(struct effects *fx, struct role_name role);
void fx_kill(struct effects *fx, struct role_name role, bool hard);
/* `index` below LIMIT_USERS; an empty name ends the child that has that place. */
void fx_user(struct effects *fx, uint32_t index, struct bytes name);
void fx_reload(struct effects *fx);
void fx_answer(struct effects *fx, uint64_t token, const struct web_response *response);
void fx_exit(struct effects *fx, int status);

#endif

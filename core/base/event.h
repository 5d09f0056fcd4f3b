/* SPDX-License-Identifier: ISC
 *
 * base/event.h: what a world tells a role. Plain values; a slice inside lives until the
 * effects of its step were carried out, so an effect may point into it.
 *
 * The whole contract between roles and worlds is this file and effects.h. A role is stepped with
 * one event and answers with effects; it cannot wait, and the same events in the same order give
 * the same effects, octet for octet.
 */
#ifndef POSTERN_BASE_EVENT_H
#define POSTERN_BASE_EVENT_H

#include "base/bytes.h"

/* What can go wrong in the world. Each is somebody's to handle: results with it are MUST_USE. */
enum fault {
    OK = 0,
    FAULT_NO_SPACE,     /* disk full, or a file may not grow so far */
    FAULT_IO,           /* the disk failed; after a sync, nothing of that file is certain */
    FAULT_GONE,         /* no file or folder of that name */
    FAULT_EXISTS,       /* the name is taken */
    FAULT_DENIED,       /* no permission, or a read-only file system */
    FAULT_TOO_MANY,     /* descriptors or another table of the machine are full */
    FAULT_NO_MEMORY,
    FAULT_SKIPPED,      /* not done, because one linked before it failed */
    FAULT_UNREACHED,    /* nobody answers at that address of the network */
    FAULT_QUOTA,        /* there is room, but not for this user: his quota is used up */
};

enum role_kind { ROLE_MASTER, ROLE_FRONT, ROLE_STORE, ROLE_LOCAL, ROLE_ADMIN, ROLE_RELAY,
                 ROLE_KEYS, ROLE_USER, ROLE_NAMES, ROLE_FETCH, ROLE_KINDS };

/* One of possibly several processes of a kind: fronts and users are many, the others index 0. */
struct role_name {
    enum role_kind kind;
    uint32_t index;
};

struct moment {
    uint64_t mono_ms;   /* never steps back within one start of the machine; for every time limit */
    uint64_t wall_ms;   /* since 1970 UTC; may jump; for what people read, and for the disk */
};

/* A network address as 16 octets, IPv4 mapped (RFC 4291, 2.5.5.2), and a port in host order.
   A unix socket's peer has `unix_peer` set and its uid in place of an address; `local` of that
   EV_ACCEPT holds our own. */
struct net_address {
    uint8_t ip[16];
    uint16_t port;
    bool unix_peer;
    uint32_t uid;
};

enum event_kind {
    EV_START,       /* first event of a role's life */
    EV_ACCEPT,      /* a client connected to a listener of this role */
    EV_BYTES,       /* octets came on a connection; the role takes all of them */
    EV_END,         /* the other side will send no more, but may still read */
    EV_CLOSED,      /* the connection is gone, both ways; its number is free again */
    EV_DRAINED,     /* a reader was too slow for all at once; now all that was sent has left */
    EV_TOLD,        /* a frame from another role */
    EV_PEER_UP,     /* the channel to another role is open (at the start, and after a restart) */
    EV_PEER_DOWN,   /* that role died or its channel broke; what was on its way is lost */
    EV_IO,          /* a file operation ended */
    EV_ALARM,       /* the time asked for by fx_alarm has come */
    EV_TURN,        /* nothing more is at hand at this instant: the place to send a batch off */
    EV_RELOAD,      /* from now on `conf` holds, and the settings before it are no more; for admin
                       also how a reload went that it had asked for by fx_reload */
    EV_STOP,        /* end cleanly, soon */
    EV_CONNECTED,   /* FX_DIAL ended: `token` as given; `fault` OK and `conn` is open, or why not */
    EV_ASKED,       /* admin only: somebody asks over HTTP: `web`, which lives until FX_ANSWER with
                       this `token` */
    EV_RESOLVED,    /* FX_RESOLVE ended: `token` as given, `bytes` the answer as dns/answer.h codes
                       it */
    EV_FETCHED,     /* FX_FETCH ended: `token` as given, `number` enum fetch_result of dns/fetch.h |
                       HTTP status << 8, `bytes` the document */
    EV_CHILD,       /* master only: the process of `peer` ended, or could not be made */
};

struct conf;                    /* plan/conf.h */
struct web_request;             /* web/web.h */

struct event {
    enum event_kind kind;
    struct moment now;
    uint32_t conn;              /* ACCEPT to CLOSED, DRAINED: small, dense, reused after CLOSED */
    uint32_t listener;          /* ACCEPT: which of the role's listeners */
    struct net_address remote, local;   /* ACCEPT; CONNECTED: `local`, zero when not known */
    struct role_name peer;      /* TOLD, PEER_UP, PEER_DOWN, CHILD */
    struct bytes bytes;         /* BYTES, TOLD, IO (as read or listed); START: 32 random octets;
                                   RELOAD: what changed or is wrong, in lines */
    const struct conf *conf;    /* RELOAD: lives until the next; NULL: all stays as it was */
    const struct web_request *web;      /* ASKED */
    uint64_t token;             /* IO, CONNECTED: as given; ASKED: for the answer */
    enum fault fault;           /* IO, CONNECTED */
    uint64_t number;            /* IO: octets read, a file's size, or free octets, by its kind;
                                   CHILD: exit status, 128 and a signal's number, or 71: no fork;
                                   RELOAD: 0, or an exit status (sysexits); START: of a user,
                                   enum home_state of role/role.h */
};

#endif

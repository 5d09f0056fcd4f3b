/* SPDX-License-Identifier: ISC
 *
 * role/keys_int.h: what the files of keys share. Nobody else includes it.
 *
 *   keys.c        the role: events in, signatures out, tickets' secrets, who is told what
 *   keys_read.c   the folder of certificates, file after file
 */
#ifndef POSTERN_ROLE_KEYS_INT_H
#define POSTERN_ROLE_KEYS_INT_H

#include "base/effects.h"
#include "base/limits.h"
#include "crypt/sign.h"
#include "plan/conf.h"
#include "role/wire.h"

enum {
    KEYS_MOST = 256,                        /* certificates of one set */
    KEYS_AUTHORITIES_MOST = 16,
    KEYS_FILE_MOST = WIRE_TAIL_MOST,        /* octets: it goes to the fronts as one frame */
    KEYS_SECRET = 32,
    KEYS_ROTATE_MS = 12 * 60 * 60 * 1000,   /* reference/security, 6 */
    KEYS_STAY_MS = 60 * 1000,               /* of a set that another took the place of */
    KEYS_OPS_A_SECOND = 10000,              /* signatures for one asker; above it: no */
    KEYS_ASKERS = LIMIT_FRONTS + 1,         /* relay is the last */
};

struct held_key {
    struct sign_key *key;
    struct buffer chain;
};

/* The number of a key is its generation's and its place. */
struct key_set {
    struct held_key *list;                  /* KEYS_MOST of them, or NULL */
    size_t n;
    struct buffer authorities[KEYS_AUTHORITIES_MOST];
    size_t authorities_n;
    uint32_t generation;
};

enum keys_file { KEYS_NO_FILE, KEYS_CHAIN, KEYS_KEY, KEYS_AUTHORITY_FILE };

/* The folder, as far as it was read. */
struct keys_reading {
    bool under_way, again;                  /* again: it was asked for meanwhile */
    struct key_set set;
    struct buffer names;                    /* each ended by '\n' */
    size_t names_at;
    struct buffer name;                     /* of the file in hand */
    enum keys_file file;
    struct buffer chain;                    /* read, its key not yet */
    uint64_t turn;                          /* of operations: an older one is passed over */
};

struct allowance {
    uint64_t second;
    uint32_t used;
};

struct keys {
    const struct conf *conf;
    struct moment now;
    struct effects *fx;
    struct key_set set;
    struct key_set before;                  /* for handshakes that began under it */
    uint64_t forget_ms;                     /* then it is forgotten */
    struct keys_reading reading;
    uint32_t generations;
    bool up[KEYS_ASKERS];
    struct allowance allowances[KEYS_ASKERS];
    uint8_t secret_now[KEYS_SECRET], secret_before[KEYS_SECRET];
    bool has_before;
    uint64_t rotate_ms;
};

/* ---- keys.c */

/* It is whole: from now on it counts. */
void keys_install(struct keys *keys, struct key_set *set);
/* One more certificate and its key, which are the set's from now on when true. */
bool key_set_add(struct key_set *set, struct sign_key *key, struct bytes chain);
void key_set_done(struct key_set *set);
void keys_log(struct keys *keys, enum log_level level, const char *event, struct bytes file,
              const char *why);

/* ---- keys_read.c */

void keys_read(struct keys *keys);
void keys_io(struct keys *keys, const struct event *event);
void keys_reading_done(struct keys_reading *reading);

#endif

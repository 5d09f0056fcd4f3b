/* SPDX-License-Identifier: ISC
 *
 * role/local_maildir_int.h: a small Maildir in memory that does what local asks for; for its tests.
 */
#ifndef POSTERN_ROLE_LOCAL_MAILDIR_INT_H
#define POSTERN_ROLE_LOCAL_MAILDIR_INT_H

#include "role/local_int.h"
#include "role/role.h"

enum { FILES = 8, CONTENT = 32 * 1024 };

struct world {
    struct effects fx;
    void *local;
    struct conf conf;
    char mailbox[128];                          /* the one that exists; "" none */
    bool has_tmp, has_new, has_cur;
    bool counts_only;                           /* of what is written only the octets count */
    struct { char path[512]; char text[CONTENT]; size_t n; bool synced; } files[FILES];
    char open[LIMIT_IO_FILES][512];
    unsigned fail_at, done;                     /* the n-th operation fails */
    enum fault fault;
    char ops[4096];                             /* what was asked for, in order */
    unsigned results, credit;
    struct wire_job_result result;
    char words[512];
    int asked;                                  /* the last MAILBOX_IS */
    unsigned known_asks;
    uint64_t now_ms, alarm_ms;
    uint8_t known_by;                           /* of the last KNOWN_ASK */
    char known_key[128], known_mailbox[128];
    bool new_synced, exited;
    unsigned steps, fail_step;                  /* in that step ... */
    uint64_t fail_memory;                       /* ... the n-th allocation fails */
    bool dead;                                  /* it gave up for want of memory */
};

enum { LETTER = 77, JOB = 5 };

struct order {
    const char *to;
    bool recovered, binary;
    bool null_sender;
    uint64_t size;
};

#define NAME "1700000000.000000000002D.2.mx.example.org"
#define IN(sub) "example.org/jo/" sub "/" NAME

extern const struct bytes test_domain;

void start(struct world *w);
void stop(struct world *w);
/* After its death: a new one, on what is left in the folders. */
void start_again(struct world *w);
/* One event, and all that follows from it. */
void step(struct world *w, struct event event);
/* The frames in fx, from the store. */
void tell(struct world *w, const struct effects *fx);
void tell_begin(struct world *w, struct order order);
void tell_part(struct world *w, struct bytes text);
void tell_end(struct world *w);
/* A whole small letter, its line ends cut apart. */
void deliver(struct world *w, struct order order);

/* Files whose path holds that text. */
size_t count_files(const struct world *w, const char *sub);
size_t file_of(struct world *w, struct bytes path);
void put_file(struct world *w, const char *path);
void copy(char *to, struct bytes text);

#endif

/* SPDX-License-Identifier: ISC
 *
 * queue/world_test.h: for tests only: a queue over a disk that the test holds, with faults on
 * order.
 *
 * The disk does each operation at once, in order. What was not synced is there until test_crash,
 * which leaves of every file what its last sync saw and of every folder what its last sync saw.
 * (The simulator in sim/ has the disk that tears and reorders.)
 */
#ifndef POSTERN_QUEUE_WORLD_TEST_H
#define POSTERN_QUEUE_WORLD_TEST_H

#include "queue/queue.h"

enum { TEST_FILES = 64, TEST_NEWS = 512, TEST_SEGMENT = 65536 };

struct test_file {
    char name[64], synced_name[64];     /* "": there is none */
    char *at, *synced;
    size_t n, synced_n;
};

/* News with copies of what it points to. */
struct test_news {
    struct queue_news is;
    char text[512];
    size_t text_n;
    char to[256];               /* a copy of is.to, cut */
    size_t to_n;
};

struct test_world {
    struct queue *queue;
    struct queue_conf conf;
    struct effects fx;
    struct moment now;
    struct test_file files[TEST_FILES];
    int slots[LIMIT_IO_FILES];          /* file + 1 */
    uint64_t space;
    unsigned ios;                       /* operations done since the world began */
    unsigned fail_at;                   /* this one fails (0: none) ... */
    unsigned fail_count;                /* ... and so many behind it */
    enum fault fail_with;
    int fail_kind;                      /* only operations of this enum io_kind count; -1: all */
    bool bad;                           /* the queue gave up: memory */
    bool held;                          /* do nothing of LANE 0: a disk that does not answer */
    struct test_news news[TEST_NEWS];
    size_t news_n;
    char *letter;                       /* text of the jobs, put together */
    size_t letter_n;
};

void test_begin(struct test_world *w, const struct queue_conf *conf);
void test_end(struct test_world *w);
/* A queue of its own with small segments. */
struct queue_conf test_conf(void);
/* Start a queue over what is on the disk, and let it recover. */
void test_start(struct test_world *w);
/* The process ends; the disk keeps all. */
void test_kill(struct test_world *w);
/* The machine stops: what was not synced is gone. */
void test_crash(struct test_world *w);
/* Do what is to be done until nothing more is. */
void test_run(struct test_world *w);
/* The same after so much time. */
void test_wait(struct test_world *w, uint64_t ms);
/* A letter for one recipient; its token. */
void test_put(struct test_world *w, uint32_t token, const char *text);
/* How many news of that kind there were, and the last one (or NULL). */
size_t test_count(const struct test_world *w, enum queue_news_kind kind);
const struct test_news *test_last(const struct test_world *w, enum queue_news_kind kind);
struct test_file *test_file(struct test_world *w, const char *name);

#endif

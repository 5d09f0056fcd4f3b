/* SPDX-License-Identifier: ISC */
#include "host/io.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024, SPARE_JOBS = 1024 };

struct job {
    struct job *next;
    struct io io;
    char *names;                /* what io.name and io.to point into; or NULL */
    struct file_result result;
    bool silent;                /* nobody waits for this one */
};

struct jobs {
    struct job *first, **end;   /* end == NULL: empty */
};

struct lane {
    struct lanes *lanes;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;       /* guards what follows */
    pthread_cond_t more;
    struct jobs waiting;
    bool asleep, stop;
};

struct lanes {
    struct files *files;
    unsigned n;
    int wake_fd;
    size_t busy;
    struct jobs gathered[LIMIT_IO_LANES];   /* the loop's */
    struct job *last[LIMIT_IO_LANES];       /* of those */
    struct job *spare;                      /* the loop's */
    size_t spares;
    struct lane lane[LIMIT_IO_LANES];
    pthread_mutex_t done_lock;              /* guards what follows */
    struct jobs done;
    bool woken;                             /* the loop was told and has not come yet */
};

static void jobs_put(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    if (jobs->end == NULL)
        jobs->first = job;
    else
        *jobs->end = job;
    jobs->end = &job->next;
}

static void jobs_join(struct jobs *to, struct jobs *from)
{
    if (from->end == NULL)
        return;
    if (to->end == NULL)
        to->first = from->first;
    else
        *to->end = from->first;
    to->end = from->end;
    *from = (struct jobs){ 0 };
}

static struct jobs jobs_move(struct jobs *from)
{
    struct jobs all = *from;

    *from = (struct jobs){ 0 };
    return all;
}

/* ---- in the lane's thread ---- */

static bool is_slow(enum io_kind kind)
{
    return kind == IO_SYNC || kind == IO_SYNC_DIR || kind == IO_EXTEND;
}

/* Give the loop what is done. It is woken once for all that it has not yet taken. */
static void post(struct lanes *lanes, struct jobs *done, bool loud)
{
    bool wake;
    uint64_t one = 1;

    if (done->end == NULL)
        return;
    pthread_mutex_lock(&lanes->done_lock);
    jobs_join(&lanes->done, done);
    wake = loud && !lanes->woken;
    lanes->woken = lanes->woken || loud;
    pthread_mutex_unlock(&lanes->done_lock);
    if (wake && write(lanes->wake_fd, &one, sizeof(one)) < 0)
        abort();                /* an eventfd cannot fail but by our own mistake */
}

static void run_job(struct lanes *lanes, struct job *job, bool skip)
{
    job->result = skip ? (struct file_result){ .fault = FAULT_SKIPPED }
                       : file_run(lanes->files, &job->io);
    job->silent = job->io.quiet && (skip || job->result.fault == OK);
    mem_free(job->io.data);
    job->io.data = NULL;
}

/* What is quick is posted together; before a slow one starts, what was done goes out. */
static void run_batch(struct lanes *lanes, struct jobs batch)
{
    struct jobs done = { 0 };
    bool loud = false, skip = false;

    for (struct job *job = batch.first, *next; job != NULL; job = next) {
        next = job->next;
        if (is_slow(job->io.kind) && loud) {
            post(lanes, &done, true);
            loud = false;
        }
        run_job(lanes, job, skip);
        skip = job->io.linked && job->result.fault != OK;
        loud = loud || !job->silent;
        jobs_put(&done, job);
    }
    post(lanes, &done, loud);
}

static void *lane_main(void *of)
{
    struct lane *lane = of;
    struct jobs batch;

    do {
        pthread_mutex_lock(&lane->lock);
        while (lane->waiting.end == NULL && !lane->stop) {
            lane->asleep = true;
            pthread_cond_wait(&lane->more, &lane->lock);
            lane->asleep = false;
        }
        batch = jobs_move(&lane->waiting);
        pthread_mutex_unlock(&lane->lock);
        run_batch(lane->lanes, batch);
    } while (batch.end != NULL);
    return NULL;
}

/* ---- in the loop's thread ---- */

static bool lane_start(struct lanes *lanes, struct lane *lane)
{
    pthread_attr_t attr;

    lane->lanes = lanes;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->more, NULL);
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    lane->started = pthread_create(&lane->thread, &attr, lane_main, lane) == 0;
    pthread_attr_destroy(&attr);
    return lane->started;
}

struct lanes *lanes_new(unsigned n, struct files *files)
{
    struct lanes *lanes = mem_new(sizeof(*lanes));

    assert(n > 0 && n <= LIMIT_IO_LANES);
    if (lanes == NULL)
        return NULL;
    lanes->files = files;
    pthread_mutex_init(&lanes->done_lock, NULL);
    lanes->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    while (lanes->wake_fd >= 0 && lanes->n < n && lane_start(lanes, &lanes->lane[lanes->n]))
        lanes->n++;
    if (lanes->n < n) {
        lanes_free(lanes);
        return NULL;
    }
    return lanes;
}

static void job_free(struct job *job)
{
    mem_free(job->io.data);
    mem_free(job->names);
    mem_free(job->result.data);
    mem_free(job);
}

static void jobs_free(struct jobs *jobs)
{
    for (struct job *job = jobs->first, *next; job != NULL; job = next) {
        next = job->next;
        job_free(job);
    }
    *jobs = (struct jobs){ 0 };
}

static void lane_stop(struct lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->stop = true;
    pthread_cond_signal(&lane->more);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->thread, NULL);
    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->more);
}

void lanes_free(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    for (unsigned i = 0; i < lanes->n; i++)
        lane_stop(&lanes->lane[i]);
    for (unsigned i = 0; i < LIMIT_IO_LANES; i++)
        jobs_free(&lanes->gathered[i]);
    jobs_free(&lanes->done);
    struct jobs spare = { .first = lanes->spare };
    jobs_free(&spare);
    pthread_mutex_destroy(&lanes->done_lock);
    if (lanes->wake_fd >= 0)
        close(lanes->wake_fd);
    mem_free(lanes);
}

int lanes_fd(const struct lanes *lanes)
{
    return lanes->wake_fd;
}

size_t lanes_busy(const struct lanes *lanes)
{
    return lanes->busy;
}

static struct job *job_new(struct lanes *lanes)
{
    struct job *job = lanes->spare;

    if (job == NULL)
        return mem_new(sizeof(*job));
    lanes->spare = job->next;
    lanes->spares--;
    *job = (struct job){ 0 };
    return job;
}

static bool copy_names(struct job *job)
{
    struct bytes name = job->io.name, to = job->io.to;

    if (name.n + to.n == 0) {
        job->io.name = job->io.to = BYTES_NONE;
        return true;
    }
    job->names = mem_resize(NULL, name.n + to.n);
    if (job->names == NULL)
        return false;
    if (name.n > 0)
        memcpy(job->names, name.at, name.n);
    if (to.n > 0)
        memcpy(job->names + name.n, to.at, to.n);
    job->io.name.at = job->names;
    job->io.to.at = job->names + name.n;
    return true;
}

bool lanes_add(struct lanes *lanes, const struct io *io)
{
    struct job *job = lanes == NULL || io->lane >= lanes->n ? NULL : job_new(lanes);

    if (job == NULL) {
        mem_free(io->data);
        return false;
    }
    job->io = *io;
    if (!copy_names(job)) {
        job_free(job);
        return false;
    }
    jobs_put(&lanes->gathered[io->lane], job);
    lanes->last[io->lane] = job;
    lanes->busy++;
    return true;
}

void lanes_end_step(struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->n; i++)
        if (lanes->last[i] != NULL) {
            lanes->last[i]->io.linked = false;
            lanes->last[i] = NULL;
        }
}

void lanes_go(struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->n; i++) {
        struct lane *lane = &lanes->lane[i];
        if (lanes->gathered[i].end == NULL)
            continue;
        lanes->last[i] = NULL;
        pthread_mutex_lock(&lane->lock);
        jobs_join(&lane->waiting, &lanes->gathered[i]);
        bool wake = lane->asleep;
        pthread_mutex_unlock(&lane->lock);
        if (wake)
            pthread_cond_signal(&lane->more);
    }
}

static void job_spare(struct lanes *lanes, struct job *job)
{
    mem_free(job->names);
    if (job->io.root == IN_KEYS && job->result.data != NULL)
        mem_wipe(job->result.data, job->result.data_n);
    mem_free(job->result.data);
    job->names = NULL;
    job->result.data = NULL;
    if (lanes->spares >= SPARE_JOBS) {
        mem_free(job);
        return;
    }
    job->next = lanes->spare;
    lanes->spare = job;
    lanes->spares++;
}

void lanes_take(struct lanes *lanes, void *of,
                void (*done)(void *of, uint64_t token, const struct file_result *result))
{
    pthread_mutex_lock(&lanes->done_lock);
    struct jobs all = jobs_move(&lanes->done);
    lanes->woken = false;
    pthread_mutex_unlock(&lanes->done_lock);
    for (struct job *job = all.first, *next; job != NULL; job = next) {
        next = job->next;
        lanes->busy--;
        if (!job->silent)
            done(of, job->io.token, &job->result);
        job_spare(lanes, job);
    }
}

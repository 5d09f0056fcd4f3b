/* SPDX-License-Identifier: ISC */
#include "sim/refuser.h"

#include "mail/envelope.h"
#include "role/wire.h"

static const uint32_t NO_JOB = UINT32_MAX;
enum { REFUSED_JOBS = 64 };

struct refuser {
    void *local;
    uint32_t jobs[REFUSED_JOBS];        /* those refused last: more of their text may come */
    uint32_t next;
};

static const struct role_name to_store = { ROLE_STORE, 0 };

static void *refuser_make(const struct conf *conf, uint32_t index)
{
    struct refuser *refuser = mem_new(sizeof(*refuser));

    if (refuser == NULL)
        return NULL;
    for (size_t i = 0; i < REFUSED_JOBS; i++)
        refuser->jobs[i] = NO_JOB;
    refuser->local = local_ops.make(conf, index);
    if (refuser->local == NULL) {
        mem_free(refuser);
        return NULL;
    }
    return refuser;
}

static void refuser_free(void *role)
{
    struct refuser *refuser = role;

    if (refuser == NULL)
        return;
    local_ops.free(refuser->local);
    mem_free(refuser);
}

static bool was_refused(const struct refuser *refuser, uint32_t job)
{
    for (size_t i = 0; i < REFUSED_JOBS; i++)
        if (refuser->jobs[i] == job)
            return true;
    return false;
}

/* A number may be used again, for a job that is not refused. */
static void forget(struct refuser *refuser, uint32_t job)
{
    for (size_t i = 0; i < REFUSED_JOBS; i++)
        if (refuser->jobs[i] == job)
            refuser->jobs[i] = NO_JOB;
}

/* Is the frame about a job that local never hears of? */
static bool refuses(struct refuser *refuser, struct bytes frame, struct effects *fx)
{
    struct wire_job_begin begin;
    struct wire_job_part part;
    struct wire_job_end end;
    struct wire_job_drop drop;
    struct recipient to;

    if (wire_read_job_part(frame, &part))
        return was_refused(refuser, part.job);
    if (wire_read_job_end(frame, &end))
        return was_refused(refuser, end.job);
    if (wire_read_job_drop(frame, &drop))
        return was_refused(refuser, drop.job);
    if (!wire_read_job_begin(frame, &begin) || !recipient_read(begin.to, &to))
        return false;
    forget(refuser, begin.job);
    if (!bytes_equal(to.address, BYTES(REFUSER_ADDRESS)))
        return false;
    refuser->jobs[refuser->next++ % REFUSED_JOBS] = begin.job;
    wire_tell_job_result(fx, to_store, &(struct wire_job_result){
        .job = begin.job, .outcome = JOB_FAILED, .class = 5, .subject = 2, .detail = 1,
        .words = BYTES("550 5.2.1 this mailbox takes no mail") });
    return true;
}

static void refuser_step(void *role, const struct event *event, struct effects *fx)
{
    struct refuser *refuser = role;

    if (event->kind != EV_TOLD || !refuses(refuser, event->bytes, fx))
        local_ops.step(refuser->local, event, fx);
}

const struct role_ops refuser_ops = {
    .name = "local", .make = refuser_make, .step = refuser_step, .free = refuser_free,
};

/* SPDX-License-Identifier: ISC
 *
 * host/ctl_doctor_int.h: what the files of postern doctor share.
 */
#ifndef POSTERN_HOST_CTL_DOCTOR_INT_H
#define POSTERN_HOST_CTL_DOCTOR_INT_H

#include "dns/checkup.h"
#include "dns/fetch.h"
#include "host/fetch.h"
#include "host/loop.h"
#include "host/resolve.h"

enum {
    DOCTOR_ANSWER_MOST = 64 * 1024,
    DOCTOR_QUESTION_MS = 30 * 1000,     /* patience for one question or document */
    DOCTOR_QUESTIONS_MS = 90 * 1000,    /* and for all of them */
};

/* What is to be known of a host besides what is told of it. */
struct doctor_host {
    struct buffer name, base, tlsa;     /* tlsa: the records, each a block */
};

struct doctor {
    const struct conf *conf;
    struct log_sink *log;
    struct loop *loop;
    struct buffer anchor;
    struct resolver *resolver;
    struct fetcher *fetcher;
    uint64_t until_ms;                  /* monotonic: no more questions then */
    uint64_t token;                     /* of the question that is open */
    bool told;
    struct buffer answer;               /* of the DNS, or a document */
    enum fetch_result result;
    struct checkup checkup;
    struct doctor_host hosts[MX_HOSTS_MOST];
};

/* ctl_doctor.c. One that may ask, with what the configuration says; it outlives it. NULL: why was
   said on standard error. */
MUST_USE struct doctor *doctor_begin(const struct conf *conf, struct bytes domain);
void doctor_end(struct doctor *doctor);

/* ctl_doctor_ask.c. Ready to ask, in doctor->loop; false: memory is short, or the anchor is none.
   Close it whatever was said. */
MUST_USE bool doctor_open(struct doctor *doctor, struct bytes anchor);
void doctor_close(struct doctor *doctor);
/* What the DNS and the domain's web server say. */
void doctor_ask_hosts(struct doctor *doctor);
void doctor_ask_policy(struct doctor *doctor);
void doctor_ask_reports(struct doctor *doctor);
/* How we look to others who are called from that address. */
void doctor_ask_ours(struct doctor *doctor, struct checkup_ours *ours);

#endif

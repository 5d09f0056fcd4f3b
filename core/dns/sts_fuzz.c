/* SPDX-License-Identifier: ISC */
#include "dns/sts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A policy, and the same octets as records. A policy that reads keeps what it promises. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size };
    struct dns_answer answer = { .verdict = DNS_SECURE, .records = text };
    struct buffer id = buffer_with_most(64);
    struct sts_policy policy;
    struct sts_flaw flaw = { 0, NULL };

    if (sts_policy_read(text, &policy, &flaw)) {
        if (policy.n > STS_MX_MOST || policy.max_age > STS_AGE_MOST)
            abort();
        for (size_t i = 0; i < policy.n; i++)
            if (policy.mx[i].at[0] != '*' && !sts_allows(&policy, policy.mx[i]))
                abort();
    } else if (flaw.words == NULL) {
        abort();
    }
    if (sts_record_read(&answer, &id) != (id.n > 0) || id.n > STS_ID_MOST)
        abort();
    buffer_done(&id);
    return 0;
}

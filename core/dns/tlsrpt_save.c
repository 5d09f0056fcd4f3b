/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt_save.c: what was counted for one domain, as octets.
 *
 *   domain = block name, u8 n, n * policy
 *   policy = u8 kind, block domain, block text, u64 good, u64 bad, u8 n, n * failure
 *   failure = blocks of result, host, ip, sending ip, reason; u64 n
 */
#include "dns/tlsrpt_int.h"

#include "base/reader.h"

void tlsrpt_save_put(struct buffer *to, const struct tlsrpt *tlsrpt, size_t i)
{
    const struct tlsrpt_domain *domain = tlsrpt->domains[i];

    buffer_put_block(to, domain->name);
    buffer_put_u8(to, (uint8_t)domain->n);
    for (const struct tlsrpt_counts *one = domain->policies; one != NULL; one = one->next) {
        buffer_put_u8(to, (uint8_t)one->kind);
        buffer_put_block(to, one->domain);
        buffer_put_block(to, one->text);
        buffer_put_u64(to, one->good);
        buffer_put_u64(to, one->bad);
        buffer_put_u8(to, (uint8_t)one->n);
        for (const struct tlsrpt_failure *bad = one->failures; bad != NULL; bad = bad->next) {
            buffer_put_block(to, bad->result);
            buffer_put_block(to, bad->host);
            buffer_put_block(to, bad->ip);
            buffer_put_block(to, bad->sending_ip);
            buffer_put_block(to, bad->reason);
            buffer_put_u64(to, bad->n);
        }
    }
}

/* `counts` NULL: only read past it. */
static void read_failure(struct reader *in, struct tlsrpt_domain *domain,
                         struct tlsrpt_counts *counts)
{
    struct tlsrpt_session session = { .result = read_block(in) };

    session.host = read_block(in);
    session.ip = read_block(in);
    session.sending_ip = read_block(in);
    session.reason = read_block(in);
    uint64_t n = read_u64(in);
    if (reader_ok(in) && counts != NULL && session.result.n > 0)
        tlsrpt_failures_add(domain, counts, &session, n);
}

static void read_policy(struct reader *in, struct tlsrpt *tlsrpt, struct bytes name)
{
    struct tlsrpt_session session = { .domain = name };
    struct tlsrpt_domain *domain = NULL;
    struct tlsrpt_counts *counts = NULL;
    uint8_t kind = read_u8(in);

    session.policy_domain = read_block(in);
    session.text = read_block(in);
    uint64_t good = read_u64(in), bad = read_u64(in);
    uint8_t n = read_u8(in);
    in->bad = in->bad || kind > TLSRPT_NO_POLICY;
    if (in->bad)
        return;
    session.policy = (enum tlsrpt_policy)kind;
    counts = tlsrpt_counts_of(tlsrpt, &session, &domain);
    if (counts != NULL) {
        counts->good += good;
        counts->bad += bad;
    }
    for (uint8_t i = 0; i < n && reader_ok(in); i++)
        read_failure(in, domain, counts);
}

bool tlsrpt_save_read(struct tlsrpt *tlsrpt, struct bytes saved)
{
    struct reader in = reader_of(saved);
    struct bytes name = read_block(&in);
    uint8_t n = read_u8(&in);

    in.bad = in.bad || !dns_name_is_plain(name);
    for (uint8_t i = 0; i < n && reader_ok(&in); i++)
        read_policy(&in, tlsrpt, name);
    return reader_finished(&in);
}

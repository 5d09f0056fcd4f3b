/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt_count.c: what is counted for reports of TLS (RFC 8460, 4).
 */
#include "dns/tlsrpt_int.h"

#include "base/hash.h"

#include <string.h>

struct tlsrpt *tlsrpt_new(const uint8_t key[static 16])
{
    struct tlsrpt *tlsrpt = mem_new(sizeof(*tlsrpt));

    if (tlsrpt != NULL)
        memcpy(tlsrpt->key, key, sizeof(tlsrpt->key));
    return tlsrpt;
}

void tlsrpt_free(struct tlsrpt *tlsrpt)
{
    if (tlsrpt == NULL)
        return;
    for (size_t i = 0; i < tlsrpt->n; i++) {
        arena_done(&tlsrpt->domains[i]->arena);
        mem_free(tlsrpt->domains[i]);
    }
    mem_free(tlsrpt);
}

/* ---- counting */

static struct tlsrpt_domain **bucket_of(struct tlsrpt *tlsrpt, struct bytes name)
{
    return &tlsrpt->buckets[siphash(tlsrpt->key, name) % TLSRPT_BUCKETS];
}

static struct tlsrpt_domain *domain_of(struct tlsrpt *tlsrpt, struct bytes name)
{
    struct tlsrpt_domain **at = bucket_of(tlsrpt, name);

    while (*at != NULL && !bytes_equal((*at)->name, name))
        at = &(*at)->next;
    if (*at != NULL || tlsrpt->n == TLSRPT_DOMAINS_MOST || name.n > DNS_NAME_MOST)
        return *at;
    struct tlsrpt_domain *domain = mem_new(sizeof(*domain));
    if (domain == NULL)
        return NULL;
    domain->arena = arena_with_ceiling(TLSRPT_DOMAIN_OCTETS);
    domain->name = arena_copy(&domain->arena, name);
    domain->end = &domain->policies;
    if (domain->name.at == NULL) {
        arena_done(&domain->arena);
        mem_free(domain);
        return NULL;
    }
    tlsrpt->domains[tlsrpt->n++] = domain;
    return *at = domain;
}

static bool is_policy(const struct tlsrpt_counts *counts, const struct tlsrpt_session *session,
                      struct bytes text)
{
    return counts->kind == session->policy && bytes_equal(counts->text, text)
        && bytes_equal(counts->domain, session->policy_domain);
}

static struct tlsrpt_counts *policy_of(struct tlsrpt_domain *domain,
                                       const struct tlsrpt_session *session)
{
    struct bytes text = bytes_first(session->text, TLSRPT_POLICY_MOST);
    struct tlsrpt_counts *counts = domain->policies;

    while (counts != NULL && !is_policy(counts, session, text))
        counts = counts->next;
    if (counts != NULL || domain->n == TLSRPT_POLICIES_MOST)
        return counts;
    counts = arena_take(&domain->arena, sizeof(*counts));
    text = arena_copy(&domain->arena, text);
    struct bytes of = arena_copy(&domain->arena, bytes_first(session->policy_domain,
                                                             DNS_NAME_MOST));
    if (counts == NULL || text.at == NULL || of.at == NULL)
        return NULL;
    *counts = (struct tlsrpt_counts){ .kind = session->policy, .domain = of, .text = text,
                                      .end = &counts->failures };
    domain->n++;
    *domain->end = counts;
    domain->end = &counts->next;
    return counts;
}

struct tlsrpt_counts *tlsrpt_counts_of(struct tlsrpt *tlsrpt, const struct tlsrpt_session *session,
                                       struct tlsrpt_domain **ret_domain)
{
    struct tlsrpt_domain *domain = domain_of(tlsrpt, session->domain);
    struct tlsrpt_counts *counts = domain == NULL ? NULL : policy_of(domain, session);

    if (counts != NULL)
        *ret_domain = domain;
    return counts;
}

static bool is_same(const struct tlsrpt_failure *failure, const struct tlsrpt_session *session)
{
    return bytes_equal(failure->result, session->result)
        && bytes_equal(failure->host, session->host) && bytes_equal(failure->ip, session->ip)
        && bytes_equal(failure->sending_ip, session->sending_ip);
}

/* Words of a stranger's: what is not printable ASCII is a question mark. */
static struct bytes copy_words(struct arena *arena, struct bytes words)
{
    char plain[TLSRPT_WORDS_MOST];

    words = bytes_first(words, sizeof(plain));
    for (size_t i = 0; i < words.n; i++)
        plain[i] = words.at[i] < ' ' || words.at[i] > '~' ? '?' : words.at[i];
    return arena_copy(arena, (struct bytes){ plain, words.n });
}

static struct tlsrpt_failure *new_failure(struct arena *arena,
                                          const struct tlsrpt_session *session)
{
    struct tlsrpt_failure *failure = arena_take(arena, sizeof(*failure));

    if (failure == NULL)
        return NULL;
    *failure = (struct tlsrpt_failure){
        .result = copy_words(arena, session->result), .host = copy_words(arena, session->host),
        .ip = copy_words(arena, session->ip),
        .sending_ip = copy_words(arena, session->sending_ip),
        .reason = copy_words(arena, session->reason),
    };
    return arena->full ? NULL : failure;
}

void tlsrpt_failures_add(struct tlsrpt_domain *domain, struct tlsrpt_counts *counts,
                         const struct tlsrpt_session *session, uint64_t n)
{
    struct tlsrpt_failure *failure = counts->failures;

    while (failure != NULL && !is_same(failure, session))
        failure = failure->next;
    if (failure == NULL && counts->n < TLSRPT_FAILURES_MOST) {
        failure = new_failure(&domain->arena, session);
        if (failure == NULL)
            return;
        counts->n++;
        *counts->end = failure;
        counts->end = &failure->next;
    }
    if (failure != NULL)
        failure->n += n;
}

void tlsrpt_count(struct tlsrpt *tlsrpt, const struct tlsrpt_session *session)
{
    struct tlsrpt_domain *domain = NULL;
    struct tlsrpt_counts *counts = tlsrpt_counts_of(tlsrpt, session, &domain);

    if (counts == NULL)
        return;
    if (session->result.n == 0) {
        counts->good++;
        return;
    }
    counts->bad++;
    tlsrpt_failures_add(domain, counts, session, 1);
}

bool tlsrpt_move(struct tlsrpt *from, size_t i, struct tlsrpt *to)
{
    struct tlsrpt_domain *domain = from->domains[i];
    struct tlsrpt_domain **at = bucket_of(from, domain->name);

    if (to->n == TLSRPT_DOMAINS_MOST)
        return false;
    while (*at != domain)
        at = &(*at)->next;
    *at = domain->next;
    from->domains[i] = from->domains[--from->n];
    at = bucket_of(to, domain->name);
    domain->next = *at;
    *at = domain;
    to->domains[to->n++] = domain;
    return true;
}

size_t tlsrpt_domains(const struct tlsrpt *tlsrpt)
{
    return tlsrpt->n;
}

struct bytes tlsrpt_domain(const struct tlsrpt *tlsrpt, size_t i)
{
    return tlsrpt->domains[i]->name;
}

/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt_count.c: what is counted for reports of TLS, and their text (RFC 8460, 4).
 */
#include "dns/tlsrpt.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"

#include <string.h>

enum { BUCKETS = 1024, DOMAIN_OCTETS = 64 * 1024 };

struct failure {
    struct failure *next;
    struct bytes result, host, ip, sending_ip, reason;
    uint64_t n;
};

struct policy {
    struct policy *next;
    enum tlsrpt_policy kind;
    struct bytes text;
    uint64_t good, bad;
    struct failure *failures, **end;
    size_t n;
};

struct domain {
    struct domain *next;                /* in its bucket */
    struct arena arena;                 /* of all below */
    struct bytes name;
    struct policy *policies, **end;
    size_t n;
};

struct tlsrpt {
    uint8_t key[16];
    struct domain *buckets[BUCKETS];
    struct domain *domains[TLSRPT_DOMAINS_MOST];
    size_t n;
};

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

static struct domain *domain_of(struct tlsrpt *tlsrpt, struct bytes name)
{
    struct domain **at = &tlsrpt->buckets[siphash(tlsrpt->key, name) % BUCKETS];

    while (*at != NULL && !bytes_equal((*at)->name, name))
        at = &(*at)->next;
    if (*at != NULL || tlsrpt->n == TLSRPT_DOMAINS_MOST || name.n > DNS_NAME_MOST)
        return *at;
    struct domain *domain = mem_new(sizeof(*domain));
    if (domain == NULL)
        return NULL;
    domain->arena = arena_with_ceiling(DOMAIN_OCTETS);
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

static struct policy *policy_of(struct domain *domain, const struct tlsrpt_session *session)
{
    struct bytes text = bytes_first(session->text, TLSRPT_POLICY_MOST);
    struct policy *policy = domain->policies;

    while (policy != NULL
           && (policy->kind != session->policy || !bytes_equal(policy->text, text)))
        policy = policy->next;
    if (policy != NULL || domain->n == TLSRPT_POLICIES_MOST)
        return policy;
    policy = arena_take(&domain->arena, sizeof(*policy));
    text = arena_copy(&domain->arena, text);
    if (policy == NULL || text.at == NULL)
        return NULL;
    *policy = (struct policy){ .kind = session->policy, .text = text,
                               .end = &policy->failures };
    domain->n++;
    *domain->end = policy;
    domain->end = &policy->next;
    return policy;
}

static bool is_same(const struct failure *failure, const struct tlsrpt_session *session)
{
    return bytes_equal(failure->result, session->result)
        && bytes_equal(failure->host, session->host) && bytes_equal(failure->ip, session->ip)
        && bytes_equal(failure->sending_ip, session->sending_ip);
}

static void count_failure(struct domain *domain, struct policy *policy,
                          const struct tlsrpt_session *session)
{
    enum { WORDS_MOST = 200 };
    struct failure *failure = policy->failures;
    struct arena *arena = &domain->arena;

    while (failure != NULL && !is_same(failure, session))
        failure = failure->next;
    if (failure == NULL && policy->n < TLSRPT_FAILURES_MOST) {
        failure = arena_take(arena, sizeof(*failure));
        if (failure == NULL)
            return;
        *failure = (struct failure){
            .result = arena_copy(arena, session->result), .host = arena_copy(arena, session->host),
            .ip = arena_copy(arena, session->ip),
            .sending_ip = arena_copy(arena, session->sending_ip),
            .reason = arena_copy(arena, bytes_first(session->reason, WORDS_MOST)),
        };
        if (arena->full)
            return;
        policy->n++;
        *policy->end = failure;
        policy->end = &failure->next;
    }
    if (failure != NULL)
        failure->n++;
}

void tlsrpt_count(struct tlsrpt *tlsrpt, const struct tlsrpt_session *session)
{
    struct domain *domain = domain_of(tlsrpt, session->domain);
    struct policy *policy = domain == NULL ? NULL : policy_of(domain, session);

    if (policy == NULL)
        return;
    if (session->result.n == 0) {
        policy->good++;
        return;
    }
    policy->bad++;
    count_failure(domain, policy, session);
}

size_t tlsrpt_domains(const struct tlsrpt *tlsrpt)
{
    return tlsrpt->n;
}

struct bytes tlsrpt_domain(const struct tlsrpt *tlsrpt, size_t i)
{
    return tlsrpt->domains[i]->name;
}

/* ---- the report */

static void put_lines(struct json *json, struct bytes text)
{
    struct bytes line;

    json_key(json, "policy-string");
    json_put_array(json);
    while (bytes_cut(&text, '\n', &line))
        if (bytes_trim(line).n > 0)
            json_text(json, bytes_trim(line));
    json_put_array_end(json);
}

/* The mx lines of an STS policy, as 4.4 wants them told once more. */
static void put_hosts(struct json *json, struct bytes text)
{
    struct bytes line;

    json_key(json, "mx-host");
    json_put_array(json);
    while (bytes_cut(&text, '\n', &line))
        if (bytes_begins(line, BYTES("mx:")))
            json_text(json, bytes_trim(bytes_skip(line, 3)));
    json_put_array_end(json);
}

static void put_policy(struct json *json, const struct policy *policy, struct bytes domain)
{
    static const struct bytes words[] = {
        [TLSRPT_TLSA] = BYTES_INIT("tlsa"), [TLSRPT_STS] = BYTES_INIT("sts"),
        [TLSRPT_NO_POLICY] = BYTES_INIT("no-policy-found"),
    };

    json_key(json, "policy");
    json_put_object(json);
    json_put_text(json, "policy-type", words[policy->kind]);
    if (policy->text.n > 0)
        put_lines(json, policy->text);
    json_put_text(json, "policy-domain", domain);
    if (policy->kind == TLSRPT_STS)
        put_hosts(json, policy->text);
    json_put_object_end(json);
}

static void put_some(struct json *json, const char *key, struct bytes text)
{
    if (text.n > 0)
        json_put_text(json, key, text);
}

static void put_failures(struct json *json, const struct failure *failure)
{
    json_key(json, "failure-details");
    json_put_array(json);
    for (; failure != NULL; failure = failure->next) {
        json_put_object(json);
        json_put_text(json, "result-type", failure->result);
        put_some(json, "sending-mta-ip", failure->sending_ip);
        put_some(json, "receiving-mx-hostname", failure->host);
        put_some(json, "receiving-ip", failure->ip);
        json_put_uint(json, "failed-session-count", failure->n);
        put_some(json, "failure-reason-code", failure->reason);
        json_put_object_end(json);
    }
    json_put_array_end(json);
}

static void put_policies(struct json *json, const struct domain *domain)
{
    json_key(json, "policies");
    json_put_array(json);
    for (const struct policy *policy = domain->policies; policy != NULL; policy = policy->next) {
        json_put_object(json);
        put_policy(json, policy, domain->name);
        json_key(json, "summary");
        json_put_object(json);
        json_put_uint(json, "total-successful-session-count", policy->good);
        json_put_uint(json, "total-failure-session-count", policy->bad);
        json_put_object_end(json);
        if (policy->failures != NULL)
            put_failures(json, policy->failures);
        json_put_object_end(json);
    }
    json_put_array_end(json);
}

/* RFC 3339 to the second. */
static void put_time(struct json *json, const char *key, uint64_t wall_ms)
{
    struct buffer text = buffer_with_most(32);

    clock_put(&text, wall_ms);
    text.n = bytes_find(buffer_bytes(&text), '.');
    buffer_put_char(&text, 'Z');
    json_put_text(json, key, buffer_bytes(&text));
    buffer_done(&text);
}

void tlsrpt_put(struct buffer *to, const struct tlsrpt *tlsrpt, size_t i,
                const struct tlsrpt_sender *sender)
{
    const struct domain *domain = tlsrpt->domains[i];
    struct json json = json_to(to);
    struct buffer id = buffer_with_most(2 * DNS_NAME_MOST + 64);

    tlsrpt_id_put(&id, domain->name, sender);
    json_put_object(&json);
    json_put_text(&json, "organization-name", sender->organisation);
    json_key(&json, "date-range");
    json_put_object(&json);
    put_time(&json, "start-datetime", sender->from_ms);
    put_time(&json, "end-datetime", sender->to_ms);
    json_put_object_end(&json);
    json_put_text(&json, "contact-info", sender->contact);
    json_put_text(&json, "report-id", buffer_bytes(&id));
    put_policies(&json, domain);
    json_put_object_end(&json);
    buffer_done(&id);
}

void tlsrpt_id_put(struct buffer *to, struct bytes domain, const struct tlsrpt_sender *sender)
{
    buffer_put_uint(to, sender->from_ms / 1000);
    buffer_put_char(to, '.');
    buffer_put(to, domain);
    buffer_put_char(to, '@');
    buffer_put(to, sender->host);
}

void tlsrpt_name_put(struct buffer *to, struct bytes domain, const struct tlsrpt_sender *sender)
{
    buffer_put(to, sender->host);
    buffer_put_char(to, '!');
    buffer_put(to, domain);
    buffer_put_char(to, '!');
    buffer_put_uint(to, sender->from_ms / 1000);
    buffer_put_char(to, '!');
    buffer_put_uint(to, sender->to_ms / 1000);
    buffer_put(to, BYTES(".json"));
}

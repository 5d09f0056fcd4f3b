/* SPDX-License-Identifier: ISC
 *
 * What postern doctor asks the DNS and a web server, question by question, and each with an end.
 */
#include "host/ctl_doctor_int.h"

#include "crypt/tls_client.h"
#include "dns/guard.h"
#include "dns/sts_cache.h"
#include "dns/tlsrpt.h"
#include "host/clock.h"

#include <string.h>

/* ---- questions */

/* What comes too late is the answer to a question that nobody asks any more. */
static void on_answer(void *of, uint64_t token, struct bytes answer)
{
    struct doctor *doctor = of;

    if (token != doctor->token)
        return;
    buffer_clear(&doctor->answer);
    buffer_put(&doctor->answer, answer);
    doctor->told = true;
}

static void on_document(void *of, uint64_t token, enum fetch_result result, unsigned status,
                        struct bytes body)
{
    struct doctor *doctor = of;

    (void)status;
    if (token == doctor->token)
        doctor->result = result;
    on_answer(of, token, body);
}

bool doctor_open(struct doctor *doctor, struct bytes anchor)
{
    doctor->resolver = resolver_new(doctor->loop, doctor->conf->resolver, anchor, doctor,
                                    on_answer);
    doctor->fetcher = fetcher_new(doctor->loop, doctor->conf->authorities_text, doctor,
                                  on_document);
    doctor->until_ms = clock_now().mono_ms + DOCTOR_QUESTIONS_MS;
    return doctor->resolver != NULL && doctor->fetcher != NULL;
}

void doctor_close(struct doctor *doctor)
{
    fetcher_free(doctor->fetcher);
    resolver_free(doctor->resolver);
}

static void begin_question(struct doctor *doctor)
{
    doctor->token++;
    doctor->told = false;
}

static bool wait_for_it(struct doctor *doctor)
{
    uint64_t until = clock_now().mono_ms + DOCTOR_QUESTION_MS;

    until = until < doctor->until_ms ? until : doctor->until_ms;
    while (!doctor->told && clock_now().mono_ms < until)
        loop_turn(doctor->loop, 100);
    return doctor->told;
}

/* What is said of it; "failed" when nothing is. Lives until the next question. */
static struct dns_answer ask(struct doctor *doctor, enum dns_type type, struct bytes before,
                             struct bytes name)
{
    struct dns_answer answer = { .verdict = DNS_FAILED, .canonical = BYTES_NONE,
                                 .records = BYTES_NONE };
    struct buffer whole = buffer_with_most(DNS_NAME_MOST);

    buffer_put(&whole, before);
    buffer_put(&whole, name);
    begin_question(doctor);
    if (!whole.bad && clock_now().mono_ms < doctor->until_ms) {
        resolver_ask(doctor->resolver, doctor->token, (uint16_t)type, buffer_bytes(&whole));
        if (wait_for_it(doctor))
            (void)!dns_answer_read(buffer_bytes(&doctor->answer), &answer);
    }
    buffer_done(&whole);
    return answer;
}

/* ---- addresses */

struct addresses {
    bool secure;            /* nothing that was found is unsigned; what was not found does not make
                               the rest worth less, as in the relay */
    enum dns_verdict verdict;   /* of both families together */
    struct buffer *end;     /* when not NULL: where the name's CNAMEs end, if they are signed */
    uint8_t v4[FETCH_ADDRESSES_MOST][16], v6[FETCH_ADDRESSES_MOST][16];
    size_t v4_n, v6_n;
};

static enum dns_verdict worse(enum dns_verdict a, enum dns_verdict b)
{
    bool a_found = a == DNS_SECURE || a == DNS_INSECURE;
    bool b_found = b == DNS_SECURE || b == DNS_INSECURE;

    if (a_found != b_found)
        return a_found ? a : b;
    return a > b ? a : b;
}

static void ask_family(struct doctor *doctor, enum dns_type type, struct bytes name,
                       struct addresses *to)
{
    struct dns_answer answer = ask(doctor, type, BYTES_NONE, name);

    to->secure = to->secure && answer.verdict != DNS_INSECURE;
    to->verdict = to->verdict == 0 ? answer.verdict : worse(to->verdict, answer.verdict);
    if (to->end != NULL && to->end->n == 0 && answer.verdict == DNS_SECURE)
        buffer_put(to->end, answer.canonical);
    if (!dns_found(&answer))
        return;
    if (type == DNS_A)
        to->v4_n = dns_addresses(&answer, to->v4, FETCH_ADDRESSES_MOST);
    else
        to->v6_n = dns_addresses(&answer, to->v6, FETCH_ADDRESSES_MOST);
}

static struct addresses addresses_of(struct doctor *doctor, struct bytes name, struct buffer *end)
{
    struct addresses to = { .secure = true, .end = end };

    ask_family(doctor, DNS_A, name, &to);
    ask_family(doctor, DNS_AAAA, name, &to);
    return to;
}

static bool has_address(const struct addresses *list, const uint8_t ip[static 16])
{
    for (size_t i = 0; i < list->v4_n; i++)
        if (memcmp(list->v4[i], ip, 16) == 0)
            return true;
    for (size_t i = 0; i < list->v6_n; i++)
        if (memcmp(list->v6[i], ip, 16) == 0)
            return true;
    return false;
}

/* ---- hosts */

static void take_tlsa(struct checkup_host *host, struct doctor_host *more,
                      const struct dns_answer *tlsa)
{
    struct bytes list[DNS_RECORDS_MOST], rest = tlsa->records;
    size_t n = 0;

    host->tlsa = tlsa->verdict;
    if (tlsa->verdict != DNS_SECURE)
        return;
    buffer_put(&more->tlsa, tlsa->records);
    while (n < COUNT(list) && dns_next_record(&rest, &list[n]))
        n++;
    host->tlsa_usable = tls_tlsa_usable(list, n);
}

/* RFC 7672, 2.2.2: where its CNAMEs end, then at its own name. */
static void ask_tlsa(struct doctor *doctor, struct checkup_host *host, struct doctor_host *more)
{
    struct dns_answer tlsa = { .verdict = DNS_NODATA };

    if (more->base.n > 0)
        tlsa = ask(doctor, DNS_TLSA, BYTES("_25._tcp."), buffer_bytes(&more->base));
    if (more->base.n == 0 || dns_is_negative(&tlsa)) {
        buffer_clear(&more->base);
        buffer_put(&more->base, host->name);
        tlsa = ask(doctor, DNS_TLSA, BYTES("_25._tcp."), host->name);
    }
    take_tlsa(host, more, &tlsa);
}

static void add_visit(struct checkup_host *host, const uint8_t ip[static 16])
{
    if (host->visits_n < CHECKUP_VISITS_MOST)
        host->visits[host->visits_n++] = checkup_visit_of(ip);
}

/* The families take turns, as they do when a letter goes there. */
static void ask_host(struct doctor *doctor, struct checkup_host *host, struct doctor_host *more)
{
    struct addresses list = addresses_of(doctor, host->name, &more->base);

    host->addresses = list.v4_n + list.v6_n;
    host->address_secure = list.secure && host->addresses > 0;
    for (size_t i = 0; i < FETCH_ADDRESSES_MOST; i++) {
        if (i < list.v4_n)
            add_visit(host, list.v4[i]);
        if (i < list.v6_n)
            add_visit(host, list.v6[i]);
    }
    if (host->address_secure)
        ask_tlsa(doctor, host, more);
}

void doctor_ask_hosts(struct doctor *doctor)
{
    struct checkup *checkup = &doctor->checkup;
    struct dns_answer answer = ask(doctor, DNS_MX, BYTES_NONE, checkup->domain);
    struct mx_list list;

    mx_read(&answer, 1, &list);
    checkup->mx = list.verdict;
    checkup->mx_secure = list.secure;
    checkup->mx_bogus = answer.verdict == DNS_BOGUS;
    if (list.verdict == MX_IMPLICIT)
        checkup->hosts[checkup->n++].name = checkup->domain;
    for (size_t i = 0; list.verdict == MX_HOSTS && i < list.n; i++) {
        struct checkup_host *host = &checkup->hosts[checkup->n];
        struct buffer *name = &doctor->hosts[checkup->n++].name;
        buffer_put(name, mx_name(&list.hosts[i]));
        host->name = buffer_bytes(name);
        host->preference = list.hosts[i].preference;
    }
    for (size_t i = 0; i < checkup->n; i++)
        ask_host(doctor, &checkup->hosts[i], &doctor->hosts[i]);
}

/* ---- the policy */

/* A name may not lead us behind our own walls. */
static bool may_go(const struct doctor *doctor, const struct addresses *list)
{
    bool open = true;

    for (size_t i = 0; i < list->v4_n; i++)
        open = open && guard_look(list->v4[i]) == GUARD_OPEN;
    for (size_t i = 0; i < list->v6_n; i++)
        open = open && guard_look(list->v6[i]) == GUARD_OPEN;
    return open || doctor->conf->allow_private;
}

static void fetch(struct doctor *doctor, struct bytes url)
{
    struct buffer order = buffer_with_most(DOCTOR_ANSWER_MOST);
    struct buffer ips = buffer_with_most(2 * FETCH_ADDRESSES_MOST * 16);
    struct fetch_url parts;

    doctor->result = FETCH_NO_ADDRESS;
    if (fetch_url_read(url, &parts)) {
        struct addresses list = addresses_of(doctor, parts.host, NULL);
        size_t v6_n = list.v4_n + list.v6_n > FETCH_ADDRESSES_MOST
                    ? FETCH_ADDRESSES_MOST - list.v4_n : list.v6_n;
        if (may_go(doctor, &list)) {
            buffer_put(&ips, (struct bytes){ (const char *)list.v4, 16 * list.v4_n });
            buffer_put(&ips, (struct bytes){ (const char *)list.v6, 16 * v6_n });
        }
    }
    if (ips.n > 0) {
        fetch_order_put(&order, &(struct fetch_order){
            FETCH_POLICY, url, buffer_bytes(&ips), BYTES_NONE });
        begin_question(doctor);
        doctor->result = FETCH_LATE;
        fetcher_ask(doctor->fetcher, doctor->token, buffer_bytes(&order));
        if (!wait_for_it(doctor))
            fetcher_end(doctor->fetcher, doctor->token);
    }
    buffer_done(&order);
    buffer_done(&ips);
}

static void take_policy(struct doctor *doctor)
{
    struct checkup *checkup = &doctor->checkup;
    struct sts_policy policy;
    struct sts_flaw flaw;

    checkup->sts_why = fetch_result_words(doctor->result);
    if (doctor->result != FETCH_WELL)
        return;
    if (!sts_policy_read(buffer_bytes(&doctor->answer), &policy, &flaw)) {
        checkup->sts_why = flaw.words;
        return;
    }
    checkup->sts_held = true;
    checkup->sts = policy.mode;
    checkup->sts_age = policy.max_age;
    for (size_t i = 0; i < checkup->n; i++)
        checkup->hosts[i].sts_allows = sts_allows(&policy, checkup->hosts[i].name);
}

void doctor_ask_policy(struct doctor *doctor)
{
    struct checkup *checkup = &doctor->checkup;
    struct dns_answer record = ask(doctor, DNS_TXT, BYTES("_mta-sts."), checkup->domain);
    struct buffer id = buffer_with_most(STS_ID_MOST), url = buffer_with_most(STS_URL_MOST);

    checkup->sts_announced = sts_record_read(&record, &id);
    if (checkup->sts_announced) {
        sts_url_put(&url, checkup->domain);
        fetch(doctor, buffer_bytes(&url));
        take_policy(doctor);
    }
    buffer_done(&id);
    buffer_done(&url);
}

void doctor_ask_reports(struct doctor *doctor)
{
    struct dns_answer answer = ask(doctor, DNS_TXT, BYTES("_smtp._tls."), doctor->checkup.domain);
    struct buffer text = buffer_with_most(DNS_ANSWER_MOST);
    struct tlsrpt_record record;

    doctor->checkup.tlsrpt = tlsrpt_record_read(&answer, &text, &record);
    buffer_done(&text);
}

/* ---- ourselves */

/* The first name of those that the records have; DNS-031: one that is no host's is none. */
static void take_ptr(struct checkup_ours *ours, const struct dns_answer *answer)
{
    struct bytes rest = answer->records, data;
    struct buffer name = buffer_with_most(DNS_NAME_MOST);

    while (ours->name.n == 0 && dns_next_record(&rest, &data)) {
        struct reader in = reader_of(data);
        buffer_clear(&name);
        if (dns_name_read(&in, &name) && dns_name_is_plain(buffer_bytes(&name)))
            buffer_put(&ours->name, buffer_bytes(&name));
    }
    buffer_done(&name);
}

void doctor_ask_ours(struct doctor *doctor, struct checkup_ours *ours)
{
    struct buffer name = buffer_with_most(DNS_NAME_MOST);
    enum guard_verdict guard = guard_look(ours->ip);

    ours->inside = !doctor->conf->allow_private
                && (guard == GUARD_PRIVATE || guard == GUARD_OURSELVES);
    checkup_ptr_name_put(&name, ours->ip);
    struct dns_answer answer = ask(doctor, DNS_PTR, BYTES_NONE, buffer_bytes(&name));
    ours->ptr = answer.verdict;
    ours->name = buffer_with_most(DNS_NAME_MOST);
    if (dns_found(&answer))
        take_ptr(ours, &answer);
    if (ours->name.n > 0) {
        struct addresses back = addresses_of(doctor, buffer_bytes(&ours->name), NULL);
        ours->confirmed = has_address(&back, ours->ip);
    }
    struct addresses hello = addresses_of(doctor, doctor->conf->host, NULL);
    ours->hello = hello.verdict;
    ours->hello_fits = has_address(&hello, ours->ip);
    buffer_done(&name);
}

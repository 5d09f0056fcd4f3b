/* SPDX-License-Identifier: ISC
 *
 * role/relay_dest.c: the hosts of a destination elsewhere and their addresses, as the DNS says;
 * each fact is asked for when it is needed and kept as long as it says.
 *
 * Nothing ends for good on a "no" that might be a mistake: it is proved, or it was said twice,
 * minutes apart. What could not be found out never is.
 */
#include "role/relay_int.h"

#include "base/hash.h"
#include "base/plant.h"
#include "base/reader.h"
#include "mail/literal.h"

#include <string.h>

enum { NO_MOST_MS = 60 * 1000, FACT_LEAST_MS = 5 * 1000 };

/* ---- made from its name */

static void open_records(struct dest_host *host)
{
    host->by_alias.records = buffer_with_most(DNS_ANSWER_MOST);
    host->by_name.records = buffer_with_most(DNS_ANSWER_MOST);
}

static struct dest_host *only_host(struct dest *dest, struct bytes name)
{
    dest->hosts = mem_new(sizeof(*dest->hosts));
    if (dest->hosts == NULL)
        return NULL;
    dest->hosts_n = 1;
    open_records(&dest->hosts[0]);
    dest->hosts[0].n = (uint8_t)name.n;
    if (name.n > 0)
        memcpy(dest->hosts[0].name, name.at, name.n);
    return &dest->hosts[0];
}

static bool only_address(struct dest *dest, const uint8_t ip[static 16])
{
    static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    struct dest_host *host = only_host(dest, BYTES_NONE);

    if (host == NULL)
        return false;
    size_t family = memcmp(ip, mapped, sizeof(mapped)) == 0;
    memcpy(host->ips[family][0], ip, 16);
    host->ips_n[family] = 1;
    return true;
}

static bool made_of_hop(struct relay *relay, struct dest *dest, struct bytes name)
{
    struct conf_hop hop;

    if (!conf_hop_parse(name, &hop))
        return false;
    dest->port = hop.at.port;
    dest->routed = dest->secure = true;
    dest->mx = (struct fact){ .state = FACT_KNOWN, .until_ms = UINT64_MAX };
    if (relay->conf->login_text.n > 0 && relay->conf->smarthost.n > 0) {
        struct conf_hop smart;
        dest->signs_in = conf_hop_parse(relay->conf->smarthost.list[0], &smart)
                      && smart.at.port == hop.at.port && bytes_equal_nocase(smart.host, hop.host)
                      && memcmp(smart.at.ip, hop.at.ip, 16) == 0;
    }
    if (hop.host.n == 0)
        return only_address(dest, hop.at.ip);
    return hop.host.n <= DNS_NAME_MOST && only_host(dest, hop.host) != NULL;
}

static bool made_of_literal(struct dest *dest, struct bytes name)
{
    struct literal literal;

    dest->mx = (struct fact){ .state = FACT_KNOWN, .until_ms = UINT64_MAX };
    if (!literal_parse(name, &literal) || literal.kind == LITERAL_GENERAL) {
        dest->flaw = STATUS(5, 1, 2);
        dest->flaw_words = "such an address literal is known to nobody";
        return true;
    }
    return only_address(dest, literal.ip);
}

struct dest *dest_new(struct relay *relay, struct bytes name)
{
    struct dest *dest = mem_new(sizeof(*dest));
    bool well = dest != NULL;

    if (dest == NULL)
        return NULL;
    dest->port = 25;
    if (bytes_begins(name, BYTES("=")))
        well = made_of_hop(relay, dest, bytes_skip(name, 1));
    else if (bytes_begins(name, BYTES("[")))
        well = made_of_literal(dest, name);
    if (!well) {
        dest_free(dest);
        dest = NULL;
    }
    return dest;
}

static void forget_hosts(struct dest *dest)
{
    for (size_t i = 0; i < dest->hosts_n; i++) {
        buffer_done(&dest->hosts[i].by_alias.records);
        buffer_done(&dest->hosts[i].by_name.records);
    }
    mem_free(dest->hosts);
    dest->hosts = NULL;
    dest->hosts_n = 0;
    dest->age++;
}

void dest_free(struct dest *dest)
{
    if (dest == NULL)
        return;
    forget_hosts(dest);
    mem_free(dest);
}

/* ---- what is known, and what is asked */

static bool is_known(struct relay *relay, struct fact *fact)
{
    if (fact->state == FACT_KNOWN && fact->until_ms <= relay->now.mono_ms)
        fact->state = FACT_NONE;
    return fact->state == FACT_KNOWN;
}

static void failed(struct relay *relay, struct fact *fact)
{
    *fact = (struct fact){ .state = FACT_KNOWN, .verdict = DNS_FAILED,
                           .until_ms = relay->now.mono_ms + RELAY_FAILED_MS };
}

/* True: it is known now. */
static bool know(struct relay *relay, struct place *place, struct fact *fact,
                 enum question_kind kind, size_t host, struct bytes name)
{
    if (is_known(relay, fact))
        return true;
    if (fact->state == FACT_ASKED)
        return false;
    if (relay_names_ask(relay, place, kind, host, name)) {
        fact->state = FACT_ASKED;
        return false;
    }
    failed(relay, fact);
    return true;
}

static struct bytes host_name(const struct dest_host *host)
{
    return (struct bytes){ host->name, host->n };
}

enum dest_state dest_hosts(struct relay *relay, struct place *place)
{
    struct dest *dest = place->dest;
    bool known = is_known(relay, &dest->mx);

    if (!known && dest->mx.state == FACT_NONE) {
        forget_hosts(dest);
        dest->flaw = STATUS(0, 0, 0);
        if (!know(relay, place, &dest->mx, ASK_MX, 0, place->name))
            return DEST_ASKS;
        dest->flaw = STATUS(4, 4, 3);
        dest->flaw_words = "the DNS cannot be asked now";
    } else if (!known) {
        return DEST_ASKS;
    }
    return dest->flaw.class != 0 ? DEST_FLAWED : DEST_READY;
}

enum dest_state dest_addresses(struct relay *relay, struct place *place, size_t i)
{
    struct dest_host *host = &place->dest->hosts[i];

    if (host->n == 0)
        return DEST_READY;
    bool a = know(relay, place, &host->a, ASK_A, i, host_name(host));
    bool aaaa = know(relay, place, &host->aaaa, ASK_AAAA, i, host_name(host));
    return a && aaaa ? DEST_READY : DEST_ASKS;
}

static bool know_tlsa(struct relay *relay, struct place *place, size_t i, struct dest_tlsa *tlsa,
                      enum question_kind kind, struct bytes host)
{
    struct buffer name = buffer_with_most(DNS_NAME_MOST);

    buffer_put_char(&name, '_');
    buffer_put_uint(&name, place->dest->port);
    buffer_put(&name, BYTES("._tcp."));
    buffer_put(&name, host);
    bool known = know(relay, place, &tlsa->fact, kind, i,
                      name.bad ? BYTES_NONE : buffer_bytes(&name));
    buffer_done(&name);
    return known;
}

enum dest_state dest_tlsa(struct relay *relay, struct place *place, size_t i,
                          struct dest_proof *ret_proof)
{
    struct dest_host *host = &place->dest->hosts[i];
    struct bytes alias = { host->alias, host->alias_n };

    if (alias.n > 0) {
        if (!know_tlsa(relay, place, i, &host->by_alias, ASK_TLSA_ALIAS, alias))
            return DEST_ASKS;
        enum dns_verdict verdict = (enum dns_verdict)host->by_alias.fact.verdict;
        if (verdict == DNS_SECURE || verdict == DNS_BOGUS || verdict == DNS_FAILED) {
            *ret_proof = (struct dest_proof){ verdict, buffer_bytes(&host->by_alias.records),
                                              alias };
            return DEST_READY;
        }
    }
    if (!know_tlsa(relay, place, i, &host->by_name, ASK_TLSA, host_name(host)))
        return DEST_ASKS;
    *ret_proof = (struct dest_proof){ (enum dns_verdict)host->by_name.fact.verdict,
                                      buffer_bytes(&host->by_name.records), host_name(host) };
    return DEST_READY;
}

/* ---- answers */

/* A "no" is asked for again soon, unless it is proved. */
static void note(struct relay *relay, struct fact *fact, const struct dns_answer *answer)
{
    uint64_t ms = (uint64_t)answer->ttl * 1000;

    if (answer->verdict == DNS_FAILED || answer->verdict == DNS_BOGUS)
        ms = RELAY_FAILED_MS;
    else if (dns_is_negative(answer) && ms > NO_MOST_MS)
        ms = NO_MOST_MS;
    *fact = (struct fact){ .state = FACT_KNOWN, .verdict = (uint8_t)answer->verdict,
                           .proved = answer->proved,
                           .until_ms = relay->now.mono_ms
                                     + (ms < FACT_LEAST_MS ? FACT_LEAST_MS : ms) };
}

static void set_flaw(struct dest *dest, struct status_code code, const char *words)
{
    dest->flaw = code;
    dest->flaw_words = words;
}

/* Nothing is there, it is said: believed when it is proved, or was said minutes ago too. */
static void says_no(struct relay *relay, struct dest *dest, bool proved, const char *words)
{
    uint64_t now_ms = relay->now.mono_ms;

    if (dest->no_since_ms == 0)
        dest->no_since_ms = now_ms;
    if (proved || now_ms - dest->no_since_ms >= RELAY_CONFIRM_MS)
        set_flaw(dest, STATUS(5, 1, 2), words);
    else
        set_flaw(dest, STATUS(4, 4, 3), words);
}

static bool take_hosts(struct dest *dest, const struct mx_list *list)
{
    dest->hosts = mem_new(list->n * sizeof(*dest->hosts));
    if (dest->hosts == NULL)
        return false;
    dest->hosts_n = list->n;
    for (size_t i = 0; i < list->n; i++) {
        dest->hosts[i].n = list->hosts[i].n;
        memcpy(dest->hosts[i].name, list->hosts[i].name, list->hosts[i].n);
        open_records(&dest->hosts[i]);
    }
    return true;
}

static void on_hosts(struct relay *relay, struct place *place, struct mx_list *list)
{
    struct dest *dest = place->dest;
    bool away = mx_drop_from(list, relay->conf->host_ascii.n > 0 ? relay->conf->host_ascii
                                                                  : relay->conf->host);

    if (!away)
        set_flaw(dest, STATUS(5, 4, 6), "its mail comes to us, and we do not take it: a loop");
    else if (!take_hosts(dest, list))
        set_flaw(dest, STATUS(4, 3, 0), "memory is short");
}

static void on_mx(struct relay *relay, struct place *place, const struct dns_answer *answer)
{
    struct dest *dest = place->dest;
    struct mx_list list;

    if (dest->mx.state == FACT_KNOWN)
        return;
    note(relay, &dest->mx, answer);
    mx_read(answer, siphash(relay->key, place->name) + relay->numbers++, &list);
    dest->secure = list.secure;
    dest->implicit = list.verdict == MX_IMPLICIT;
    if (list.verdict == MX_HOSTS)
        dest->no_since_ms = 0;
    switch (list.verdict) {
    case MX_HOSTS:
        on_hosts(relay, place, &list);
        break;
    case MX_IMPLICIT:
        if (place->name.n > DNS_NAME_MOST || only_host(dest, place->name) == NULL)
            set_flaw(dest, STATUS(4, 3, 0), "memory is short");
        break;
    case MX_NULL:
        set_flaw(dest, STATUS(5, 1, 10), "the domain takes no mail: it says so by a null MX");
        break;
    case MX_NO_DOMAIN:
        says_no(relay, dest, answer->proved, "there is no such domain");
        break;
    case MX_UNUSABLE:
        set_flaw(dest, STATUS(4, 4, 4), "none of its MX records names a host");
        break;
    case MX_LATER:
        set_flaw(dest, PLANTED(failed_lookup_final) ? STATUS(5, 1, 2) : STATUS(4, 4, 3),
                 answer->verdict == DNS_BOGUS
                 ? "the DNS's answer for its MX records has wrong signatures"
                 : "its MX records could not be found out");
        break;
    }
}

static void take_addresses(struct dest_host *host, size_t family, const struct dns_answer *answer)
{
    struct bytes alias = answer->canonical;

    host->ips_n[family] = (uint8_t)(dns_found(answer)
        ? dns_addresses(answer, host->ips[family], RELAY_HOST_ADDRESSES) : 0);
    if (answer->verdict != DNS_SECURE || host->by_alias.fact.state == FACT_ASKED)
        return;                             /* of the name asked about now an answer will come */
    if (bytes_equal(alias, host_name(host)) || alias.n > sizeof(host->alias))
        alias.n = 0;
    if (!bytes_equal(alias, (struct bytes){ host->alias, host->alias_n }))
        host->by_alias.fact = (struct fact){ .state = FACT_NONE };
    if (alias.n > 0)
        memcpy(host->alias, alias.at, alias.n);
    host->alias_n = (uint8_t)alias.n;
}

/* A domain without MX and without addresses takes no mail. */
static void is_anybody_there(struct relay *relay, struct dest *dest)
{
    const struct dest_host *host = &dest->hosts[0];
    bool no = true, proved = true;
    const struct fact *facts[] = { &host->a, &host->aaaa, &dest->mx };

    for (size_t i = 0; i < COUNT(facts); i++) {
        no = no && facts[i]->state == FACT_KNOWN
          && (facts[i]->verdict == DNS_NXDOMAIN || facts[i]->verdict == DNS_NODATA);
        proved = proved && facts[i]->proved;
    }
    if (no)
        says_no(relay, dest, proved, "the domain has neither MX records nor addresses");
    else if (host->ips_n[0] + host->ips_n[1] > 0)
        dest->no_since_ms = 0;
}

static void take_tlsa(struct relay *relay, struct dest_tlsa *tlsa, const struct dns_answer *answer)
{
    note(relay, &tlsa->fact, answer);
    buffer_clear(&tlsa->records);
    if (answer->verdict == DNS_SECURE)
        buffer_put(&tlsa->records, answer->records);
    if (tlsa->records.bad)
        tlsa->fact.verdict = DNS_FAILED;
}

void dest_answer(struct relay *relay, const struct question *question,
                 const struct dns_answer *answer)
{
    struct dest *dest = question->place->dest;

    relay_place_is_busy(relay, question->place);
    if (question->kind == ASK_MX) {
        on_mx(relay, question->place, answer);
        return;
    }
    if (question->kind == ASK_STS) {
        relay_sts_record(relay, question->place, answer);
        return;
    }
    if (question->age != dest->age || question->host >= dest->hosts_n)
        return;                             /* the hosts are others by now */
    struct dest_host *host = &dest->hosts[question->host];
    switch ((enum question_kind)question->kind) {
    case ASK_A:
        note(relay, &host->a, answer);
        take_addresses(host, 1, answer);
        break;
    case ASK_AAAA:
        note(relay, &host->aaaa, answer);
        take_addresses(host, 0, answer);
        break;
    case ASK_TLSA: take_tlsa(relay, &host->by_name, answer); break;
    case ASK_TLSA_ALIAS: take_tlsa(relay, &host->by_alias, answer); break;
    case ASK_MX: case ASK_STS: case ASK_REPORT: break;
    }
    if (dest->implicit && (question->kind == ASK_A || question->kind == ASK_AAAA))
        is_anybody_there(relay, dest);
}

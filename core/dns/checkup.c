/* SPDX-License-Identifier: ISC */
#include "dns/checkup.h"

#include "base/ip.h"
#include "mail/domain.h"

#include <string.h>

enum { WEEK_MS = 7 * 86400 * 1000 };

bool checkup_domain_put(struct buffer *to, struct bytes word)
{
    size_t from = to->n;

    if (!domain_to_ascii(word, to) || to->bad)
        return false;
    for (size_t i = from; i < to->n; i++)
        to->at[i] = to_lower(to->at[i]);
    return dns_name_is_plain(bytes_skip(buffer_bytes(to), from));
}

void checkup_ptr_name_put(struct buffer *to, const uint8_t ip[static 16])
{
    static const char digits[] = "0123456789abcdef";
    bool v4 = ip_is_v4(ip);

    for (size_t i = 16; i-- > (v4 ? 12u : 0u);) {
        if (v4) {
            buffer_put_uint(to, ip[i]);
            buffer_put_char(to, '.');
        } else {
            buffer_put(to, (struct bytes){ &digits[ip[i] & 15], 1 });
            buffer_put_char(to, '.');
            buffer_put(to, (struct bytes){ &digits[ip[i] >> 4], 1 });
            buffer_put_char(to, '.');
        }
    }
    buffer_put_text(to, v4 ? "in-addr.arpa" : "ip6.arpa");
}

struct checkup_visit checkup_visit_of(const uint8_t ip[static 16])
{
    struct checkup_visit visit = {
        .why = buffer_with_most(CHECKUP_WORDS_MOST),
        .greeting = buffer_with_most(CHECKUP_WORDS_MOST),
        .extensions = buffer_with_most(CHECKUP_WORDS_MOST),
        .version = buffer_with_most(CHECKUP_WORDS_MOST),
        .cipher = buffer_with_most(CHECKUP_WORDS_MOST),
        .names = buffer_with_most(CHECKUP_NAMES_MOST),
        .by_name = { .words = "" }, .by_tlsa = { .words = "" },
    };

    memcpy(visit.ip, ip, sizeof(visit.ip));
    return visit;
}

void checkup_visit_done(struct checkup_visit *visit)
{
    buffer_done(&visit->why);
    buffer_done(&visit->greeting);
    buffer_done(&visit->extensions);
    buffer_done(&visit->version);
    buffer_done(&visit->cipher);
    buffer_done(&visit->names);
}

/* ---- what must be */

static void decide_host(const struct checkup *checkup, struct checkup_host *host)
{
    struct dns_answer tlsa = { .verdict = host->tlsa, .canonical = BYTES_NONE,
                               .records = BYTES_NONE };
    struct channel_facts facts = {
        .route_secure = checkup->mx_secure,
        .address_secure = host->address_secure,
        .tlsa = host->tlsa == 0 ? NULL : &tlsa,
        .tlsa_usable = host->tlsa_usable,
        .sts = checkup->sts_held ? checkup->sts : STS_NONE,
        .sts_allows = host->sts_allows,
        .policy = checkup->policy,
    };

    host->channel = channel_decide(&facts);
}

void checkup_decide(struct checkup *checkup)
{
    for (size_t i = 0; i < checkup->n; i++)
        decide_host(checkup, &checkup->hosts[i]);
}

/* ---- what is */

/* What a letter would go over at its best there; 0: it would not go. A handshake that breaks where
   nothing asks for TLS is followed by a connection in clear. */
static enum checkup_verdict visit_comes_to(const struct checkup *checkup,
                                           const struct checkup_host *host,
                                           const struct checkup_visit *visit)
{
    bool spoken = visit->end == CHECKUP_SPOKEN, tls = spoken && visit->tls;

    switch (host->channel.need) {
    case CHANNEL_WAIT: case CHANNEL_NOT_HERE: return 0;
    case CHANNEL_CLEAR: return spoken || visit->end == CHECKUP_TLS_BROKE ? CHECKUP_CLEAR : 0;
    case CHANNEL_ANY:
        return tls ? CHECKUP_OPEN : spoken || visit->end == CHECKUP_TLS_BROKE ? CHECKUP_CLEAR : 0;
    case CHANNEL_ENCRYPT: return tls ? CHECKUP_OPEN : 0;
    case CHANNEL_NAME: return tls && visit->by_name.well ? CHECKUP_STS : 0;
    case CHANNEL_DANE:
        /* Who can forge the MX records can lead us to a host of his own. */
        return !tls || !visit->by_tlsa.well ? 0 : checkup->mx_secure ? CHECKUP_DANE : CHECKUP_OPEN;
    }
    return 0;
}

/* The same by the DNS alone. */
static enum checkup_verdict need_comes_to(const struct checkup *checkup,
                                          const struct checkup_host *host)
{
    switch (host->channel.need) {
    case CHANNEL_WAIT: case CHANNEL_NOT_HERE: return 0;
    case CHANNEL_CLEAR: return CHECKUP_CLEAR;
    case CHANNEL_ANY: case CHANNEL_ENCRYPT: return CHECKUP_OPEN;
    case CHANNEL_NAME: return CHECKUP_STS;
    case CHANNEL_DANE: return checkup->mx_secure ? CHECKUP_DANE : CHECKUP_OPEN;
    }
    return 0;
}

static enum checkup_verdict host_comes_to(const struct checkup *checkup,
                                          const struct checkup_host *host)
{
    enum checkup_verdict worst = 0;

    if (host->addresses == 0)
        return 0;
    if (!checkup->visited)
        return need_comes_to(checkup, host);
    for (size_t i = 0; i < host->visits_n; i++) {
        enum checkup_verdict one = visit_comes_to(checkup, host, &host->visits[i]);
        worst = one > worst ? one : worst;
    }
    return worst;
}

/* Nothing can be sent: because nobody answers, or will, or since no way is good enough? */
static enum checkup_verdict why_none(const struct checkup *checkup)
{
    bool spoken = false, refused = false, any = false;

    switch (checkup->mx) {
    case MX_NULL: case MX_NO_DOMAIN: return CHECKUP_NO_MAIL;
    case MX_LATER: return CHECKUP_UNKNOWN;
    case MX_HOSTS: case MX_IMPLICIT: case MX_UNUSABLE: break;
    }
    for (size_t i = 0; i < checkup->n; i++)
        for (size_t v = 0; v < checkup->hosts[i].visits_n; v++) {
            enum checkup_end end = checkup->hosts[i].visits[v].end;
            any = any || end == CHECKUP_NOBODY || end == CHECKUP_SILENT;
            refused = refused || end == CHECKUP_REFUSED;
            spoken = spoken || end == CHECKUP_SPOKEN || end == CHECKUP_TLS_BROKE;
        }
    return spoken ? CHECKUP_WAITS : refused ? CHECKUP_SHUT : any ? CHECKUP_UNREACHED
                                                                 : CHECKUP_WAITS;
}

/* ---- what is wrong */

static void find(struct checkup *checkup, enum checkup_fault fault, const struct checkup_host *host,
                 const struct checkup_visit *visit)
{
    if (checkup->findings_n < CHECKUP_FINDINGS_MOST)
        checkup->findings[checkup->findings_n++] =
            (struct checkup_finding){ .fault = fault, .host = host, .visit = visit };
}

static void look_at_domain(struct checkup *checkup)
{
    switch (checkup->mx) {
    case MX_NULL: find(checkup, CHECKUP_FAULT_NULL_MX, NULL, NULL); break;
    case MX_NO_DOMAIN: find(checkup, CHECKUP_FAULT_NO_DOMAIN, NULL, NULL); break;
    case MX_UNUSABLE: find(checkup, CHECKUP_FAULT_MX_UNUSABLE, NULL, NULL); break;
    case MX_LATER:
        find(checkup, checkup->mx_bogus ? CHECKUP_FAULT_DNS_BOGUS : CHECKUP_FAULT_DNS_FAILED, NULL,
             NULL);
        break;
    case MX_HOSTS: case MX_IMPLICIT: break;
    }
    if (checkup->sts_announced && !checkup->sts_held)
        find(checkup, CHECKUP_FAULT_STS_NOT_HAD, NULL, NULL);
}

/* Which of the three things that an authority vouches for is amiss. */
static enum checkup_fault certificate_fault(const struct checkup *checkup,
                                            const struct checkup_visit *visit)
{
    if (checkup->now_ms < visit->from_ms || checkup->now_ms > visit->until_ms)
        return CHECKUP_FAULT_CERT_EXPIRED;
    return visit->names_it ? CHECKUP_FAULT_CERT_UNTRUSTED : CHECKUP_FAULT_CERT_NAME;
}

static void look_at_tls(struct checkup *checkup, const struct checkup_host *host,
                        const struct checkup_visit *visit)
{
    enum channel_need need = host->channel.need;

    if (!visit->tls) {
        find(checkup, need > CHANNEL_ANY ? CHECKUP_FAULT_TLS_LACKS : CHECKUP_FAULT_CLEAR, host,
             visit);
        return;
    }
    if (need == CHANNEL_DANE && !visit->by_tlsa.well)
        find(checkup, CHECKUP_FAULT_TLSA_MISFIT, host, visit);
    if (need == CHANNEL_NAME && !visit->by_name.well)
        find(checkup, certificate_fault(checkup, visit), host, visit);
    else if ((need == CHANNEL_ANY || need == CHANNEL_ENCRYPT) && !visit->by_name.well)
        find(checkup, CHECKUP_FAULT_CERT_LOOSE, host, visit);
    else if (visit->by_name.well && visit->until_ms - checkup->now_ms < WEEK_MS)
        find(checkup, CHECKUP_FAULT_CERT_SOON, host, visit);
}

static void look_at_visit(struct checkup *checkup, const struct checkup_host *host,
                          const struct checkup_visit *visit)
{
    switch (visit->end) {
    case CHECKUP_NOT_VISITED: break;
    case CHECKUP_BARRED: find(checkup, CHECKUP_FAULT_ADDRESS_BARRED, host, visit); break;
    case CHECKUP_NOBODY: find(checkup, CHECKUP_FAULT_UNREACHED, host, visit); break;
    case CHECKUP_SILENT: find(checkup, CHECKUP_FAULT_SILENT, host, visit); break;
    case CHECKUP_REFUSED: find(checkup, CHECKUP_FAULT_REFUSED, host, visit); break;
    case CHECKUP_TLS_BROKE: find(checkup, CHECKUP_FAULT_TLS_BROKE, host, visit); break;
    case CHECKUP_SPOKEN: look_at_tls(checkup, host, visit); break;
    }
}

static void look_at_host(struct checkup *checkup, const struct checkup_host *host)
{
    if (host->addresses == 0)
        find(checkup, CHECKUP_FAULT_NO_ADDRESS, host, NULL);
    if (host->channel.need == CHANNEL_WAIT)
        find(checkup, CHECKUP_FAULT_TLSA_BOGUS, host, NULL);
    else if (host->channel.need == CHANNEL_NOT_HERE)
        find(checkup, CHECKUP_FAULT_STS_NOT_NAMED, host, NULL);
    else if (host->tlsa == DNS_SECURE && host->tlsa_usable == 0)
        find(checkup, CHECKUP_FAULT_DANE_UNUSABLE, host, NULL);
    for (size_t i = 0; i < host->visits_n; i++)
        look_at_visit(checkup, host, &host->visits[i]);
}

static void find_ours(struct checkup *checkup, enum checkup_fault fault,
                      const struct checkup_ours *ours)
{
    find(checkup, fault, NULL, NULL);
    checkup->findings[checkup->findings_n - 1].ours = ours;
}

/* The PTR record of an inside address is nobody's affair; what could not be found out is no
   fault. */
static void look_at_us(struct checkup *checkup, const struct checkup_ours *ours)
{
    bool none = ours->ptr == DNS_NXDOMAIN || ours->ptr == DNS_NODATA;
    bool found = ours->ptr == DNS_SECURE || ours->ptr == DNS_INSECURE;

    if (!ours->known || checkup->findings_n + 2 > CHECKUP_FINDINGS_MOST)
        return;
    if (ours->inside && !found)
        find_ours(checkup, CHECKUP_FAULT_OURS_INSIDE, ours);
    else if (none)
        find_ours(checkup, CHECKUP_FAULT_OURS_NO_PTR, ours);
    else if (found && !ours->confirmed)
        find_ours(checkup, CHECKUP_FAULT_OURS_PTR_ASTRAY, ours);
    if (!ours->inside && !ours->hello_fits && ours->hello != 0 && ours->hello != DNS_FAILED
        && ours->hello != DNS_BOGUS)
        find_ours(checkup, CHECKUP_FAULT_OURS_HELLO, ours);
}

/* Gravest first; what is alike stays in its order. */
static void sort(struct checkup_finding *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct checkup_finding one = list[i];
        size_t at = i;
        for (; at > 0 && list[at - 1].fault > one.fault; at--)
            list[at] = list[at - 1];
        list[at] = one;
    }
}

enum checkup_verdict checkup_judge(struct checkup *checkup)
{
    enum checkup_verdict worst = 0;

    checkup_decide(checkup);
    checkup->findings_n = 0;
    look_at_domain(checkup);
    look_at_us(checkup, &checkup->ours[0]);
    look_at_us(checkup, &checkup->ours[1]);
    for (size_t i = 0; i < checkup->n; i++) {
        enum checkup_verdict one = host_comes_to(checkup, &checkup->hosts[i]);
        worst = one > worst ? one : worst;
        look_at_host(checkup, &checkup->hosts[i]);
    }
    sort(checkup->findings, checkup->findings_n);
    return worst != 0 ? worst : why_none(checkup);
}

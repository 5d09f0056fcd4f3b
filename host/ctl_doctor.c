/* SPDX-License-Identifier: ISC
 *
 * postern doctor: how a domain's mail is found and protected. It asks the DNS and the domain's web
 * server by itself, in this process, as the roles names and fetch would.
 */
#include "host/ctl_int.h"

#include "crypt/tls_client.h"
#include "dns/checkup.h"
#include "dns/guard.h"
#include "dns/sts_cache.h"
#include "dns/tlsrpt.h"
#include "host/clock.h"
#include "host/fetch.h"
#include "host/resolve.h"

#include <string.h>
#include <sysexits.h>

enum { PATIENCE_MS = 60 * 1000, ANCHOR_MOST = 64 * 1024, ANSWER_MOST = 64 * 1024 };

static const char help[] =
    "usage: postern doctor [--json] [-c FILE] DOMAIN\n"
    "\n"
    "Says how mail to a domain is found and protected: its MX records, whether the DNS signs\n"
    "them, DANE, MTA-STS and TLSRPT, what a connection to each host must be, and one verdict.\n"
    "Exit status 0: mail can be sent; 1: it cannot, or the domain takes none; 75: it could not\n"
    "be found out.\n"
    "\n"
    "  DOMAIN   what stands behind the @\n"
    "  --json   one JSON object\n"
    "  -c FILE  the configuration file, for resolver, trust-anchor, ca-file and allow-private\n";

struct doctor {
    const struct conf *conf;
    struct loop *loop;
    struct resolver *resolver;
    struct fetcher *fetcher;
    bool told;
    struct buffer answer;               /* of the DNS, or a document */
    enum fetch_result result;
    struct checkup checkup;
    struct buffer names[MX_HOSTS_MOST]; /* of hosts */
};

/* ---- questions */

static void on_answer(void *of, uint64_t token, struct bytes answer)
{
    struct doctor *doctor = of;

    (void)token;
    buffer_clear(&doctor->answer);
    buffer_put(&doctor->answer, answer);
    doctor->told = true;
}

static void on_document(void *of, uint64_t token, enum fetch_result result, unsigned status,
                        struct bytes body)
{
    struct doctor *doctor = of;

    (void)status;
    doctor->result = result;
    on_answer(of, token, body);
}

static bool wait_for_it(struct doctor *doctor)
{
    uint64_t until = clock_now().mono_ms + PATIENCE_MS;

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
    doctor->told = false;
    if (!whole.bad) {
        resolver_ask(doctor->resolver, 1, (uint16_t)type, buffer_bytes(&whole));
        if (wait_for_it(doctor))
            (void)!dns_answer_read(buffer_bytes(&doctor->answer), &answer);
    }
    buffer_done(&whole);
    return answer;
}

static bool is_signed(const struct dns_answer *answer)
{
    return answer->verdict == DNS_SECURE || (dns_is_negative(answer) && answer->proved);
}

/* `end`, when not NULL: where the name's CNAMEs end, if it is an alias and they are signed. */
static size_t addresses_of(struct doctor *doctor, struct bytes name, bool *ret_secure,
                           struct buffer *end, uint8_t (*ret_ips)[16], size_t most)
{
    static const enum dns_type types[] = { DNS_A, DNS_AAAA };
    size_t n = 0;

    *ret_secure = true;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct dns_answer answer = ask(doctor, types[i], BYTES_NONE, name);
        *ret_secure = *ret_secure && is_signed(&answer);
        if (end != NULL && end->n == 0 && answer.verdict == DNS_SECURE)
            buffer_put(end, answer.canonical);
        if (dns_found(&answer))
            n += dns_addresses(&answer, ret_ips + n, most - n);
    }
    return n;
}

/* RFC 7672, 2.2.2: where its CNAMEs end, then at its own name. */
static void ask_tlsa(struct doctor *doctor, struct checkup_host *host, struct bytes end)
{
    struct dns_answer tlsa = { .verdict = DNS_NODATA };
    struct bytes list[DNS_RECORDS_MOST], rest;
    size_t n = 0;

    if (end.n > 0)
        tlsa = ask(doctor, DNS_TLSA, BYTES("_25._tcp."), end);
    if (end.n == 0 || dns_is_negative(&tlsa))
        tlsa = ask(doctor, DNS_TLSA, BYTES("_25._tcp."), host->name);
    host->tlsa = tlsa.verdict;
    rest = tlsa.records;
    while (dns_found(&tlsa) && n < COUNT(list) && dns_next_record(&rest, &list[n]))
        n++;
    host->tlsa_usable = tls_tlsa_usable(list, n);
}

static void ask_host(struct doctor *doctor, struct checkup_host *host)
{
    uint8_t ips[FETCH_ADDRESSES_MOST][16];
    struct buffer end = buffer_with_most(DNS_NAME_MOST);

    host->addresses = addresses_of(doctor, host->name, &host->address_secure, &end, ips,
                                   COUNT(ips));
    if (doctor->checkup.mx_secure && host->address_secure && host->addresses > 0)
        ask_tlsa(doctor, host, buffer_bytes(&end));
    buffer_done(&end);
}

static void ask_hosts(struct doctor *doctor)
{
    struct checkup *checkup = &doctor->checkup;
    struct dns_answer answer = ask(doctor, DNS_MX, BYTES_NONE, checkup->domain);
    struct mx_list list;

    mx_read(&answer, 1, &list);
    checkup->mx = list.verdict;
    checkup->mx_secure = list.secure;
    if (list.verdict == MX_IMPLICIT)
        checkup->hosts[checkup->n++].name = checkup->domain;
    for (size_t i = 0; list.verdict == MX_HOSTS && i < list.n; i++) {
        struct checkup_host *host = &checkup->hosts[checkup->n];
        struct buffer *name = &doctor->names[checkup->n++];
        buffer_put(name, mx_name(&list.hosts[i]));
        host->name = buffer_bytes(name);
        host->preference = list.hosts[i].preference;
    }
    for (size_t i = 0; i < checkup->n; i++)
        ask_host(doctor, &checkup->hosts[i]);
}

/* ---- the policy */

static void fetch(struct doctor *doctor, struct bytes url)
{
    uint8_t ips[FETCH_ADDRESSES_MOST][16];
    struct buffer order = buffer_with_most(ANSWER_MOST);
    struct fetch_url parts;
    bool secure;
    size_t n = 0;

    doctor->result = FETCH_NO_ADDRESS;
    if (fetch_url_read(url, &parts))
        n = addresses_of(doctor, parts.host, &secure, NULL, ips, COUNT(ips));
    for (size_t i = 0; i < n; i++)      /* a name may not lead us behind our own walls */
        if (guard_look(ips[i]) != GUARD_OPEN && !doctor->conf->allow_private)
            n = 0;
    if (n > 0) {
        fetch_order_put(&order, &(struct fetch_order){
            FETCH_POLICY, url, { (const char *)ips, 16 * n }, BYTES_NONE });
        doctor->told = false;
        doctor->result = FETCH_LATE;
        fetcher_ask(doctor->fetcher, 1, buffer_bytes(&order));
        if (!wait_for_it(doctor))
            fetcher_end(doctor->fetcher, 1);
    }
    buffer_done(&order);
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

static void ask_policy(struct doctor *doctor)
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

static void ask_reports(struct doctor *doctor)
{
    struct dns_answer answer = ask(doctor, DNS_TXT, BYTES("_smtp._tls."), doctor->checkup.domain);
    struct buffer text = buffer_with_most(DNS_ANSWER_MOST);
    struct tlsrpt_record record;

    doctor->checkup.tlsrpt = tlsrpt_record_read(&answer, &text, &record);
    buffer_done(&text);
}

/* ---- the command */

static int print(struct doctor *doctor, bool as_json)
{
    struct buffer text = buffer_with_most(ANSWER_MOST);
    enum checkup_verdict verdict = checkup_judge(&doctor->checkup);

    (as_json ? checkup_put_json : checkup_put_text)(&text, &doctor->checkup, verdict);
    ctl_print(stdout, &text);
    buffer_done(&text);
    return verdict == CHECKUP_UNKNOWN ? EX_TEMPFAIL : verdict < CHECKUP_WAITS ? EX_OK : 1;
}

static struct bytes read_anchor(struct bytes path, struct buffer *to)
{
    char name[4096], part[4096];
    size_t n;

    if (path.n >= sizeof(name))
        return BYTES_NONE;
    memcpy(name, path.at, path.n);
    name[path.n] = '\0';
    FILE *file = fopen(name, "rbe");
    while (file != NULL && (n = fread(part, 1, sizeof(part), file)) > 0)
        buffer_put(to, (struct bytes){ part, n });
    if (file != NULL)
        fclose(file);
    return to->bad ? BYTES_NONE : buffer_bytes(to);
}

static int examine(const struct conf *conf, struct bytes domain, bool as_json)
{
    struct buffer anchor = buffer_with_most(ANCHOR_MOST);
    struct log_sink *log = log_sink_new(BYTES("/dev/null"));
    struct doctor doctor = { .conf = conf, .loop = log == NULL ? NULL : loop_new(log),
                             .answer = buffer_with_most(ANSWER_MOST), .checkup.domain = domain };
    int status = EX_OSERR;

    for (size_t i = 0; i < MX_HOSTS_MOST; i++)
        doctor.names[i] = buffer_with_most(DNS_NAME_MOST);
    if (doctor.loop != NULL) {
        doctor.resolver = resolver_new(doctor.loop, conf->resolver,
                                       read_anchor(conf->trust_anchor, &anchor), &doctor,
                                       on_answer);
        doctor.fetcher = fetcher_new(doctor.loop, conf->authorities_text, &doctor, on_document);
    }
    if (doctor.resolver != NULL && doctor.fetcher != NULL) {
        ask_hosts(&doctor);
        ask_policy(&doctor);
        ask_reports(&doctor);
        status = print(&doctor, as_json);
    }
    fetcher_free(doctor.fetcher);
    resolver_free(doctor.resolver);
    loop_free(doctor.loop);
    log_sink_free(log);
    for (size_t i = 0; i < MX_HOSTS_MOST; i++)
        buffer_done(&doctor.names[i]);
    buffer_done(&doctor.answer);
    buffer_done(&anchor);
    return status;
}

int ctl_doctor_run(int argc, char **argv)
{
    struct bytes words[CTL_WORDS_MOST], domain = BYTES_NONE;
    struct buffer ascii = buffer_with_most(DNS_NAME_MOST);
    const char *conf_path;
    struct conf_file file;
    bool as_json = false;
    size_t n;

    if (!ctl_words(argc, argv, words, &n, &conf_path))
        return EX_USAGE;
    for (size_t i = 1; i < n; i++) {
        if (bytes_equal(words[i], BYTES("--help")) || bytes_equal(words[i], BYTES("-h"))) {
            fputs(help, stdout);
            return ctl_end(EX_OK);
        }
        if (bytes_equal(words[i], BYTES("--json")))
            as_json = true;
        else if (bytes_begins(words[i], BYTES("-")) || domain.n > 0)
            return ctl_unknown("doctor", words[i].at);
        else
            domain = words[i];
    }
    if (domain.n == 0 || !checkup_domain_put(&ascii, domain)) {
        fputs("postern: doctor wants the name of a domain; see --help\n", stderr);
        buffer_done(&ascii);
        return EX_USAGE;
    }
    int status = ctl_conf(conf_path, &file);
    if (status == 0) {
        status = examine(&file.conf, buffer_bytes(&ascii), as_json);
        conf_file_done(&file);
    }
    buffer_done(&ascii);
    return ctl_end(status);
}

/* SPDX-License-Identifier: ISC
 *
 * postern doctor: how a domain's mail is found and protected. It asks the DNS and the domain's web
 * server by itself, in this process, as the roles names and fetch would, and calls on each of the
 * domain's mail servers without a letter.
 */
#include "host/ctl_doctor_int.h"

#include "dns/guard.h"
#include "host/clock.h"
#include "host/ctl_int.h"
#include "host/ctl_visit.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { ANCHOR_MOST = 64 * 1024, PRINT_MOST = 1024 * 1024 };

static const char help[] =
    "usage: postern doctor [--json] [--dns-only] [-c FILE] DOMAIN\n"
    "\n"
    "Says how mail to a domain is found and protected: its MX records, whether the DNS signs\n"
    "them, DANE, MTA-STS and TLSRPT; calls on each of its hosts (EHLO, STARTTLS, QUIT, no mail)\n"
    "and says what each offers and shows, and how our own address looks to them. At the end the\n"
    "verdict: what happened, whose side must act, and how to mend it.\n"
    "Exit status 0: mail can be sent; 1: it cannot, or the domain takes none; 75: it could not\n"
    "be found out.\n"
    "\n"
    "  DOMAIN      what stands behind the @\n"
    "  --json      one JSON object\n"
    "  --dns-only  connect to no mail server\n"
    "  -c FILE     the configuration file, for host, resolver, trust-anchor, ca-file, tls-policy\n"
    "              and allow-private\n";

struct doctor_wish {
    bool as_json, dns_only;
};

/* ---- visits */

/* Slices of TLSA records that the orders borrow. */
struct records {
    struct bytes list[DNS_RECORDS_MOST];
};

struct rounds {
    struct visit_order orders[MX_HOSTS_MOST * CHECKUP_VISITS_MOST];
    size_t n;
    struct records tlsa[MX_HOSTS_MOST];
};

static size_t cut_records(const struct buffer *tlsa, struct records *to)
{
    struct bytes rest = buffer_bytes(tlsa);
    size_t n = 0;

    while (n < COUNT(to->list) && dns_next_record(&rest, &to->list[n]))
        n++;
    return n;
}

static void order_host(struct doctor *doctor, size_t i, struct tls_context *tls,
                       struct rounds *rounds)
{
    struct checkup *checkup = &doctor->checkup;
    struct checkup_host *host = &checkup->hosts[i];
    struct probe_want want = {
        .hello = doctor->conf->host, .host = host->name, .tls = tls, .now_ms = checkup->now_ms,
        .base = buffer_bytes(&doctor->hosts[i].base),
        .domain = checkup->mx_secure ? checkup->domain : BYTES_NONE,
        .tlsa = rounds->tlsa[i].list,
    };

    if (host->tlsa_usable > 0)
        want.tlsa_n = cut_records(&doctor->hosts[i].tlsa, &rounds->tlsa[i]);
    for (size_t v = 0; v < host->visits_n; v++) {
        if (guard_look(host->visits[v].ip) != GUARD_OPEN && !doctor->conf->allow_private)
            host->visits[v].end = CHECKUP_BARRED;
        rounds->orders[rounds->n++] = (struct visit_order){ want, &host->visits[v], false, { 0 } };
    }
}

/* The first address of each family that we call from. */
static void note_ours(struct checkup *checkup, const struct rounds *rounds)
{
    static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };

    for (size_t i = 0; i < rounds->n; i++) {
        const struct visit_order *order = &rounds->orders[i];
        bool v4 = memcmp(order->from, mapped, sizeof(mapped)) == 0;
        struct checkup_ours *ours = &checkup->ours[v4 ? 0 : 1];
        if (!order->called || ours->known)
            continue;
        ours->known = true;
        memcpy(ours->ip, order->from, sizeof(ours->ip));
    }
}

static bool visit_hosts(struct doctor *doctor)
{
    struct rounds *rounds = calloc(1, sizeof(*rounds));
    size_t n = 0;
    struct tls_context *tls = tls_context_new_client(doctor->conf->authorities_text, &n);
    bool well = rounds != NULL && tls != NULL;

    for (size_t i = 0; well && i < doctor->checkup.n; i++)
        order_host(doctor, i, tls, rounds);
    if (well) {
        visit_all(rounds->orders, rounds->n);
        doctor->checkup.visited = true;
        note_ours(&doctor->checkup, rounds);
    }
    tls_context_free(tls);
    free(rounds);
    return well;
}

/* ---- the command */

static int print(struct doctor *doctor, bool as_json)
{
    struct buffer text = buffer_with_most(PRINT_MOST);
    enum checkup_verdict verdict = checkup_judge(&doctor->checkup);

    (as_json ? checkup_put_json : checkup_put_text)(&text, &doctor->checkup, verdict);
    ctl_print(stdout, &text);
    buffer_done(&text);
    return verdict == CHECKUP_UNKNOWN ? EX_TEMPFAIL : verdict < CHECKUP_UNREACHED ? EX_OK : 1;
}

static int examine(struct doctor *doctor, const struct doctor_wish *wish)
{
    doctor_ask_hosts(doctor);
    doctor_ask_policy(doctor);
    doctor_ask_reports(doctor);
    if (!wish->dns_only) {
        if (!visit_hosts(doctor))
            return EX_OSERR;
        for (size_t i = 0; i < COUNT(doctor->checkup.ours); i++)
            if (doctor->checkup.ours[i].known)
                doctor_ask_ours(doctor, &doctor->checkup.ours[i]);
    }
    return print(doctor, wish->as_json);
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

static void doctor_free(struct doctor *doctor)
{
    for (size_t i = 0; i < MX_HOSTS_MOST; i++) {
        struct checkup_host *host = &doctor->checkup.hosts[i];
        for (size_t v = 0; v < host->visits_n; v++)
            checkup_visit_done(&host->visits[v]);
        buffer_done(&doctor->hosts[i].name);
        buffer_done(&doctor->hosts[i].base);
        buffer_done(&doctor->hosts[i].tlsa);
    }
    for (size_t i = 0; i < COUNT(doctor->checkup.ours); i++)
        buffer_done(&doctor->checkup.ours[i].name);
    buffer_done(&doctor->answer);
    buffer_done(&doctor->anchor);
    free(doctor);
}

static struct doctor *doctor_new(const struct conf *conf, struct bytes domain)
{
    struct doctor *doctor = calloc(1, sizeof(*doctor));

    if (doctor == NULL)
        return NULL;
    doctor->conf = conf;
    doctor->answer = buffer_with_most(DOCTOR_ANSWER_MOST);
    doctor->anchor = buffer_with_most(ANCHOR_MOST);
    doctor->checkup.domain = domain;
    doctor->checkup.hello = conf->host;
    doctor->checkup.now_ms = clock_now().wall_ms;
    doctor->checkup.policy = probe_policy(conf, domain);
    for (size_t i = 0; i < MX_HOSTS_MOST; i++)
        doctor->hosts[i] = (struct doctor_host){
            buffer_with_most(DNS_NAME_MOST), buffer_with_most(DNS_NAME_MOST),
            buffer_with_most(DNS_ANSWER_MOST) };
    return doctor;
}

struct doctor *doctor_begin(const struct conf *conf, struct bytes domain)
{
    struct doctor *doctor = doctor_new(conf, domain);

    if (doctor != NULL)
        doctor->log = log_sink_new(BYTES("/dev/null"));
    if (doctor != NULL && doctor->log != NULL)
        doctor->loop = loop_new(doctor->log);
    if (doctor != NULL && doctor->loop != NULL
        && doctor_open(doctor, read_anchor(conf->trust_anchor, &doctor->anchor)))
        return doctor;
    fputs("postern: memory is short, or the trust anchor does not read\n", stderr);
    doctor_end(doctor);
    return NULL;
}

void doctor_end(struct doctor *doctor)
{
    if (doctor == NULL)
        return;
    doctor_close(doctor);
    loop_free(doctor->loop);
    log_sink_free(doctor->log);
    doctor_free(doctor);
}

static int run(const struct conf *conf, struct bytes domain, const struct doctor_wish *wish)
{
    struct doctor *doctor = doctor_begin(conf, domain);
    int status = doctor == NULL ? EX_OSERR : examine(doctor, wish);

    doctor_end(doctor);
    return status;
}

int ctl_doctor_run(int argc, char **argv)
{
    struct bytes words[CTL_WORDS_MOST], domain = BYTES_NONE;
    struct buffer ascii = buffer_with_most(DNS_NAME_MOST);
    struct doctor_wish wish = { false, false };
    const char *conf_path;
    struct conf_file file;
    size_t n;

    if (!ctl_words(argc, argv, words, &n, &conf_path))
        return EX_USAGE;
    for (size_t i = 1; i < n; i++) {
        if (bytes_equal(words[i], BYTES("--help")) || bytes_equal(words[i], BYTES("-h"))) {
            fputs(help, stdout);
            return ctl_end(EX_OK);
        }
        if (bytes_equal(words[i], BYTES("--json")))
            wish.as_json = true;
        else if (bytes_equal(words[i], BYTES("--dns-only")))
            wish.dns_only = true;
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
        status = run(&file.conf, buffer_bytes(&ascii), &wish);
        conf_file_done(&file);
    }
    buffer_done(&ascii);
    return ctl_end(status);
}

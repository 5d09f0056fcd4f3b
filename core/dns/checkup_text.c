/* SPDX-License-Identifier: ISC
 *
 * A checkup as people read it: what was found, host by host, and the verdict at the end: what
 * happened, whose side must act, what is to be done.
 */
#include "dns/checkup_int.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/safe.h"
#include "dns/guard.h"
#include "dns/provider.h"

/* ---- words */

void checkup_day_put(struct buffer *to, uint64_t wall_ms)
{
    struct civil day = civil_of(wall_ms);

    buffer_put_uint_wide(to, day.year, 4);
    buffer_put_char(to, '-');
    buffer_put_uint_wide(to, day.month, 2);
    buffer_put_char(to, '-');
    buffer_put_uint_wide(to, day.day, 2);
}

static const char *verdict_words(enum checkup_verdict verdict)
{
    switch (verdict) {
    case CHECKUP_DANE: return "it is protected on its way: DANE says who may receive it";
    case CHECKUP_STS: return "it is protected on its way, once its policy (MTA-STS) is known";
    case CHECKUP_OPEN:
        return "it is encrypted, and who sits on the way can read it all the same: nothing says "
               "who may receive it";
    case CHECKUP_CLEAR: return "it goes in clear, and whoever looks on can read it";
    case CHECKUP_UNREACHED: return "it waits: none of its hosts answers";
    case CHECKUP_SHUT: return "it waits or comes back: its hosts will not speak with us";
    case CHECKUP_WAITS: return "it waits: no host of it may be used as things stand";
    case CHECKUP_NO_MAIL: return "none can be sent there";
    case CHECKUP_UNKNOWN: return "it could not be found out how it would go: ask again later";
    }
    return "";
}

const char *checkup_mx_words(const struct checkup *checkup)
{
    switch (checkup->mx) {
    case MX_HOSTS: return checkup->mx_secure ? "signed" : "not signed";
    case MX_IMPLICIT: return "none: the domain itself is its host";
    case MX_NULL: return "none on purpose (null MX)";
    case MX_NO_DOMAIN: return "there is no such domain";
    case MX_UNUSABLE: return "none that names a host";
    case MX_LATER:
        return checkup->mx_bogus ? "the DNS's answer has wrong signatures"
                                 : "the DNS's answer failed";
    }
    return "";
}

static const char *end_words(enum checkup_end end)
{
    switch (end) {
    case CHECKUP_NOT_VISITED: return "not called on";
    case CHECKUP_BARRED: return "not called on: ";
    case CHECKUP_NOBODY: return "no connection: ";
    case CHECKUP_SILENT: return "no answer: ";
    case CHECKUP_REFUSED: return "it will not speak with us: ";
    case CHECKUP_TLS_BROKE: return "TLS fails: ";
    case CHECKUP_SPOKEN: return "";
    }
    return "";
}

/* A flag needs no word of praise: what it is good for. */
static const struct { const char *keyword, *words; } offers[] = {
    { "PIPELINING", "commands in one flight" }, { "CHUNKING", "text in pieces of a known size" },
    { "8BITMIME", "8-bit text" }, { "BINARYMIME", "binary text" },
    { "SMTPUTF8", "addresses beyond ASCII" }, { "SIZE", "its limit of size" },
    { "ENHANCEDSTATUSCODES", "codes that say why" }, { "DSN", "reports as asked for" },
    { "STARTTLS", "TLS" }, { "REQUIRETLS", "letters that must go by TLS" },
    { "MT-PRIORITY", "priorities" }, { "DELIVERBY", "deadlines" }, { "AUTH", "signing in" },
};

static const char *offer_words(struct bytes keyword)
{
    for (size_t i = 0; i < COUNT(offers); i++)
        if (bytes_equal(keyword, bytes_of(offers[i].keyword)))
            return offers[i].words;
    return "";
}

struct checkup_fault_words checkup_fault_words(enum checkup_fault fault)
{
#define SENDER "Who writes must act"
#define THEIRS "Their side must act"
#define OURS "Our side must act"
#define NOBODY "Nobody must act"
    static const struct checkup_fault_words words[] = {
#define F(fault, word, side, what, how) { word, side, what, how },
        CHECKUP_FAULT_LIST(F)
#undef F
    };

    return words[fault];
}

/* ---- one visit */

static void put_label(struct buffer *to, const char *label)
{
    size_t n = bytes_of(label).n;

    buffer_put(to, BYTES("      "));
    buffer_put_text(to, label);
    buffer_put_chars(to, ' ', n < 11 ? 11 - n : 1);
}

static void put_offers(struct buffer *to, const struct checkup_visit *visit)
{
    struct bytes rest = buffer_bytes(&visit->extensions), keyword;
    bool any = false;

    put_label(to, "offers");
    while (bytes_cut(&rest, ' ', &keyword)) {
        const char *words = offer_words(keyword);
        if (keyword.n == 0)
            continue;
        if (any)
            buffer_put(to, BYTES(", "));
        any = true;
        buffer_put(to, keyword);
        if (words[0] != '\0') {
            buffer_put(to, BYTES(" ("));
            buffer_put_text(to, words);
            buffer_put_char(to, ')');
        }
    }
    buffer_put_text(to, any ? "\n" : "nothing beyond plain SMTP\n");
}

static void put_names(struct buffer *to, const struct checkup_visit *visit)
{
    struct bytes rest = buffer_bytes(&visit->names), name;
    bool any = false;

    put_label(to, "names");
    while (dns_next_record(&rest, &name)) {
        if (any)
            buffer_put(to, BYTES(", "));
        any = true;
        safe_put_plain(to, name);
    }
    buffer_put_text(to, !any ? "none" : visit->names_it ? "; the MX record's is among them"
                                                        : "; the MX record's is not among them");
    buffer_put_char(to, '\n');
}

static void put_proof(struct buffer *to, const char *label, const struct checkup_proof *proof,
                      const char *well, const char *ill)
{
    put_label(to, label);
    buffer_put_text(to, proof->well ? well : ill);
    if (!proof->well && proof->words[0] != '\0') {
        buffer_put(to, BYTES(": "));
        buffer_put_text(to, proof->words);
    }
    buffer_put_char(to, '\n');
}

static void put_certificate(struct buffer *to, const struct checkup *checkup,
                            const struct checkup_host *host, const struct checkup_visit *visit)
{
    bool in_time = checkup->now_ms >= visit->from_ms && checkup->now_ms <= visit->until_ms;

    put_names(to, visit);
    put_label(to, "dates");
    checkup_day_put(to, visit->from_ms);
    buffer_put(to, BYTES(" to "));
    checkup_day_put(to, visit->until_ms);
    buffer_put_text(to, in_time ? "\n" : ": not today\n");
    put_proof(to, "authority", &visit->by_name, "one that we believe vouches for this host",
              "none vouches for this host");
    if (host->tlsa_usable > 0)
        put_proof(to, "TLSA", &visit->by_tlsa, "a record fits", "no record fits");
}

static void put_visit(struct buffer *to, const struct checkup *checkup,
                      const struct checkup_host *host, const struct checkup_visit *visit)
{
    buffer_put(to, BYTES("    "));
    ip_put(to, visit->ip);
    buffer_put_char(to, '\n');
    if (visit->greeting.n > 0) {
        put_label(to, "greeting");
        safe_put_plain(to, buffer_bytes(&visit->greeting));
        buffer_put_char(to, '\n');
    }
    if (visit->end != CHECKUP_SPOKEN) {
        put_label(to, "end");
        buffer_put_text(to, end_words(visit->end));
        if (visit->end == CHECKUP_BARRED)
            buffer_put_text(to, guard_words(guard_look(visit->ip)));
        else
            safe_put_plain(to, buffer_bytes(&visit->why));
        buffer_put_char(to, '\n');
        return;
    }
    put_offers(to, visit);
    put_label(to, "TLS");
    if (visit->tls) {
        buffer_put(to, buffer_bytes(&visit->version));
        buffer_put(to, BYTES(", "));
        buffer_put(to, buffer_bytes(&visit->cipher));
    } else {
        buffer_put_text(to, visit->tls_offered ? "offered, and refused when asked for" : "none");
    }
    buffer_put_char(to, '\n');
    if (visit->chain > 0)
        put_certificate(to, checkup, host, visit);
}

/* ---- the rest of what was found */

/* dns/channel.h in a sentence. */
static const char *need_words(enum channel_need need)
{
    switch (need) {
    case CHANNEL_WAIT: return "letters wait";
    case CHANNEL_NOT_HERE: return "no letter goes there";
    case CHANNEL_CLEAR: return "letters go in clear";
    case CHANNEL_ANY: return "letters go by TLS when it is offered, else in clear";
    case CHANNEL_ENCRYPT: return "letters go only by TLS, whoever answers";
    case CHANNEL_NAME: return "letters go only by TLS, to a host that an authority vouches for";
    case CHANNEL_DANE: return "letters go only by TLS, to a host that is proved";
    }
    return "";
}

static void put_host(struct buffer *to, const struct checkup *checkup,
                     const struct checkup_host *host)
{
    buffer_put(to, BYTES("  host       "));
    buffer_put_uint(to, host->preference);
    buffer_put_char(to, ' ');
    safe_put_plain(to, host->name);
    buffer_put(to, BYTES(": "));
    buffer_put_uint(to, host->addresses);
    buffer_put(to, host->addresses == 1 ? BYTES(" address, ") : BYTES(" addresses, "));
    buffer_put_text(to, host->address_secure ? "signed" : "not signed");
    if (host->tlsa != 0) {
        buffer_put(to, BYTES("; TLSA "));
        buffer_put_text(to, dns_verdict_name(host->tlsa));
        buffer_put(to, BYTES(", "));
        buffer_put_uint(to, host->tlsa_usable);
        buffer_put(to, BYTES(" of use"));
    }
    buffer_put(to, BYTES("\n             "));
    buffer_put_text(to, need_words(host->channel.need));
    if (host->channel.why != NULL && host->channel.why[0] != '\0') {
        buffer_put(to, BYTES(": "));
        buffer_put_text(to, host->channel.why);
    }
    buffer_put_char(to, '\n');
    for (size_t i = 0; i < host->visits_n; i++)
        put_visit(to, checkup, host, &host->visits[i]);
}

static void put_sts(struct buffer *to, const struct checkup *checkup)
{
    buffer_put(to, BYTES("  MTA-STS    "));
    if (!checkup->sts_announced) {
        buffer_put(to, BYTES("none\n"));
        return;
    }
    if (checkup->sts_held) {
        buffer_put_text(to, sts_mode_name(checkup->sts));
        buffer_put(to, BYTES(", for "));
        buffer_put_uint(to, checkup->sts_age);
        buffer_put(to, BYTES(" s\n"));
        return;
    }
    buffer_put(to, BYTES("announced, and its policy cannot be had: "));
    buffer_put_text(to, checkup->sts_why);
    buffer_put_char(to, '\n');
}

/* Who runs the hosts, each once. */
static void put_providers(struct buffer *to, const struct checkup *checkup)
{
    bool any = false;

    for (size_t i = 0; i < checkup->n; i++) {
        const char *name = provider_of(checkup->hosts[i].name);
        bool again = name[0] == '\0';
        for (size_t before = 0; before < i && !again; before++)
            again = provider_of(checkup->hosts[before].name) == name;
        if (again)
            continue;
        buffer_put_text(to, any ? ", " : "  run by     ");
        any = true;
        buffer_put_text(to, name);
    }
    if (any)
        buffer_put(to, BYTES(", as the names say\n"));
}

static void put_ours(struct buffer *to, const struct checkup *checkup,
                     const struct checkup_ours *ours)
{
    if (!ours->known)
        return;
    buffer_put(to, BYTES("  we         "));
    ip_put(to, ours->ip);
    if (ours->name.n > 0) {
        buffer_put(to, BYTES("; PTR "));
        safe_put_plain(to, buffer_bytes(&ours->name));
        buffer_put_text(to, ours->confirmed ? ", which leads back" : ", which does not lead back");
    } else {
        buffer_put(to, BYTES("; PTR "));
        buffer_put_text(to, ours->ptr == 0 ? "not asked for" : dns_verdict_name(ours->ptr));
    }
    buffer_put(to, BYTES("; greets as "));
    safe_put_plain(to, checkup->hello);
    buffer_put_text(to, ours->hello_fits ? ", which has this address\n"
                                         : ", which does not have this address\n");
}

/* ---- the verdict */

static void put_finding(struct buffer *to, const struct checkup_finding *finding)
{
    struct checkup_fault_words words = checkup_fault_words(finding->fault);

    buffer_put(to, BYTES("  - "));
    if (finding->host != NULL)
        safe_put_plain(to, finding->host->name);
    if (finding->visit != NULL)
        buffer_put_char(to, '[');
    if (finding->visit != NULL || finding->ours != NULL)
        ip_put(to, finding->visit != NULL ? finding->visit->ip : finding->ours->ip);
    if (finding->visit != NULL)
        buffer_put_char(to, ']');
    if (finding->host != NULL || finding->ours != NULL)
        buffer_put_char(to, ' ');
    buffer_put_text(to, words.what);
    if (!bytes_ends(bytes_of(words.what), BYTES(".")))
        buffer_put_char(to, '.');
    buffer_put(to, BYTES("\n    "));
    buffer_put_text(to, words.side);
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, words.how);
    buffer_put(to, BYTES(".\n"));
}

void checkup_put_text(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict)
{
    safe_put_plain(to, checkup->domain);
    buffer_put(to, BYTES("\n  MX         "));
    buffer_put_text(to, checkup_mx_words(checkup));
    buffer_put_char(to, '\n');
    put_providers(to, checkup);
    put_sts(to, checkup);
    buffer_put(to, BYTES("  TLSRPT     "));
    buffer_put_text(to, checkup->tlsrpt ? "it wants reports\n" : "none\n");
    for (size_t i = 0; i < checkup->n; i++)
        put_host(to, checkup, &checkup->hosts[i]);
    put_ours(to, checkup, &checkup->ours[0]);
    put_ours(to, checkup, &checkup->ours[1]);
    buffer_put(to, BYTES("\nMail to "));
    safe_put_plain(to, checkup->domain);
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, verdict_words(verdict));
    buffer_put(to, BYTES(".\n"));
    for (size_t i = 0; i < checkup->findings_n; i++)
        put_finding(to, &checkup->findings[i]);
    if (checkup->findings_n == 0)
        buffer_put(to, BYTES("Nothing is to be done.\n"));
}

/* SPDX-License-Identifier: ISC */
#include "dns/checkup.h"

#include "base/json.h"
#include "base/safe.h"
#include "mail/domain.h"

bool checkup_domain_put(struct buffer *to, struct bytes word)
{
    size_t from = to->n;

    if (!domain_to_ascii(word, to) || to->bad)
        return false;
    for (size_t i = from; i < to->n; i++)
        to->at[i] = to_lower(to->at[i]);
    return dns_name_is_plain(bytes_skip(buffer_bytes(to), from));
}

/* ---- the verdict */

static void judge_host(const struct checkup *checkup, struct checkup_host *host)
{
    struct dns_answer tlsa = { .verdict = host->tlsa, .canonical = BYTES_NONE,
                               .records = BYTES_NONE };
    struct channel_facts facts = {
        .route_secure = checkup->mx_secure,
        .address_secure = checkup->mx_secure && host->address_secure,
        .tlsa = host->tlsa == 0 ? NULL : &tlsa,
        .tlsa_usable = host->tlsa_usable,
        .sts = checkup->sts_held ? checkup->sts : STS_NONE,
        .sts_allows = host->sts_allows,
        .policy = CHANNEL_POLICY_MAY,
    };

    host->channel = channel_decide(&facts);
}

static enum checkup_verdict verdict_without_hosts(enum mx_verdict mx)
{
    switch (mx) {
    case MX_NULL: case MX_NO_DOMAIN: return CHECKUP_NO_MAIL;
    case MX_LATER: return CHECKUP_UNKNOWN;
    case MX_HOSTS: case MX_IMPLICIT: case MX_UNUSABLE: break;
    }
    return CHECKUP_WAITS;
}

enum checkup_verdict checkup_judge(struct checkup *checkup)
{
    enum checkup_verdict worst = 0;

    for (size_t i = 0; i < checkup->n; i++) {
        struct checkup_host *host = &checkup->hosts[i];
        enum checkup_verdict one = 0;
        judge_host(checkup, host);
        switch (host->channel.need) {
        case CHANNEL_WAIT: case CHANNEL_NOT_HERE: break;
        case CHANNEL_CLEAR: case CHANNEL_ANY: case CHANNEL_ENCRYPT: one = CHECKUP_OPEN; break;
        case CHANNEL_NAME: one = host->channel.test ? CHECKUP_OPEN : CHECKUP_STS; break;
        case CHANNEL_DANE: one = CHECKUP_DANE; break;
        }
        if (host->addresses > 0 && one > worst)
            worst = one;
    }
    return worst != 0 ? worst : verdict_without_hosts(checkup->mx);
}

static const char *verdict_word(enum checkup_verdict verdict)
{
    switch (verdict) {
    case CHECKUP_DANE: return "dane";
    case CHECKUP_STS: return "sts";
    case CHECKUP_OPEN: return "open";
    case CHECKUP_WAITS: return "waits";
    case CHECKUP_NO_MAIL: return "no-mail";
    case CHECKUP_UNKNOWN: return "unknown";
    }
    return "";
}

static const char *verdict_words(enum checkup_verdict verdict)
{
    switch (verdict) {
    case CHECKUP_DANE: return "mail to it is protected on its way: DANE says who may receive it";
    case CHECKUP_STS:
        return "mail to it is protected on its way, once its policy (MTA-STS) is known";
    case CHECKUP_OPEN:
        return "who sits on the way can read mail to it: nothing says who may receive it";
    case CHECKUP_WAITS: return "mail to it waits: no host of it may be used as things stand";
    case CHECKUP_NO_MAIL: return "it takes no mail";
    case CHECKUP_UNKNOWN: return "it could not be found out: ask again later";
    }
    return "";
}

/* ---- for people */

static const char *mx_words(const struct checkup *checkup)
{
    switch (checkup->mx) {
    case MX_HOSTS: return checkup->mx_secure ? "signed" : "not signed";
    case MX_IMPLICIT: return "none: the domain itself is its host";
    case MX_NULL: return "none on purpose (null MX)";
    case MX_NO_DOMAIN: return "there is no such domain";
    case MX_UNUSABLE: return "none that names a host";
    case MX_LATER: return "the DNS's answer failed, or has wrong signatures";
    }
    return "";
}

static void put_host(struct buffer *to, const struct checkup_host *host)
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
    buffer_put(to, BYTES("; a connection must be: "));
    buffer_put_text(to, channel_need_name(host->channel.need));
    if (host->channel.why != NULL && host->channel.why[0] != '\0') {
        buffer_put(to, BYTES(" ("));
        buffer_put_text(to, host->channel.why);
        buffer_put_char(to, ')');
    }
    buffer_put_char(to, '\n');
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

void checkup_put_text(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict)
{
    safe_put_plain(to, checkup->domain);
    buffer_put(to, BYTES(": "));
    buffer_put_text(to, verdict_words(verdict));
    buffer_put(to, BYTES(".\n  MX         "));
    buffer_put_text(to, mx_words(checkup));
    buffer_put_char(to, '\n');
    for (size_t i = 0; i < checkup->n; i++)
        put_host(to, &checkup->hosts[i]);
    put_sts(to, checkup);
    buffer_put(to, BYTES("  TLSRPT     "));
    buffer_put_text(to, checkup->tlsrpt ? "it wants reports\n" : "none\n");
}

/* ---- for programs */

static void put_json_host(struct json *json, const struct checkup_host *host)
{
    json_put_object(json);
    json_put_text(json, "name", host->name);
    json_put_uint(json, "preference", host->preference);
    json_put_uint(json, "addresses", host->addresses);
    json_put_bool(json, "address_signed", host->address_secure);
    if (host->tlsa != 0) {
        json_put_text(json, "tlsa", bytes_of(dns_verdict_name(host->tlsa)));
        json_put_uint(json, "tlsa_usable", host->tlsa_usable);
    }
    json_put_text(json, "need", bytes_of(channel_need_name(host->channel.need)));
    if (host->channel.why != NULL && host->channel.why[0] != '\0')
        json_put_text(json, "why", bytes_of(host->channel.why));
    json_put_object_end(json);
}

void checkup_put_json(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "domain", checkup->domain);
    json_put_text(&json, "verdict", bytes_of(verdict_word(verdict)));
    json_put_text(&json, "mx", bytes_of(mx_words(checkup)));
    json_put_bool(&json, "mx_signed", checkup->mx_secure);
    json_key(&json, "hosts");
    json_put_array(&json);
    for (size_t i = 0; i < checkup->n; i++)
        put_json_host(&json, &checkup->hosts[i]);
    json_put_array_end(&json);
    json_put_bool(&json, "sts_announced", checkup->sts_announced);
    if (checkup->sts_held)
        json_put_text(&json, "sts_mode", bytes_of(sts_mode_name(checkup->sts)));
    else if (checkup->sts_announced)
        json_put_text(&json, "sts_why", bytes_of(checkup->sts_why));
    json_put_bool(&json, "tlsrpt", checkup->tlsrpt);
    json_put_object_end(&json);
    json_line_end(&json);
}

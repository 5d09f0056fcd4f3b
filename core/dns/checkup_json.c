/* SPDX-License-Identifier: ISC */
#include "dns/checkup_int.h"

#include "base/ip.h"
#include "base/json.h"
#include "dns/provider.h"

static const char *verdict_word(enum checkup_verdict verdict)
{
    switch (verdict) {
    case CHECKUP_DANE: return "dane";
    case CHECKUP_STS: return "sts";
    case CHECKUP_OPEN: return "open";
    case CHECKUP_CLEAR: return "clear";
    case CHECKUP_UNREACHED: return "unreachable";
    case CHECKUP_SHUT: return "refused";
    case CHECKUP_WAITS: return "waits";
    case CHECKUP_NO_MAIL: return "no-mail";
    case CHECKUP_UNKNOWN: return "unknown";
    }
    return "";
}

const char *checkup_end_word(enum checkup_end end)
{
    switch (end) {
    case CHECKUP_NOT_VISITED: return "not-visited";
    case CHECKUP_BARRED: return "barred";
    case CHECKUP_NOBODY: return "unreachable";
    case CHECKUP_SILENT: return "silent";
    case CHECKUP_REFUSED: return "refused";
    case CHECKUP_TLS_BROKE: return "tls-broken";
    case CHECKUP_SPOKEN: return "spoken";
    }
    return "";
}

static void put_ip(struct json *json, const char *key, const uint8_t ip[static 16])
{
    struct buffer text = buffer_with_most(64);

    ip_put(&text, ip);
    json_put_text(json, key, buffer_bytes(&text));
    buffer_done(&text);
}

static void put_proof(struct json *json, const char *key, const struct checkup_proof *proof)
{
    json_key(json, key);
    json_put_object(json);
    json_put_bool(json, "proved", proof->well);
    if (!proof->well)
        json_put_text(json, "why", bytes_of(proof->words));
    json_put_object_end(json);
}

static void put_list(struct json *json, const char *key, struct bytes words)
{
    struct bytes one;

    json_key(json, key);
    json_put_array(json);
    while (bytes_cut(&words, ' ', &one))
        if (one.n > 0)
            json_text(json, one);
    json_put_array_end(json);
}

static void put_certificate(struct json *json, const struct checkup_host *host,
                            const struct checkup_visit *visit)
{
    struct bytes rest = buffer_bytes(&visit->names), name;

    json_key(json, "certificate");
    json_put_object(json);
    json_put_uint(json, "chain", visit->chain);
    json_key(json, "names");
    json_put_array(json);
    while (dns_next_record(&rest, &name))
        json_text(json, name);
    json_put_array_end(json);
    json_put_bool(json, "names_host", visit->names_it);
    json_put_uint(json, "from", visit->from_ms / 1000);
    json_put_uint(json, "until", visit->until_ms / 1000);
    put_proof(json, "authority", &visit->by_name);
    if (host->tlsa_usable > 0)
        put_proof(json, "tlsa", &visit->by_tlsa);
    json_put_object_end(json);
}

static void put_visit(struct json *json, const struct checkup_host *host,
                      const struct checkup_visit *visit)
{
    json_put_object(json);
    put_ip(json, "address", visit->ip);
    json_put_text(json, "end", bytes_of(checkup_end_word(visit->end)));
    if (visit->why.n > 0)
        json_put_text(json, "why", buffer_bytes(&visit->why));
    if (visit->greeting.n > 0)
        json_put_text(json, "greeting", buffer_bytes(&visit->greeting));
    put_list(json, "extensions", buffer_bytes(&visit->extensions));
    if (visit->tls) {
        json_put_text(json, "tls", buffer_bytes(&visit->version));
        json_put_text(json, "cipher", buffer_bytes(&visit->cipher));
    }
    if (visit->chain > 0)
        put_certificate(json, host, visit);
    json_put_object_end(json);
}

static void put_host(struct json *json, const struct checkup_host *host)
{
    const char *provider = provider_of(host->name);

    json_put_object(json);
    json_put_text(json, "name", host->name);
    json_put_uint(json, "preference", host->preference);
    if (provider[0] != '\0')
        json_put_text(json, "run_by", bytes_of(provider));
    json_put_uint(json, "addresses", host->addresses);
    json_put_bool(json, "address_signed", host->address_secure);
    if (host->tlsa != 0) {
        json_put_text(json, "tlsa", bytes_of(dns_verdict_name(host->tlsa)));
        json_put_uint(json, "tlsa_usable", host->tlsa_usable);
    }
    json_put_text(json, "need", bytes_of(channel_need_name(host->channel.need)));
    if (host->channel.why != NULL && host->channel.why[0] != '\0')
        json_put_text(json, "why", bytes_of(host->channel.why));
    json_key(json, "visits");
    json_put_array(json);
    for (size_t i = 0; i < host->visits_n; i++)
        put_visit(json, host, &host->visits[i]);
    json_put_array_end(json);
    json_put_object_end(json);
}

static void put_ours(struct json *json, const struct checkup_ours *ours)
{
    if (!ours->known)
        return;
    json_put_object(json);
    put_ip(json, "address", ours->ip);
    json_put_bool(json, "private", ours->inside);
    if (ours->ptr != 0)
        json_put_text(json, "ptr", bytes_of(dns_verdict_name(ours->ptr)));
    if (ours->name.n > 0)
        json_put_text(json, "ptr_name", buffer_bytes(&ours->name));
    json_put_bool(json, "ptr_confirmed", ours->confirmed);
    json_put_bool(json, "hello_fits", ours->hello_fits);
    json_put_object_end(json);
}

static void put_finding(struct json *json, const struct checkup_finding *finding)
{
    struct checkup_fault_words words = checkup_fault_words(finding->fault);

    json_put_object(json);
    json_put_text(json, "fault", bytes_of(words.word));
    if (finding->host != NULL)
        json_put_text(json, "host", finding->host->name);
    if (finding->visit != NULL)
        put_ip(json, "address", finding->visit->ip);
    if (finding->ours != NULL)
        put_ip(json, "address", finding->ours->ip);
    json_put_text(json, "what", bytes_of(words.what));
    json_put_text(json, "who", bytes_of(words.side));
    json_put_text(json, "how", bytes_of(words.how));
    json_put_object_end(json);
}

static void put_policy(struct json *json, const struct checkup *checkup)
{
    json_put_bool(json, "sts_announced", checkup->sts_announced);
    if (checkup->sts_held)
        json_put_text(json, "sts_mode", bytes_of(sts_mode_name(checkup->sts)));
    else if (checkup->sts_announced)
        json_put_text(json, "sts_why", bytes_of(checkup->sts_why));
    json_put_bool(json, "tlsrpt", checkup->tlsrpt);
}

void checkup_put_json(struct buffer *to, const struct checkup *checkup,
                      enum checkup_verdict verdict)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "domain", checkup->domain);
    json_put_text(&json, "verdict", bytes_of(verdict_word(verdict)));
    json_put_text(&json, "mx", bytes_of(checkup_mx_words(checkup)));
    json_put_bool(&json, "mx_signed", checkup->mx_secure);
    json_key(&json, "hosts");
    json_put_array(&json);
    for (size_t i = 0; i < checkup->n; i++)
        put_host(&json, &checkup->hosts[i]);
    json_put_array_end(&json);
    put_policy(&json, checkup);
    json_put_text(&json, "hello", checkup->hello);
    json_key(&json, "ours");
    json_put_array(&json);
    put_ours(&json, &checkup->ours[0]);
    put_ours(&json, &checkup->ours[1]);
    json_put_array_end(&json);
    json_key(&json, "findings");
    json_put_array(&json);
    for (size_t i = 0; i < checkup->findings_n; i++)
        put_finding(&json, &checkup->findings[i]);
    json_put_array_end(&json);
    json_put_object_end(&json);
    json_line_end(&json);
}

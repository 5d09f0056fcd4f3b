/* SPDX-License-Identifier: ISC
 *
 * dns/tlsrpt_json.c: the text of a report of TLS (RFC 8460, 4.4).
 */
#include "dns/tlsrpt_int.h"

#include "base/clock.h"
#include "base/json.h"

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

static void put_policy(struct json *json, const struct tlsrpt_counts *policy, struct bytes domain)
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
    json_put_text(json, "policy-domain", policy->domain.n > 0 ? policy->domain : domain);
    if (policy->kind == TLSRPT_STS)
        put_hosts(json, policy->text);
    json_put_object_end(json);
}

static void put_some(struct json *json, const char *key, struct bytes text)
{
    if (text.n > 0)
        json_put_text(json, key, text);
}

static void put_failures(struct json *json, const struct tlsrpt_failure *failure)
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

static void put_policies(struct json *json, const struct tlsrpt_domain *domain)
{
    json_key(json, "policies");
    json_put_array(json);
    const struct tlsrpt_counts *policy = domain->policies;
    for (; policy != NULL; policy = policy->next) {
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
    const struct tlsrpt_domain *domain = tlsrpt->domains[i];
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
    buffer_put_char(to, '-');
    buffer_put_uint(to, sender->to_ms / 1000);
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

/* ---- for people */

static const char *const policy_words[] = {
    [TLSRPT_TLSA] = "DANE", [TLSRPT_STS] = "MTA-STS", [TLSRPT_NO_POLICY] = "no policy",
};

static void put_failure_line(struct buffer *to, const struct tlsrpt_failure *failure)
{
    buffer_put_text(to, "        ");
    buffer_put_uint(to, failure->n);
    buffer_put_char(to, ' ');
    buffer_put(to, failure->result);
    if (failure->host.n > 0 || failure->ip.n > 0) {
        buffer_put_text(to, " at ");
        buffer_put(to, failure->host);
        buffer_put_text(to, failure->host.n > 0 && failure->ip.n > 0 ? " " : "");
        if (failure->ip.n > 0) {
            buffer_put_char(to, '[');
            buffer_put(to, failure->ip);
            buffer_put_char(to, ']');
        }
    }
    if (failure->reason.n > 0) {
        buffer_put_text(to, ": ");
        buffer_put(to, failure->reason);
    }
    buffer_put_char(to, '\n');
}

void tlsrpt_summary_put(struct buffer *to, const struct tlsrpt *tlsrpt, size_t i)
{
    const struct tlsrpt_domain *domain = tlsrpt->domains[i];

    for (const struct tlsrpt_counts *one = domain->policies; one != NULL; one = one->next) {
        buffer_put_text(to, "    ");
        buffer_put_text(to, policy_words[one->kind]);
        if (one->domain.n > 0 && !bytes_equal(one->domain, domain->name)) {
            buffer_put_text(to, " of ");
            buffer_put(to, one->domain);
        }
        buffer_put_text(to, ": ");
        buffer_put_uint(to, one->good);
        buffer_put_text(to, " went well, ");
        buffer_put_uint(to, one->bad);
        buffer_put_text(to, " failed\n");
        for (const struct tlsrpt_failure *bad = one->failures; bad != NULL; bad = bad->next)
            put_failure_line(to, bad);
    }
}

uint64_t tlsrpt_failed(const struct tlsrpt *tlsrpt, size_t i)
{
    uint64_t n = 0;

    for (const struct tlsrpt_counts *one = tlsrpt->domains[i]->policies; one != NULL;
         one = one->next)
        n += one->bad;
    return n;
}

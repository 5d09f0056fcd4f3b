/* SPDX-License-Identifier: ISC */
#include "dns/channel.h"

#include "base/plant.h"

bool channel_wants_tlsa(const struct channel_facts *facts)
{
    return facts->address_secure && facts->policy != CHANNEL_POLICY_NONE
        && (facts->require_tls || !facts->tls_optional);
}

/* ---- DANE: what the answer for the TLSA records says */

/* True: it decides. RFC 7672, 2.1 and 2.2: without a secure answer there are no records; without
   any answer nothing may be sent. */
static bool by_dane(const struct channel_facts *facts, struct channel *channel)
{
    const struct dns_answer *tlsa = facts->tlsa;

    if (tlsa == NULL || !channel_wants_tlsa(facts))
        return false;
    switch (tlsa->verdict) {
    case DNS_SECURE:
        if (facts->tlsa_usable > 0)
            *channel = (struct channel){ CHANNEL_DANE, false, STATUS(4, 7, 5),
                                         "its TLSA records ask for it (DANE)", "" };
        else
            *channel = (struct channel){ CHANNEL_ENCRYPT, false, STATUS(4, 7, 10),
                                         "it has TLSA records, though none we can use", "" };
        return true;
    case DNS_BOGUS:
        *channel = (struct channel){ CHANNEL_WAIT, false, STATUS(4, 7, 5),
                                     "the signatures of its TLSA records are wrong",
                                     "dnssec-invalid" };
        return true;
    case DNS_FAILED: case DNS_VERDICTS:
        *channel = (struct channel){ CHANNEL_WAIT, false, STATUS(4, 4, 3),
                                     "nobody could tell whether it has TLSA records", "" };
        return true;
    case DNS_INSECURE: case DNS_NXDOMAIN: case DNS_NODATA:
        return false;
    }
    return false;
}

/* ---- MTA-STS */

static bool by_sts(const struct channel_facts *facts, struct channel *channel)
{
    if (facts->sts == STS_NONE || (facts->tls_optional && !facts->require_tls))
        return false;
    if (facts->sts == STS_TESTING) {
        *channel = (struct channel){ CHANNEL_ANY, true, STATUS(4, 7, 10),
                                     "its domain tries out a policy (MTA-STS)", "" };
        return true;
    }
    if (!facts->sts_allows)
        *channel = (struct channel){ CHANNEL_NOT_HERE, false, STATUS(4, 7, 10),
                                     "the domain's policy (MTA-STS) does not name this host",
                                     "validation-failure" };
    else
        *channel = (struct channel){ CHANNEL_NAME, false, STATUS(4, 7, 10),
                                     "the domain's policy asks for it (MTA-STS)", "" };
    return true;
}

/* ---- all together */

/* REQUIRETLS (RFC 8689, 4.2.1): the way to the host's name is proved, and the host too. */
static struct channel with_require_tls(const struct channel_facts *facts, struct channel channel)
{
    bool way = facts->route_secure || (facts->sts != STS_NONE && facts->sts_allows);

    if (channel.need == CHANNEL_WAIT || channel.need == CHANNEL_NOT_HERE
        || (way && (channel.need == CHANNEL_DANE || channel.need == CHANNEL_NAME)))
        return channel;
    if (!way && facts->sts_unsure)
        return (struct channel){ CHANNEL_WAIT, false, STATUS(4, 7, 10),
                                 "the letter asks for a proved way (REQUIRETLS), and nobody could "
                                 "tell now whether the domain has a policy (MTA-STS)", "" };
    if (!way)
        return (struct channel){ CHANNEL_NOT_HERE, false, STATUS(5, 7, 10),
                                 "the letter asks for a proved way (REQUIRETLS), and there is "
                                 "neither DNSSEC nor MTA-STS", "" };
    return (struct channel){ CHANNEL_NAME, false, STATUS(5, 7, 10),
                             "the letter asks for it (REQUIRETLS)", "" };
}

static struct channel with_policy(const struct channel_facts *facts, struct channel channel)
{
    static const struct channel encrypt = { CHANNEL_ENCRYPT, false, { 4, 7, 10 },
                                            "the configuration asks for it", "" };
    static const struct channel verify = { CHANNEL_NAME, false, { 4, 7, 10 },
                                           "the configuration asks for it", "" };
    bool decided = channel.need == CHANNEL_WAIT || channel.need == CHANNEL_NOT_HERE
                || channel.need == CHANNEL_DANE;

    switch (facts->policy) {
    case CHANNEL_POLICY_MAY: return channel;
    case CHANNEL_POLICY_ENCRYPT:
        return decided || channel.need > CHANNEL_ANY ? channel : encrypt;
    case CHANNEL_POLICY_VERIFY:
        return decided ? channel : verify;
    case CHANNEL_POLICY_DANE:
        if (decided)
            return channel;
        return (struct channel){ CHANNEL_NOT_HERE, false, STATUS(4, 7, 10),
                                 "the configuration asks for DANE, and there are no TLSA records "
                                 "that can be used", "dane-required" };
    case CHANNEL_POLICY_NONE: break;
    }
    return (struct channel){ CHANNEL_CLEAR, false, STATUS(4, 7, 10),
                             "the configuration sends in clear there", "" };
}

static const char held_words[] =
    "TLS is missed there: it was there at each letter before, so mail waits for it for a while";

bool channel_is_held(const struct channel *channel)
{
    return channel->need == CHANNEL_ENCRYPT && channel->why == held_words;
}

struct channel channel_decide(const struct channel_facts *facts)
{
    struct channel channel = { CHANNEL_ANY, false, STATUS(4, 7, 10), "nothing asks for more", "" };
    struct channel sts;

    if (facts->policy != CHANNEL_POLICY_NONE) {
        bool found = by_dane(facts, &channel);
        /* Records that cannot be used leave room for a policy to ask for more. */
        if ((!found || channel.need == CHANNEL_ENCRYPT) && by_sts(facts, &sts)
            && (!found || sts.need != CHANNEL_ANY))
            channel = sts;
    }
    channel = with_policy(facts, channel);
    if (facts->require_tls)
        channel = with_require_tls(facts, channel);
    if (channel.need == CHANNEL_ANY && facts->held && !facts->tls_optional) {
        channel.need = CHANNEL_ENCRYPT;
        channel.why = held_words;
    }
    if ((channel.need == CHANNEL_ANY || PLANTED(clear_after_tls)) && facts->broken) {
        channel.need = CHANNEL_CLEAR;
        channel.why = "its TLS failed a while ago, and nothing asks for it";
    }
    return channel;
}

const char *channel_need_name(enum channel_need need)
{
    switch (need) {
    case CHANNEL_WAIT: return "wait";
    case CHANNEL_NOT_HERE: return "not-here";
    case CHANNEL_CLEAR: return "clear";
    case CHANNEL_ANY: return "any";
    case CHANNEL_ENCRYPT: return "encrypt";
    case CHANNEL_NAME: return "name";
    case CHANNEL_DANE: return "dane";
    }
    return "";
}

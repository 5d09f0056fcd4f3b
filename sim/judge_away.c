/* SPDX-License-Identifier: ISC */
#include "sim/judge_int.h"

#include "sim/copy.h"
#include "sim/mx.h"

#include <string.h>

/* An answer takes no longer than that to be told to the store. */
static const uint64_t LATELY_US = 30 * 60 * (uint64_t)1000 * 1000;

static bool is_lately(const struct judge *judge, uint64_t at_us)
{
    return at_us != 0 && world_now_us(judge->world) - at_us < LATELY_US;
}

bool judge_may_fail(const struct judge *judge, const struct letter *letter,
                    const struct letter_recipient *recipient)
{
    const struct mailbox *mailbox = recipient->mailbox;
    size_t domain = zone_domain_of(bytes_of(mailbox->address));

    if (mailbox->refuses || is_lately(judge, judge->refused_us[mailbox - mailboxes]))
        return true;
    if (!mailbox->away || judge->zone == NULL || domain == zone_domains_n)
        return false;
    bool no_way = letter->require_tls
        && ((!zone_domains[domain].dane && !zone_domains[domain].sts)
            || is_lately(judge, zone_hidden_us(judge->zone, domain)));
    return no_way || zone_says_no(judge->zone, domain)
        || is_lately(judge, judge->turned_us[domain]);
}

void judge_refused(void *ctx, const char *to)
{
    struct judge *judge = ctx;

    for (size_t i = 0; i < mailboxes_n; i++)
        if (strcmp(mailboxes[i].address, to) == 0)
            judge->refused_us[i] = world_now_us(judge->world);
}

void judge_turned_away(void *ctx, const void *at)
{
    struct judge *judge = ctx;

    judge->turned_us[mx_domain(at)] = world_now_us(judge->world);
}

void judge_named(void *ctx, const char *to, size_t domain, enum server_level level,
                 uint64_t since_us)
{
    struct judge *judge = ctx;
    bool held = zone_domains[domain].sts && judge->policy_us != 0 && since_us > judge->policy_us;

    if (level != LEVEL_PROVED && (zone_domains[domain].dane || held))
        world_break(judge->world, "promise 5: %s is named %s", to,
                    level == LEVEL_CLEAR ? "in clear" : "to a stranger");
}

void judge_took(struct judge *judge, struct letter *letter, struct letter_recipient *recipient,
                const struct server_letter *taken)
{
    const char *flaw = copy_check_away(taken, letter);

    recipient->copies++;
    if (flaw != NULL)
        world_break(judge->world, "promise 3: letter %u at %s: %s", letter->index,
                    recipient->mailbox->address, flaw);
    if (letter->require_tls && taken->level != LEVEL_PROVED)
        world_break(judge->world, "promise 5: letter %u came with REQUIRETLS, and reaches %s %s",
                    letter->index, recipient->mailbox->address,
                    taken->level == LEVEL_CLEAR ? "in clear" : "through a stranger");
}

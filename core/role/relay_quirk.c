/* SPDX-License-Identifier: ISC
 *
 * role/relay_quirk.c: what a server turned out not to bear is learned, and forgotten again after a
 * while (RELAY_QUIRK_MS): it is then spoken to more simply.
 */
#include "role/relay_memo_int.h"

#include "base/log.h"

static void learn(struct relay *relay, const struct link *link, struct memo *memo,
                  struct bytes words)
{
    struct buffer *line = fx_draft(relay->fx);

    memo->strikes = 0;
    memo->quirk_until_ms = relay->now.mono_ms + RELAY_QUIRK_MS;
    log_begin(line, "server-quirk");
    log_ours(line, "server", conf_destination_shown(link->place->name));
    log_theirs(line, "host", buffer_bytes(&link->host));
    log_ours(line, "from-now", words);
    fx_log(relay->fx, LOG_WARN, fx_keep(relay->fx, buffer_bytes(line)));
}

/* What is known of it; what was learned too long ago is known no more. */
static struct memo *memo_of(struct relay *relay, const struct link *link)
{
    struct memo *memo = link->place->dest == NULL ? NULL : relay_memo_link(relay, link);

    if (memo != NULL && memo->quirk_until_ms <= relay->now.mono_ms) {
        memo->avoid = 0;
        memo->helo = false;
    }
    return memo;
}

void relay_quirk_well(struct relay *relay, struct link *link)
{
    struct memo *memo = memo_of(relay, link);

    if (memo != NULL)
        memo->strikes = 0;
}

void relay_quirk_suspect(struct relay *relay, struct link *link)
{
    struct memo *memo = memo_of(relay, link);
    bool at_hello = !link->greeted && link->spoke && !link->shaking && link->tls == NULL;
    bool in_flight = link->greeted && link->job != NULL && !link->heard
                  && (smtp_client_extensions(link->client)
                      & (CLIENT_PIPELINING | CLIENT_CHUNKING)) != 0;

    if (memo == NULL || (!at_hello && !in_flight) || ++memo->strikes < RELAY_STRIKES)
        return;
    memo->helo = memo->helo || at_hello;
    memo->avoid |= in_flight ? CLIENT_PIPELINING | CLIENT_CHUNKING | CLIENT_BINARYMIME : 0;
    learn(relay, link, memo, at_hello ? BYTES("HELO") : BYTES("no PIPELINING or CHUNKING"));
}

void relay_quirk_lies(struct relay *relay, struct link *link)
{
    unsigned lied = smtp_client_lied(link->client);
    struct memo *memo = lied == 0 ? NULL : memo_of(relay, link);

    if (memo == NULL || (memo->avoid & lied) == lied)
        return;
    memo->avoid |= lied;
    learn(relay, link, memo, (lied & CLIENT_CHUNKING) != 0 ? BYTES("no CHUNKING")
                                                           : BYTES("no parameters of MAIL"));
}

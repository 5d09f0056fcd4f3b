/* SPDX-License-Identifier: ISC
 *
 * For tests/e2e/names.py: asks the product's resolver, outside its box, and prints what it says.
 *
 *   usage: resolve-ask SERVER ANCHOR-FILE { TYPE NAME } ...
 *
 * A line a question: the verdict, how many records, the canonical name. WAIT - in place of a
 * question: first be answered what was asked before it. TTL -: from then on lines end with the TTL.
 */
#include "dns/answer.h"
#include "host/resolve.h"

#include <stdio.h>
#include <string.h>

enum { QUESTIONS_MOST = 64, TURNS_MOST = 10000 };

static char lines[QUESTIONS_MOST][512];
static unsigned told;
static bool with_ttl;

static void on_told(void *of, uint64_t token, struct bytes text)
{
    struct dns_answer answer;
    struct bytes rest, data;
    unsigned records = 0;

    (void)of;
    if (!dns_answer_read(text, &answer)) {
        snprintf(lines[token], sizeof(lines[token]), "unreadable");
    } else {
        rest = answer.records;
        while (dns_next_record(&rest, &data))
            records++;
        snprintf(lines[token], sizeof(lines[token]), "%s%s %u %.*s",
                 dns_verdict_name(answer.verdict), answer.proved ? "-proved" : "", records,
                 answer.canonical.n == 0 ? 1 : (int)answer.canonical.n,
                 answer.canonical.n == 0 ? "-" : answer.canonical.at);
        if (with_ttl) {
            size_t n = strlen(lines[token]);
            snprintf(lines[token] + n, sizeof(lines[token]) - n, " %u", (unsigned)answer.ttl);
        }
    }
    told++;
}

static uint16_t type_of(const char *word)
{
    static const struct { const char *word; uint16_t type; } types[] = {
        { "A", DNS_A }, { "AAAA", DNS_AAAA }, { "MX", DNS_MX }, { "TXT", DNS_TXT },
        { "TLSA", DNS_TLSA }, { "CNAME", DNS_CNAME },
    };

    for (size_t i = 0; i < COUNT(types); i++)
        if (strcmp(types[i].word, word) == 0)
            return types[i].type;
    return 0;
}

static void wait_for(struct loop *loop, unsigned asked)
{
    for (unsigned i = 0; i < TURNS_MOST && told < asked; i++)
        loop_turn(loop, 100);
}

int main(int argc, char **argv)
{
    static char anchor[65536];
    struct log_sink *log = log_sink_new(BYTES("/dev/null"));
    struct loop *loop = loop_new(log);
    FILE *file = argc < 3 ? NULL : fopen(argv[2], "rb");
    size_t n = file == NULL ? 0 : fread(anchor, 1, sizeof(anchor), file);
    unsigned asked = 0;

    if (file == NULL || loop == NULL)
        return 1;
    fclose(file);
    struct bytes server = bytes_of(argv[1]);
    struct resolver *resolver = resolver_new(loop, (struct conf_texts){ &server, 1 },
                                             (struct bytes){ anchor, n }, NULL, on_told);
    if (resolver == NULL)
        return 1;
    for (int i = 3; i + 1 < argc && asked < QUESTIONS_MOST; i += 2) {
        if (strcmp(argv[i], "WAIT") == 0)
            wait_for(loop, asked);
        else if (strcmp(argv[i], "TTL") == 0)
            with_ttl = true;
        else
            resolver_ask(resolver, asked++, type_of(argv[i]), bytes_of(argv[i + 1]));
    }
    wait_for(loop, asked);
    for (unsigned i = 0; i < asked; i++)
        puts(lines[i]);
    resolver_free(resolver);
    loop_free(loop);
    log_sink_free(log);
    return told == asked ? 0 : 1;
}

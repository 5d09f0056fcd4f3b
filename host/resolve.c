/* SPDX-License-Identifier: ISC */
#include "host/resolve.h"

#include "base/arena.h"
#include "dns/answer.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unbound.h>

enum { RECORD_MOST = 8192, CLASS_IN = 1, RCODE_NXDOMAIN = 3 };

struct errand;

struct resolver {
    struct watcher watch;       /* first: a watcher is cast to its resolver */
    struct loop *loop;
    struct ub_ctx *ctx;
    void *of;
    void (*tell)(void *of, uint64_t token, struct bytes answer);
    struct errand *errands;
};

/* A question under way; libunbound's `mydata`. */
struct errand {
    struct resolver *resolver;
    uint64_t token;
    struct errand *next, **at;  /* in the resolver's list */
};

/* ---- the answer */

static enum dns_verdict verdict_of(int error, const struct ub_result *result)
{
    if (error != 0 || result == NULL)
        return DNS_FAILED;
    if (result->bogus)
        return DNS_BOGUS;
    if (result->havedata)
        return result->secure ? DNS_SECURE : DNS_INSECURE;
    if (result->rcode == RCODE_NXDOMAIN)
        return DNS_NXDOMAIN;
    return result->rcode == 0 ? DNS_NODATA : DNS_FAILED;
}

static struct bytes canonical_of(const struct ub_result *result, struct buffer *lower)
{
    struct bytes name = result->canonname == NULL ? BYTES_NONE : bytes_of(result->canonname);

    if (bytes_ends(name, BYTES(".")))
        name.n--;
    for (size_t i = 0; i < name.n; i++)
        buffer_put_char(lower, to_lower(name.at[i]));
    return dns_name_is_plain(buffer_bytes(lower)) ? buffer_bytes(lower) : BYTES_NONE;
}

/* As many records as there is room for: more than anybody looks at. */
static void put_records(struct buffer *records, const struct ub_result *result)
{
    for (size_t i = 0; i < DNS_RECORDS_MOST && result->data[i] != NULL; i++) {
        struct bytes data = { result->data[i], (size_t)result->len[i] };
        if (result->len[i] > 0 && records->n + 4 + data.n <= DNS_ANSWER_MOST)
            buffer_put_block(records, data);
    }
}

static void put_answer(struct buffer *to, int error, const struct ub_result *result)
{
    struct buffer records = buffer_with_most(DNS_ANSWER_MOST);
    struct buffer lower = buffer_with_most(DNS_NAME_MOST + 1);
    struct dns_answer answer = { .verdict = verdict_of(error, result), .canonical = BYTES_NONE,
                                 .records = BYTES_NONE };

    if (dns_found(&answer)) {
        put_records(&records, result);
        answer.canonical = canonical_of(result, &lower);
        answer.records = buffer_bytes(&records);
        if (records.n == 0)
            answer = (struct dns_answer){ .verdict = DNS_FAILED, .canonical = BYTES_NONE,
                                          .records = BYTES_NONE };
    }
    answer.proved = dns_is_negative(&answer) && result->secure;
    if (error == 0 && result != NULL && result->ttl > 0)
        answer.ttl = result->ttl > DNS_TTL_MOST ? DNS_TTL_MOST : (uint32_t)result->ttl;
    dns_answer_put(to, &answer);
    buffer_done(&records);
    buffer_done(&lower);
}

static void end_errand(struct errand *errand)
{
    *errand->at = errand->next;
    if (errand->next != NULL)
        errand->next->at = errand->at;
    mem_free(errand);
}

static void on_answer(void *of, int error, struct ub_result *result)
{
    struct errand *errand = of;
    struct resolver *resolver = errand->resolver;
    struct buffer text = buffer_with_most(2 * DNS_ANSWER_MOST);

    put_answer(&text, error, result);
    if (!text.bad && resolver->tell != NULL)
        resolver->tell(resolver->of, errand->token, buffer_bytes(&text));
    buffer_done(&text);
    ub_resolve_free(result);
    end_errand(errand);
}

static void on_ready(struct watcher *watcher, uint32_t events)
{
    struct resolver *resolver = (struct resolver *)watcher;

    (void)events;
    (void)ub_process(resolver->ctx);
}

void resolver_ask(struct resolver *resolver, uint64_t token, uint16_t type, struct bytes name)
{
    struct errand *errand = mem_new(sizeof(*errand));
    char text[DNS_NAME_MOST + 2];

    if (errand == NULL || name.n > DNS_NAME_MOST) {
        mem_free(errand);
        return;
    }
    *errand = (struct errand){ resolver, token, resolver->errands, &resolver->errands };
    if (errand->next != NULL)
        errand->next->at = &errand->next;
    resolver->errands = errand;
    memcpy(text, name.at, name.n);
    text[name.n] = '.';                 /* whole as it stands: no search list */
    text[name.n + 1] = '\0';
    if (ub_resolve_async(resolver->ctx, text, type, CLASS_IN, errand, on_answer, NULL) != 0)
        end_errand(errand);
}

/* ---- the start */

/* The records of a file of anchors: a line each, comments behind ";". */
static bool each_record(struct bytes anchor, bool (*take)(void *of, const char *record), void *of)
{
    struct bytes line;
    char text[RECORD_MOST];
    bool any = false;

    while (bytes_cut(&anchor, '\n', &line)) {
        line = bytes_trim(bytes_upto(line, ';'));
        if (bytes_search(line, BYTES("DNSKEY")) == line.n
            && bytes_search(line, BYTES("DS")) == line.n)
            continue;
        if (line.n >= sizeof(text) || bytes_find(line, '\0') != line.n)
            return false;
        memcpy(text, line.at, line.n);
        text[line.n] = '\0';
        if (!take(of, text))
            return false;
        any = true;
    }
    return any;
}

static bool add_anchor(void *of, const char *record)
{
    return ub_ctx_add_ta(of, record) == 0;
}

static bool is_record(void *of, const char *record)
{
    (void)of;
    return record[0] == '.';
}

bool resolver_anchor_reads(struct bytes anchor)
{
    return each_record(anchor, is_record, NULL);
}

static bool add_server(struct ub_ctx *ctx, struct bytes server)
{
    char text[64];
    size_t colon = bytes_find_last(server, ':');
    struct bytes address = bytes_first(server, colon), port = bytes_skip(server, colon + 1);

    if (bytes_begins(address, BYTES("[")))
        address = bytes_first(bytes_skip(address, 1), address.n - 2);
    if (address.n + 1 + port.n >= sizeof(text))
        return false;
    memcpy(text, address.at, address.n);
    text[address.n] = '@';
    memcpy(text + address.n + 1, port.at, port.n);
    text[address.n + 1 + port.n] = '\0';
    return ub_ctx_set_fwd(ctx, text) == 0;
}

/* Memory and descriptors are bounded; a resolver of ours on this machine may be asked. */
static bool set_options(struct ub_ctx *ctx)
{
    static const struct { const char *name, *value; } options[] = {
        { "do-not-query-localhost:", "no" }, { "msg-cache-size:", "8m" },
        { "rrset-cache-size:", "16m" }, { "key-cache-size:", "4m" },
        { "outgoing-range:", "256" }, { "num-queries-per-thread:", "1024" },
        { "use-syslog:", "no" }, { "chroot:", "" }, { "directory:", "" },
        { "cache-max-ttl:", "86400" }, { "aggressive-nsec:", "yes" },
    };

    for (size_t i = 0; i < COUNT(options); i++)
        if (ub_ctx_set_option(ctx, options[i].name, options[i].value) != 0)
            return false;
    return true;
}

/* The first question makes the thread and reads what libunbound wants to read: one whose answer it
   has in itself, so that nobody outside is asked. */
static void on_warm(void *of, int error, struct ub_result *result)
{
    *(bool *)of = error == 0 && result != NULL && result->havedata;
    ub_resolve_free(result);
}

static bool warm_up(struct ub_ctx *ctx)
{
    bool well = false;
    sigset_t all, before;

    sigfillset(&all);           /* signals are for the loop's thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = ub_ctx_async(ctx, 1);
    if (failed == 0)
        failed = ub_resolve_async(ctx, "localhost.", DNS_A, CLASS_IN, &well, on_warm, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 && ub_wait(ctx) == 0 && well;
}

static bool prepare(struct ub_ctx *ctx, struct conf_texts servers, struct bytes anchor)
{
    if (!set_options(ctx) || (anchor.n > 0 && !each_record(anchor, add_anchor, ctx)))
        return false;
    for (size_t i = 0; i < servers.n; i++)
        if (!add_server(ctx, servers.list[i]))
            return false;
    return warm_up(ctx);
}

struct resolver *resolver_new(struct loop *loop, struct conf_texts servers, struct bytes anchor,
                              void *of, void (*tell)(void *of, uint64_t token,
                                                     struct bytes answer))
{
    struct resolver *resolver = mem_new(sizeof(*resolver));

    if (resolver == NULL)
        return NULL;
    *resolver = (struct resolver){ .watch = { on_ready }, .loop = loop, .ctx = ub_ctx_create(),
                                   .of = of, .tell = tell };
    if (resolver->ctx == NULL || !prepare(resolver->ctx, servers, anchor)
        || !loop_watch(loop, ub_fd(resolver->ctx), EPOLLIN, &resolver->watch)) {
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    resolver->tell = NULL;
    resolver->watch.ready = NULL;
    if (resolver->ctx != NULL)
        ub_ctx_delete(resolver->ctx);
    while (resolver->errands != NULL)
        end_errand(resolver->errands);
    loop_bury(resolver->loop, resolver);
}

/* SPDX-License-Identifier: ISC */
#include "host/fetch.h"

#include "base/arena.h"
#include "base/ip.h"
#include "crypt/https.h"
#include "dns/name.h"

#include <curl/curl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    TIME_MS = 60 * 1000,                /* the role ends it then, too */
    HEAD_MOST = 32 * 1024,              /* octets of header fields, of all answers of one fetch */
    RESOLVE_MOST = DNS_NAME_MOST + 16 + FETCH_ADDRESSES_MOST * 48,
};

struct errand;

struct fetcher {
    struct watcher watch;               /* of the timer; first: a watcher is cast to its fetcher */
    struct loop *loop;
    int timer_fd;
    CURLM *multi;
    struct https_rules *rules;
    void *of;
    void (*tell)(void *of, uint64_t token, enum fetch_result result, unsigned status,
                 struct bytes body);
    struct errand *errands;
};

/* A fetch under way; libcurl's CURLOPT_PRIVATE. */
struct errand {
    struct fetcher *fetcher;
    uint64_t token;
    enum fetch_kind kind;
    CURL *easy;
    struct curl_slist *fields, *resolve;
    struct buffer body;
    size_t head;                        /* octets of header fields so far */
    enum fetch_result flaw;             /* found by us while it came; 0: none */
    size_t host_n;
    char host[DNS_NAME_MOST];
    struct errand *next, **at;          /* in the fetcher's list */
};

/* A socket of libcurl's in our loop. */
struct channel_watch {
    struct watcher watch;               /* first */
    struct fetcher *fetcher;
    curl_socket_t fd;
};

/* ---- what comes */

static size_t on_body(char *data, size_t one, size_t n, void *of)
{
    struct errand *errand = of;

    buffer_put(&errand->body, (struct bytes){ data, one * n });
    if (!errand->body.bad)
        return one * n;
    errand->flaw = FETCH_TOO_LONG;
    return 0;
}

static size_t on_field(char *data, size_t one, size_t n, void *of)
{
    static const struct bytes coding = BYTES_INIT("content-encoding:");
    struct errand *errand = of;
    struct bytes line = { data, one * n };

    errand->head += line.n;
    if (errand->head > HEAD_MOST)
        errand->flaw = FETCH_TOO_LONG;
    else if (bytes_begins_nocase(line, coding)
             && !bytes_equal_nocase(bytes_trim(bytes_skip(line, coding.n)), BYTES("identity")))
        errand->flaw = FETCH_WRONG_TYPE;
    return errand->flaw == 0 ? line.n : 0;
}

static CURLcode on_context(CURL *easy, void *context, void *of)
{
    struct errand *errand = of;

    (void)easy;
    return https_rules_apply(errand->fetcher->rules, context,
                             (struct bytes){ errand->host, errand->host_n })
         ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* ---- the end of one */

static bool is_text(const char *type)
{
    struct bytes text = type == NULL ? BYTES_NONE : bytes_of(type);

    return bytes_equal_nocase(bytes_trim(bytes_upto(text, ';')), BYTES("text/plain"));
}

static enum fetch_result result_of_answer(const struct errand *errand, long status)
{
    const char *type = NULL;

    if (errand->kind == FETCH_REPORT)
        return status >= 200 && status <= 299 ? FETCH_WELL : FETCH_STATUS;
    curl_easy_getinfo(errand->easy, CURLINFO_CONTENT_TYPE, &type);
    return status != 200 ? FETCH_STATUS : is_text(type) ? FETCH_WELL : FETCH_WRONG_TYPE;
}

static enum fetch_result result_of(const struct errand *errand, CURLcode code, long status)
{
    if (errand->flaw != 0)
        return errand->flaw;
    switch ((int)code) {
    case CURLE_OK: return result_of_answer(errand, status);
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_ISSUER_ERROR: return FETCH_UNTRUSTED;
    case CURLE_SSL_CONNECT_ERROR: case CURLE_SSL_CIPHER: case CURLE_SSL_CERTPROBLEM:
        return FETCH_NO_TLS;
    case CURLE_COULDNT_CONNECT: case CURLE_RECV_ERROR: case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return status == 0 ? FETCH_UNREACHED : FETCH_GARBLED;
    case CURLE_COULDNT_RESOLVE_HOST: return FETCH_NO_ADDRESS;
    case CURLE_OPERATION_TIMEDOUT: return FETCH_LATE;
    case CURLE_OUT_OF_MEMORY: case CURLE_FAILED_INIT: return FETCH_NOT_NOW;
    case CURLE_BAD_CONTENT_ENCODING: return FETCH_WRONG_TYPE;
    default: return FETCH_GARBLED;
    }
}

static void free_errand(struct errand *errand)
{
    *errand->at = errand->next;
    if (errand->next != NULL)
        errand->next->at = errand->at;
    if (errand->easy != NULL) {
        curl_multi_remove_handle(errand->fetcher->multi, errand->easy);
        curl_easy_cleanup(errand->easy);
    }
    curl_slist_free_all(errand->fields);
    curl_slist_free_all(errand->resolve);
    buffer_done(&errand->body);
    mem_free(errand);
}

static void end_errand(struct errand *errand, CURLcode code)
{
    struct fetcher *fetcher = errand->fetcher;
    long status = 0;

    curl_easy_getinfo(errand->easy, CURLINFO_RESPONSE_CODE, &status);
    enum fetch_result result = result_of(errand, code, status);
    fetcher->tell(fetcher->of, errand->token, result,
                  status > 0 && status <= 999 ? (unsigned)status : 0,
                  result == FETCH_WELL ? buffer_bytes(&errand->body) : BYTES_NONE);
    free_errand(errand);
}

static void take_ended(struct fetcher *fetcher)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        struct errand *errand = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&errand);
        if (errand != NULL)
            end_errand(errand, message->data.result);
    }
}

/* ---- libcurl in our loop */

static void on_channel(struct watcher *watcher, uint32_t events)
{
    struct channel_watch *watch = (struct channel_watch *)watcher;
    struct fetcher *fetcher = watch->fetcher;
    int what = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0)
             | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
             | (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    int left;

    curl_multi_socket_action(fetcher->multi, watch->fd, what, &left);
    take_ended(fetcher);
}

static void on_timer(struct watcher *watcher, uint32_t events)
{
    struct fetcher *fetcher = (struct fetcher *)watcher;
    uint64_t rings;
    int left;

    (void)events;
    if (read(fetcher->timer_fd, &rings, sizeof(rings)) < 0)
        return;                         /* it was set anew just now */
    curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &left);
    take_ended(fetcher);
}

static void unwatch(struct fetcher *fetcher, struct channel_watch *watch)
{
    loop_unwatch(fetcher->loop, watch->fd);
    watch->watch.ready = NULL;
    loop_bury(fetcher->loop, watch);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *of, void *socket_of)
{
    struct fetcher *fetcher = of;
    struct channel_watch *watch = socket_of;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            unwatch(fetcher, watch);
        curl_multi_assign(fetcher->multi, fd, NULL);
        return 0;
    }
    if (watch != NULL)
        return loop_rewatch(fetcher->loop, fd, events, &watch->watch) ? 0 : -1;
    watch = mem_new(sizeof(*watch));
    if (watch == NULL)
        return -1;
    *watch = (struct channel_watch){ { on_channel }, fetcher, fd };
    if (!loop_watch(fetcher->loop, fd, events, &watch->watch)) {
        mem_free(watch);
        return -1;
    }
    curl_multi_assign(fetcher->multi, fd, watch);
    return 0;
}

static int on_time(CURLM *multi, long wait_ms, void *of)
{
    struct fetcher *fetcher = of;
    struct itimerspec when = { .it_interval = { 0, 0 } };

    (void)multi;
    if (wait_ms >= 0)
        when.it_value = (struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 + 1 };
    return timerfd_settime(fetcher->timer_fd, 0, &when, NULL);
}

/* ---- an order */

static bool put_resolve(struct errand *errand, const struct fetch_order *order,
                        const struct fetch_url *url)
{
    struct buffer text = buffer_with_most(RESOLVE_MOST);

    buffer_put(&text, url->host);
    buffer_put_char(&text, ':');
    buffer_put_uint(&text, url->port);
    for (size_t i = 0; i < order->addresses.n; i += 16) {
        buffer_put_char(&text, i == 0 ? ':' : ',');
        ip_put(&text, (const uint8_t *)order->addresses.at + i);
    }
    buffer_put_char(&text, '\0');
    if (!text.bad)
        errand->resolve = curl_slist_append(NULL, text.at);
    buffer_done(&text);
    return errand->resolve != NULL;
}

static bool put_fields(struct errand *errand)
{
    static const char *const fields[] = { "Expect:", "Content-Type: application/tlsrpt+gzip" };

    for (size_t i = 0; i < COUNT(fields) && errand->kind == FETCH_REPORT; i++) {
        struct curl_slist *more = curl_slist_append(errand->fields, fields[i]);
        if (more == NULL)
            return false;
        errand->fields = more;
    }
    return true;
}

/* All that libcurl could do besides is told it not to do. */
static bool set_rules(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TIME_MS) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_USERAGENT, "Postern") == CURLE_OK;
}

static bool set_order(struct errand *errand, const struct fetch_order *order)
{
    CURL *easy = errand->easy;
    char url[FETCH_URL_MOST + 1];

    memcpy(url, order->url.at, order->url.n);
    url[order->url.n] = '\0';
    if (order->kind == FETCH_REPORT
        && (curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)order->body.n) != CURLE_OK
            || curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, order->body.at) != CURLE_OK))
        return false;
    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_RESOLVE, errand->resolve) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, errand->fields) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_PRIVATE, errand) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_WRITEDATA, errand) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_HEADERDATA, errand) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context) == CURLE_OK
        && curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, errand) == CURLE_OK;
}

static bool begin(struct errand *errand, const struct fetch_order *order)
{
    struct fetch_url url;

    if (!fetch_url_read(order->url, &url) || url.host.n > sizeof(errand->host))
        return false;
    memcpy(errand->host, url.host.at, url.host.n);
    errand->host_n = url.host.n;
    errand->easy = curl_easy_init();
    return errand->easy != NULL && put_resolve(errand, order, &url) && put_fields(errand)
        && set_rules(errand->easy) && set_order(errand, order)
        && curl_multi_add_handle(errand->fetcher->multi, errand->easy) == CURLM_OK;
}

void fetcher_ask(struct fetcher *fetcher, uint64_t token, struct bytes text)
{
    struct errand *errand = mem_new(sizeof(*errand));
    struct fetch_order order;

    if (errand == NULL || !fetch_order_read(text, &order)) {
        mem_free(errand);
        fetcher->tell(fetcher->of, token, FETCH_NOT_NOW, 0, BYTES_NONE);
        return;
    }
    *errand = (struct errand){ .fetcher = fetcher, .token = token, .kind = order.kind,
                               .body = buffer_with_most(FETCH_BODY_MOST),
                               .next = fetcher->errands, .at = &fetcher->errands };
    if (errand->next != NULL)
        errand->next->at = &errand->next;
    fetcher->errands = errand;
    if (!begin(errand, &order)) {
        fetcher->tell(fetcher->of, token, FETCH_NOT_NOW, 0, BYTES_NONE);
        free_errand(errand);
    }
}

void fetcher_end(struct fetcher *fetcher, uint64_t token)
{
    struct errand *errand = fetcher->errands;

    while (errand != NULL && errand->token != token)
        errand = errand->next;
    if (errand != NULL)
        free_errand(errand);
}

/* ---- the start */

static bool prepare(struct fetcher *fetcher, struct bytes authorities)
{
    fetcher->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fetcher->timer_fd < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return false;
    fetcher->rules = https_rules_new(authorities);
    fetcher->multi = curl_multi_init();
    return fetcher->rules != NULL && fetcher->multi != NULL
        && curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK
        && curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher) == CURLM_OK
        && curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_time) == CURLM_OK
        && curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher) == CURLM_OK
        && loop_watch(fetcher->loop, fetcher->timer_fd, EPOLLIN, &fetcher->watch);
}

struct fetcher *fetcher_new(struct loop *loop, struct bytes authorities, void *of,
                            void (*tell)(void *of, uint64_t token, enum fetch_result result,
                                         unsigned status, struct bytes body))
{
    struct fetcher *fetcher = mem_new(sizeof(*fetcher));

    if (fetcher == NULL)
        return NULL;
    *fetcher = (struct fetcher){ .watch = { on_timer }, .loop = loop, .timer_fd = -1, .of = of,
                                 .tell = tell };
    if (!prepare(fetcher, authorities)) {
        fetcher_free(fetcher);
        return NULL;
    }
    return fetcher;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    while (fetcher->errands != NULL)
        free_errand(fetcher->errands);
    curl_multi_cleanup(fetcher->multi);
    https_rules_free(fetcher->rules);
    if (fetcher->timer_fd >= 0) {
        loop_unwatch(fetcher->loop, fetcher->timer_fd);
        close(fetcher->timer_fd);
    }
    fetcher->watch.ready = NULL;
    loop_bury(fetcher->loop, fetcher);
}

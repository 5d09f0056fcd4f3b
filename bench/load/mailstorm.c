/* SPDX-License-Identifier: ISC
 *
 * mailstorm: an SMTP and LMTP load generator that checks every reply.
 *
 * N connections at a time, K letters on each, M in all; every letter has its own Message-ID and
 * "X-Storm-Id: RUN-NNNNNNNNNN", so that a sink can prove that none was lost or doubled. Dialogues:
 * lock-step, PIPELINING (RFC 2920) and CHUNKING (RFC 3030), each with or without STARTTLS.
 */
#include "bench/load/storm.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct storm_options storm = {
    .helo = "storm.example", .from = "sender@storm.example", .to = "user%u@sink.example",
    .total = 1000, .connections = 1, .per_connection = 1, .threads = 1, .recipients = 1,
    .size = 1024, .limit = 600, .errors_most = 100, .banner = 5,
};
SSL_CTX *storm_tls;
struct sockaddr_storage storm_peer;
socklen_t storm_peer_length;
atomic_ullong storm_tickets, storm_failed;

static _Noreturn void usage(void)
{
    fputs("usage: mailstorm [options] HOST:PORT | unix:PATH\n"
          "  -c, --connections N   connections at a time (default 1)\n"
          "  -m, --messages N      letters in all (default 1000)\n"
          "  -p, --per-conn N      letters on one connection (default 1)\n"
          "  -s, --size OCTETS     of a letter, header included; k, M, G (default 1k)\n"
          "  -r, --rcpts N         recipients of each letter (default 1)\n"
          "  -t, --threads N       epoll threads (default 1)\n"
          "  -P, --pipeline        use PIPELINING\n"
          "  -B, --chunking        use CHUNKING (BDAT) in place of DATA\n"
          "      --chunk OCTETS    split a letter into chunks of this size\n"
          "  -w, --window N        letters in flight on one connection when pipelining\n"
          "                        (default 2 with DATA, 8 with BDAT)\n"
          "      --declare-size    say SIZE= with MAIL\n"
          "  -S, --starttls        full STARTTLS handshake on every connection\n"
          "      --half-close      shut the sending side down right after QUIT (Exim waits\n"
          "                        200 ms for that before it answers QUIT)\n"
          "      --no-mail         sessions without mail: each counts as one letter\n"
          "      --no-ext          HELO, no extension\n"
          "  -l, --lmtp            speak LMTP\n"
          "  -f, --from ADDR       envelope sender (default sender@storm.example)\n"
          "  -R, --to FORMAT       recipient; one %u is replaced by a number\n"
          "      --users N         that number is below N: letters go round N mailboxes\n"
          "      --helo NAME       name for EHLO\n"
          "      --first-id N      number of the first letter (default 0)\n"
          "      --idle S          open the connections, say EHLO, hold them S seconds\n"
          "      --banner-timeout S  give up a connection without banner (default 5, 0: never)\n"
          "      --rate N          start at most N connections a second\n"
          "  -T, --time S          stop after S seconds (default 600)\n"
          "      --max-errors N    give up after N failures (default 100)\n"
          "One JSON line on standard output; times in microseconds.\n"
          "Exit: 0 all accepted, 1 some not, 2 usage.\n", stderr);
    exit(2);
}

enum {
    O_CHUNK = 256, O_HELO, O_FIRST, O_IDLE, O_RATE, O_ERRORS, O_NO_EXT, O_HALF, O_NO_MAIL, O_BANNER,
    O_DECLARE, O_USERS,
};
static const struct option long_options[] = {
    { "connections", 1, 0, 'c' }, { "messages", 1, 0, 'm' }, { "per-conn", 1, 0, 'p' },
    { "size", 1, 0, 's' }, { "rcpts", 1, 0, 'r' }, { "threads", 1, 0, 't' },
    { "pipeline", 0, 0, 'P' }, { "chunking", 0, 0, 'B' }, { "chunk", 1, 0, O_CHUNK },
    { "window", 1, 0, 'w' }, { "starttls", 0, 0, 'S' }, { "lmtp", 0, 0, 'l' },
    { "from", 1, 0, 'f' }, { "to", 1, 0, 'R' }, { "helo", 1, 0, O_HELO },
    { "first-id", 1, 0, O_FIRST }, { "idle", 1, 0, O_IDLE }, { "rate", 1, 0, O_RATE },
    { "time", 1, 0, 'T' }, { "max-errors", 1, 0, O_ERRORS }, { "no-ext", 0, 0, O_NO_EXT },
    { "half-close", 0, 0, O_HALF }, { "banner-timeout", 1, 0, O_BANNER },
    { "no-mail", 0, 0, O_NO_MAIL }, { "declare-size", 0, 0, O_DECLARE },
    { "users", 1, 0, O_USERS }, { 0, 0, 0, 0 },
};

static void take_option(int option, const char *value)
{
    switch (option) {
    case 'c': storm.connections = (unsigned)argument_count(value); break;
    case 'm': storm.total = argument_count(value); break;
    case 'p': storm.per_connection = (unsigned)argument_count(value); break;
    case 's': storm.size = argument_size(value); break;
    case 'r': storm.recipients = (unsigned)argument_count(value); break;
    case 't': storm.threads = (unsigned)argument_count(value); break;
    case 'P': storm.pipeline = true; break;
    case 'B': storm.chunking = true; break;
    case 'w': storm.window = (unsigned)argument_count(value); break;
    case 'S': storm.tls = true; break;
    case 'l': storm.lmtp = true; break;
    case 'f': storm.from = value; break;
    case 'R': storm.to = value; break;
    case 'T': storm.limit = argument_seconds(value); break;
    case O_CHUNK: storm.chunk = argument_size(value); break;
    case O_HELO: storm.helo = value; break;
    case O_FIRST: storm.first_id = argument_count(value); break;
    case O_IDLE: storm.idle = argument_seconds(value); break;
    case O_RATE: storm.rate = argument_seconds(value); break;
    case O_ERRORS: storm.errors_most = argument_count(value); break;
    case O_NO_EXT: storm.no_extensions = true; break;
    case O_BANNER: storm.banner = argument_seconds(value); break;
    case O_NO_MAIL: storm.no_mail = true; break;
    case O_DECLARE: storm.declare_size = true; break;
    case O_USERS: storm.users = argument_count(value); break;
    case O_HALF: storm.half_close = true; break;
    default: usage();
    }
}

static bool is_usable(void)
{
    const char *mark = strchr(storm.to, '%');
    unsigned window = storm.window > 0 ? storm.window : 8;

    if (mark != NULL && (mark[1] != 'u' || strchr(mark + 1, '%') != NULL))
        return false;
    return storm.connections >= 1 && storm.per_connection >= 1 && storm.recipients >= 1
        && storm.recipients <= AWAITED_MOST && storm.threads >= 1 && storm.threads <= 64
        && storm.window <= WINDOW_MOST && window * (storm.recipients + 3) <= AWAITED_MOST
        && strlen(storm.from) <= 100 && strlen(storm.to) <= 120 && strlen(storm.helo) <= 200;
}

static void read_options(int argc, char **argv)
{
    int option;

    do {
        option = getopt_long(argc, argv, "c:m:p:s:r:t:PBw:Slf:R:T:", long_options, NULL);
        if (option != -1)
            take_option(option, optarg);
    } while (option != -1);
    if (optind + 1 != argc || !is_usable())
        usage();
    if (storm.threads > storm.connections)
        storm.threads = storm.connections;
    storm.address = argv[optind];
    storm_peer_length = resolve(storm.address, &storm_peer);
}

static void prepare_tls(void)
{
    storm_tls = SSL_CTX_new(TLS_client_method());
    if (storm_tls == NULL)
        give_up("TLS", 1);
    SSL_CTX_set_verify(storm_tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(storm_tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(storm_tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                    | SSL_MODE_RELEASE_BUFFERS);
}

static void begin(struct storm_worker *worker, unsigned number)
{
    worker->n = storm.connections / storm.threads + (number < storm.connections % storm.threads);
    worker->conns = must_have(worker->n, sizeof(*worker->conns));
    worker->poll = epoll_create1(EPOLL_CLOEXEC);
    if (pthread_create(&worker->thread, NULL, storm_run, worker) != 0)
        give_up("thread", 1);
}

static void add(struct storm_worker *sum, const struct storm_worker *worker)
{
    sum->ok += worker->ok;
    sum->failed += worker->failed;
    sum->opens += worker->opens;
    sum->opens_failed += worker->opens_failed;
    sum->octets_out += worker->octets_out;
    sum->replies += worker->replies;
    sum->handshakes += worker->handshakes;
    if (worker->last_ok_us > sum->last_ok_us)
        sum->last_ok_us = worker->last_ok_us;
    histogram_merge(&sum->accept, &worker->accept);
    histogram_merge(&sum->connect, &worker->connect);
    histogram_merge(&sum->first, &worker->first);
    histogram_merge(&sum->tls, &worker->tls);
    for (unsigned i = 0; i < worker->samples && sum->samples < SAMPLES_MOST; i++)
        memcpy(sum->sample[sum->samples++], worker->sample[i], SAMPLE_ROOM);
}

static void report_counts(const struct storm_worker *sum, uint64_t asked)
{
    uint64_t known = sum->ok + sum->failed;

    printf("{\"tool\":\"mailstorm\",\"messages\":%llu,\"ok\":%llu,\"failed\":%llu,"
           "\"not_sent\":%llu,\"size\":%llu,\"connections\":%llu,\"conn_failed\":%llu,",
           (unsigned long long)asked, (unsigned long long)sum->ok, (unsigned long long)sum->failed,
           (unsigned long long)(asked > known ? asked - known : 0),
           (unsigned long long)letter_bytes(), (unsigned long long)sum->opens,
           (unsigned long long)sum->opens_failed);
    printf("\"parallel\":%u,\"per_conn\":%u,\"rcpts\":%u,\"pipeline\":%s,\"chunking\":%s,"
           "\"tls_handshakes\":%llu,\"replies\":%llu,",
           storm.connections, storm.per_connection, storm.recipients,
           storm.pipeline ? "true" : "false", storm.chunking ? "true" : "false",
           (unsigned long long)sum->handshakes, (unsigned long long)sum->replies);
}

static void report(const struct storm_worker *sum, uint64_t asked, double epoch, uint64_t began)
{
    double wall = (double)(now_us() - began) / 1e6, user, system;
    double seconds = sum->last_ok_us > began ? (double)(sum->last_ok_us - began) / 1e6 : wall;

    report_counts(sum, asked);
    printf("\"start_epoch\":%.6f,\"seconds\":%.6f,\"wall_seconds\":%.6f,\"msgs_per_s\":%.2f,"
           "\"conns_per_s\":%.2f,\"MB_per_s\":%.3f", epoch, seconds, wall,
           (double)sum->ok / seconds, (double)sum->opens / seconds,
           (double)sum->octets_out / seconds / 1e6);
    histogram_json(stdout, "accept_us", &sum->accept);
    histogram_json(stdout, "connect_us", &sum->connect);
    histogram_json(stdout, "first_us", &sum->first);
    if (storm.tls)
        histogram_json(stdout, "tls_us", &sum->tls);
    processor_time(&user, &system);
    printf(",\"cpu_user_s\":%.3f,\"cpu_sys_s\":%.3f,\"errors\":[", user, system);
    for (unsigned i = 0; i < sum->samples; i++) {
        if (i > 0)
            putchar(',');
        json_text(stdout, sum->sample[i]);
    }
    puts("]}");
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    if (storm.tls)
        prepare_tls();
    letter_prepare();
    prepare_process();
    struct storm_worker *workers = must_have(storm.threads, sizeof(*workers));
    struct storm_worker *sum = must_have(1, sizeof(*sum));
    double epoch = now_epoch();
    uint64_t began = now_us(), asked = storm.idle > 0 ? 0 : storm.total;
    for (unsigned i = 0; i < storm.threads; i++)
        begin(&workers[i], i);
    for (unsigned i = 0; i < storm.threads; i++) {
        pthread_join(workers[i].thread, NULL);
        add(sum, &workers[i]);
    }
    report(sum, asked, epoch, began);
    bool well = sum->ok == asked && sum->failed == 0 && sum->opens_failed == 0;
    for (unsigned i = 0; i < storm.threads; i++)
        free(workers[i].conns);
    free(workers);
    free(sum);
    letter_done();
    SSL_CTX_free(storm_tls);
    return well ? 0 : 1;
}

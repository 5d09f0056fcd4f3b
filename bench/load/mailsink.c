/* SPDX-License-Identifier: ISC
 *
 * mailsink: take mail by SMTP or LMTP as fast as it comes, count it, throw it away.
 *
 * Letters sent by mailstorm carry "X-Storm-Id: RUN-NNNNNNNNNN"; the sink marks the numbers it has
 * seen, so that it can tell a lost letter from one that came twice. One JSON line at the end.
 */
#include "bench/load/sink.h"

#include <getopt.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sink_options sink = { .threads = 1, .limit = 3600, .eod_every = 1, .ids = true };
struct sink_counts counts;
SSL_CTX *sink_tls;
_Atomic uint8_t *sink_seen;

static _Noreturn void usage(void)
{
    fputs("usage: mailsink [options] HOST:PORT | unix:PATH\n"
          "  -t, --threads N     epoll threads (default 1)\n"
          "  -l, --lmtp          speak LMTP: one reply for each recipient after the data\n"
          "  -e, --expect N      exit once N letters have come\n"
          "      --linger S      after that wait S seconds more for doubles\n"
          "  -T, --time S        exit after S seconds at the latest (default 3600)\n"
          "      --eod REPLY     reply to the end of data, e.g. '451 4.3.0 later'\n"
          "      --eod-every N   give that reply to every N-th letter only\n"
          "      --rcpt REPLY    reply to RCPT\n"
          "      --delay-ms MS   wait before each end-of-data reply\n"
          "      --no-ext        offer no SMTP extension\n"
          "      --no-ids        do not look for X-Storm-Id\n"
          "      --log FILE      write every letter to FILE.N, fdatasync before the reply\n"
          "      --cert F --key F  offer STARTTLS\n"
          "      --no-tickets    no TLS session is resumed\n"
          "      --mailmax N     N letters a session: says so (LIMITS), then 421\n"
          "SIGINT or SIGTERM end it; one JSON line on standard output.\n", stderr);
    exit(2);
}

enum { O_EOD = 256, O_EVERY, O_RCPT, O_DELAY, O_CERT, O_KEY, O_NOEXT, O_NOIDS, O_LINGER, O_LOG,
       O_NOTICKETS, O_MAILMAX };
static const struct option long_options[] = {
    { "threads", 1, 0, 't' }, { "lmtp", 0, 0, 'l' }, { "expect", 1, 0, 'e' },
    { "time", 1, 0, 'T' }, { "eod", 1, 0, O_EOD }, { "eod-every", 1, 0, O_EVERY },
    { "rcpt", 1, 0, O_RCPT }, { "delay-ms", 1, 0, O_DELAY }, { "cert", 1, 0, O_CERT },
    { "key", 1, 0, O_KEY }, { "no-ext", 0, 0, O_NOEXT }, { "no-ids", 0, 0, O_NOIDS },
    { "linger", 1, 0, O_LINGER }, { "log", 1, 0, O_LOG },
    { "no-tickets", 0, 0, O_NOTICKETS }, { "mailmax", 1, 0, O_MAILMAX }, { 0, 0, 0, 0 },
};

static void take_option(int option, const char *value)
{
    switch (option) {
    case 't': sink.threads = (unsigned)argument_count(value); break;
    case 'l': sink.lmtp = true; break;
    case 'e': sink.expect = argument_count(value); break;
    case 'T': sink.limit = argument_seconds(value); break;
    case O_LINGER: sink.linger = argument_seconds(value); break;
    case O_EOD: sink.eod = value; break;
    case O_EVERY: sink.eod_every = (unsigned)argument_count(value); break;
    case O_RCPT: sink.rcpt = value; break;
    case O_DELAY: sink.delay_us = argument_count(value) * 1000; break;
    case O_CERT: sink.cert = value; break;
    case O_KEY: sink.key = value; break;
    case O_NOEXT: sink.no_extensions = true; break;
    case O_LOG: sink.log = value; break;
    case O_NOTICKETS: sink.no_tickets = true; break;
    case O_MAILMAX: sink.mailmax = (unsigned)argument_count(value); break;
    case O_NOIDS: sink.ids = false; break;
    default: usage();
    }
}

static void read_options(int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "t:le:T:", long_options, NULL)) != -1)
        take_option(option, optarg);
    if (optind + 1 != argc || sink.threads < 1 || sink.threads > 64 || sink.eod_every < 1)
        usage();
    sink.address = argv[optind];
    if (strncmp(sink.address, "unix:", 5) == 0)
        sink.threads = 1;
}

static void prepare_tls(void)
{
    const char *key = sink.key == NULL ? sink.cert : sink.key;

    sink_tls = SSL_CTX_new(TLS_server_method());
    if (sink_tls == NULL || SSL_CTX_use_certificate_chain_file(sink_tls, sink.cert) != 1
        || SSL_CTX_use_PrivateKey_file(sink_tls, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    SSL_CTX_set_mode(sink_tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                   | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(sink_tls, (const unsigned char *)"mailsink", 8);
    if (sink.no_tickets) {
        SSL_CTX_set_session_cache_mode(sink_tls, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(sink_tls, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(sink_tls, 0);
    }
}

/* Until asked to stop, out of time, or all that was expected has come. */
static void wait_for_end(void)
{
    uint64_t began = now_us(), complete_at = 0;

    while (!asked_to_stop()) {
        struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
        nanosleep(&pause, NULL);
        uint64_t now = now_us();
        if ((double)(now - began) / 1e6 > sink.limit)
            break;
        if (sink.expect == 0 || atomic_load(&counts.letters) < sink.expect)
            continue;
        if (complete_at == 0)
            complete_at = now;
        if ((double)(now - complete_at) / 1e6 >= sink.linger + 0.02)    /* let the last reply out */
            break;
    }
    ask_to_stop();
}

static void report(void)
{
    uint64_t first = counts.first_us, last = counts.last_us;
    double seconds = first == 0 ? 0 : (double)(last - first) / 1e6, user, system;
    double since_first = first == 0 ? 0 : (double)(now_us() - first) / 1e6;
    double first_epoch = first == 0 ? 0 : now_epoch() - since_first;

    processor_time(&user, &system);
    printf("{\"tool\":\"mailsink\",\"messages\":%llu,\"unique\":%llu,\"duplicates\":%llu,"
           "\"no_id\":%llu,\"refused\":%llu,\"bdat\":%llu,\"recipients\":%llu,\"bytes\":%llu,",
           counts.letters, counts.unique, counts.doubles, counts.no_id, counts.refused,
           counts.by_bdat, counts.recipients, counts.octets);
    printf("\"connections\":%llu,\"max_open\":%d,\"tls\":%llu,\"resumed\":%llu,"
           "\"bad_commands\":%llu,\"first_epoch\":%.6f,\"last_epoch\":%.6f,\"seconds\":%.6f,"
           "\"msgs_per_s\":%.2f,",
           counts.connections, counts.open_most, counts.tls, counts.resumed, counts.bad_commands,
           first_epoch, first_epoch + seconds, seconds,
           seconds > 0 ? (double)counts.letters / seconds : 0);
    printf("\"syncs\":%llu,\"complete\":%s,\"cpu_user_s\":%.3f,\"cpu_sys_s\":%.3f}\n", counts.syncs,
           counts.letters >= sink.expect ? "true" : "false", user, system);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    if (sink.cert != NULL)
        prepare_tls();
    sink_seen = must_have(ID_MOST / 8, 1);
    prepare_process();
    struct sink_worker *workers = must_have(sink.threads, sizeof(*workers));
    for (unsigned i = 0; sink.log != NULL && i < sink.threads; i++)
        sink_open_log(&workers[i], i);
    for (unsigned i = 0; i < sink.threads; i++)
        sink_listen(&workers[i]);
    for (unsigned i = 0; i < sink.threads; i++)
        if (pthread_create(&workers[i].thread, NULL, sink_run, &workers[i]) != 0)
            give_up("thread", 1);
    wait_for_end();
    for (unsigned i = 0; i < sink.threads; i++)
        pthread_join(workers[i].thread, NULL);
    report();
    for (unsigned i = 0; i < sink.threads; i++) {
        octets_done(&workers[i].log);
        free(workers[i].waiting);
    }
    free(workers);
    SSL_CTX_free(sink_tls);
    return sink.expect > 0 && counts.letters < sink.expect ? 1 : 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Which servers postern send speaks with.
 */
#include "host/ctl_send_int.h"

#include "host/ctl_doctor_int.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool copy(char to[static SEND_NAME_ROOM], struct bytes text)
{
    if (text.n >= SEND_NAME_ROOM || bytes_find(text, '\0') != text.n)
        return false;
    memcpy(to, text.at, text.n);
    to[text.n] = '\0';
    return true;
}

static bool is_near(const struct sockaddr *to)
{
    const struct sockaddr_in *v4 = (const void *)to;
    const struct sockaddr_in6 *v6 = (const void *)to;

    if (to->sa_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    return to->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static void add(struct sending *sending, struct bytes name, unsigned port,
                const struct sockaddr *to, socklen_t n)
{
    struct send_target *target = &sending->targets[sending->targets_n];

    if (sending->targets_n == SEND_TARGETS_MOST || n > sizeof(target->address.at)
        || (sending->order.only4 && to->sa_family == AF_INET6)
        || (sending->order.only6 && to->sa_family == AF_INET))
        return;
    *target = (struct send_target){ .port = port, .near = is_near(to), .tlsa = BYTES_NONE };
    memcpy(&target->address.at, to, n);
    target->address.n = n;
    if (copy(target->name, name)
        && getnameinfo(to, n, target->shown, sizeof(target->shown), NULL, 0, NI_NUMERICHOST) == 0)
        sending->targets_n++;
}

static int take_path(struct sending *sending, struct bytes path)
{
    struct send_target *target = &sending->targets[0];
    struct sockaddr_un *to = &target->address.at.local;

    if (path.n == 0 || path.n >= sizeof(to->sun_path) || !copy(target->name, path)) {
        fputs("postern: send: the path of the socket is too long\n", stderr);
        return EX_USAGE;
    }
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path.at, path.n);
    target->address.n = sizeof(*to);
    target->near = true;
    target->tlsa = BYTES_NONE;
    sending->targets_n = 1;
    return EX_OK;
}

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT, IPV6. */
static bool split(struct bytes server, const char *usual, char ret_host[static SEND_NAME_ROOM],
                  char ret_port[static SEND_NAME_ROOM])
{
    size_t colon = bytes_find_last(server, ':');
    struct bytes host = server, port = bytes_of(usual);
    bool brackets = bytes_begins(server, BYTES("["));
    size_t close = bytes_find_last(server, ']');

    if (brackets && close < server.n) {
        host = (struct bytes){ server.at + 1, close - 1 };
        if (close + 1 < server.n)
            port = bytes_skip(server, close + 2);
    } else if (colon < server.n && bytes_find(server, ':') == colon) {
        host = bytes_first(server, colon);
        port = bytes_skip(server, colon + 1);
    }
    return host.n > 0 && port.n > 0 && copy(ret_host, host) && copy(ret_port, port);
}

static int take_server(struct sending *sending)
{
    const struct send_order *order = &sending->order;
    const char *usual = order->lmtp ? "24" : order->tls == SEND_TLS_IMPLICIT ? "465" : "25";
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    char host[SEND_NAME_ROOM], port[SEND_NAME_ROOM], number[16];

    if (bytes_begins(order->server, BYTES("unix:")))
        return take_path(sending, bytes_skip(order->server, 5));
    if (!split(order->server, usual, host, port)) {
        fputs("postern: send: --server wants HOST, HOST:PORT or unix:PATH\n", stderr);
        return EX_USAGE;
    }
    int failed = getaddrinfo(host, port, &hints, &list);
    if (failed != 0) {
        buffer_put_text(&sending->why, host);
        buffer_put_text(&sending->why, ": ");
        buffer_put_text(&sending->why, gai_strerror(failed));
        sending->why_status = failed == EAI_AGAIN ? EX_TEMPFAIL : EX_NOHOST;
    }
    for (const struct addrinfo *to = list; failed == 0 && to != NULL; to = to->ai_next)
        if (getnameinfo(to->ai_addr, to->ai_addrlen, NULL, 0, number, sizeof(number),
                        NI_NUMERICSERV) == 0)
            add(sending, bytes_of(host), (unsigned)strtoul(number, NULL, 10), to->ai_addr,
                to->ai_addrlen);
    if (list != NULL)
        freeaddrinfo(list);
    return EX_OK;
}

/* ---- by MX */

/* The configuration, for resolver and trust-anchor, into ret_file; without any, what it would be,
   to be freed. NULL: said on standard error. */
static struct conf_file *read_conf(const char *path, struct conf_file *ret_file)
{
    static const struct conf_tables none;
    struct buffer words = buffer_with_most(16 * 1024);
    struct conf_file *usual = NULL;
    bool well = conf_file_read(path, ret_file, &words) == EX_OK;

    if (!well && path == NULL)
        usual = conf_file_of(BYTES("host localhost.invalid\ndomain localhost.invalid\n"
                                   "mailboxes /nonexistent\nspool /nonexistent\n"),
                             BYTES("/"), &none);
    else if (!well)
        ctl_print(stderr, &words);
    buffer_done(&words);
    return well ? ret_file : usual;
}

static void take_host(struct sending *sending, struct doctor *doctor, size_t i)
{
    const struct checkup_host *host = &doctor->checkup.hosts[i];
    size_t before = sending->targets_n;

    for (size_t v = 0; v < host->visits_n; v++) {
        struct net_address to = { .port = 25 };
        memcpy(to.ip, host->visits[v].ip, sizeof(to.ip));
        struct address_buffer address = address_write(&to);
        add(sending, host->name, 25, &address.at.any, address.n);
    }
    if (doctor->checkup.mx_secure && host->tlsa_usable > 0) {
        buffer_put(&sending->tlsa[i], buffer_bytes(&doctor->hosts[i].tlsa));
        for (size_t t = before; t < sending->targets_n; t++)
            sending->targets[t].tlsa = buffer_bytes(&sending->tlsa[i]);
    }
}

static void say_why(struct sending *sending, const struct checkup *checkup)
{
    struct buffer *to = &sending->why;

    buffer_put(to, checkup->domain);
    sending->why_status = EX_NOHOST;
    switch (checkup->mx) {
    case MX_NO_DOMAIN: buffer_put_text(to, ": there is no such domain"); break;
    case MX_NULL: buffer_put_text(to, ": this domain takes no mail (null MX, RFC 7505)"); break;
    case MX_UNUSABLE: buffer_put_text(to, ": its MX records name no host"); break;
    case MX_LATER:
        buffer_put_text(to, checkup->mx_bogus ? ": the DNS answers with signatures that are wrong"
                                              : ": the DNS does not answer");
        sending->why_status = EX_TEMPFAIL;
        break;
    case MX_HOSTS: case MX_IMPLICIT:
        buffer_put_text(to, ": its hosts have no address to connect to");
        break;
    }
}

/* "MX of example.org: 10 mx1.example.org, 20 mx2.example.org (signed)" */
static void note_hosts(struct sending *sending, const struct checkup *checkup, uint64_t began_us)
{
    struct buffer line = buffer_with_most(16 * 1024);
    const char *before = "";

    buffer_put_text(&line, checkup->mx == MX_IMPLICIT ? "no MX, so the domain itself: " : "MX of ");
    buffer_put(&line, checkup->domain);
    for (size_t i = 0; checkup->mx == MX_HOSTS && i < checkup->n; i++) {
        buffer_put_text(&line, i == 0 ? ": " : before);
        buffer_put_uint(&line, checkup->hosts[i].preference);
        buffer_put_char(&line, ' ');
        buffer_put(&line, checkup->hosts[i].name);
        buffer_put_text(&line, checkup->hosts[i].tlsa_usable > 0 ? " with DANE" : "");
        before = ", ";
    }
    buffer_put_text(&line, checkup->mx_secure ? " (signed)" : " (not signed)");
    sender_note(sending->sender, began_us, ctl_now_us(), buffer_bytes(&line));
    send_show(sending);
    buffer_done(&line);
}

static int ask_domain(struct sending *sending, const struct conf *conf, struct bytes domain)
{
    uint64_t began_us = ctl_now_us();
    struct doctor *doctor = doctor_begin(conf, domain);

    if (doctor == NULL)
        return EX_OSERR;
    doctor_ask_hosts(doctor);
    for (size_t i = 0; i < doctor->checkup.n; i++)
        take_host(sending, doctor, i);
    if (sending->targets_n == 0)
        say_why(sending, &doctor->checkup);
    else
        note_hosts(sending, &doctor->checkup, began_us);
    doctor_end(doctor);
    return EX_OK;
}

static int take_domain(struct sending *sending, struct bytes domain)
{
    static struct conf_file kept;
    struct conf_file *file = read_conf(sending->conf_path, &kept);
    int status = file == NULL ? EX_CONFIG : ask_domain(sending, &file->conf, domain);

    if (file == &kept)
        conf_file_done(file);
    else
        conf_file_free(file);
    return status;
}

/* [192.0.2.1] or [IPv6:2001:db8::1] behind the @ is a server itself (RFC 5321, 4.1.3). */
static int take_recipients(struct sending *sending)
{
    struct bytes domain = send_domain(&sending->order);
    struct buffer ascii = buffer_with_most(DNS_NAME_MOST);
    int status = EX_USAGE;

    if (bytes_begins(domain, BYTES("["))) {
        bool v6 = bytes_begins_nocase(domain, BYTES("[IPv6:"));
        sending->order.server = v6 ? bytes_skip(domain, 6) : bytes_skip(domain, 1);
        sending->order.server.n -= bytes_ends(domain, BYTES("]"));
        status = take_server(sending);
    } else if (domain.n > 0 && checkup_domain_put(&ascii, domain)) {
        status = take_domain(sending, buffer_bytes(&ascii));
    } else {
        fputs("postern: send: without --server all recipients must be of one domain; "
              "see --help\n", stderr);
    }
    buffer_done(&ascii);
    return status;
}

int send_find_targets(struct sending *sending)
{
    for (size_t i = 0; i < SEND_TARGETS_MOST; i++)
        sending->tlsa[i] = buffer_with_most(DNS_ANSWER_MOST);
    return sending->order.server.n > 0 ? take_server(sending) : take_recipients(sending);
}

/* SPDX-License-Identifier: ISC */
#include "host/testing.h"
#include "host/testing_role.h"

#include <netinet/in.h>
#include <sys/socket.h>

static void *make(const struct conf *conf, uint32_t index)
{
    (void)conf, (void)index;
    return mem_new(sizeof(struct testing_role));
}

static void answer(struct testing_role *role, const struct event *event, struct effects *fx)
{
    static char much[8 << 20];

    if (role->answer > 0)
        fx_send(fx, event->conn, (struct bytes){ much, role->answer });
    else
        fx_send(fx, event->conn, event->bytes);
}

static void on_bytes(struct testing_role *role, const struct event *event, struct effects *fx)
{
    char want = role->wants == NULL || *role->wants == '\0' ? 'e' : *role->wants;

    role->octets += event->bytes.n;
    role->of[event->conn] += event->bytes.n;
    fx->bad = role->out_of_memory;
    if (want != 'e' && role->wants[1] != '*')
        role->wants++;
    switch (want) {
    case 'e': answer(role, event, fx); break;
    case 'P': fx_pause(fx, event->conn); break;
    case 'A': fx_abort(fx, event->conn); break;
    case 'C':
        fx_send(fx, event->conn, BYTES("!"));
        fx_close(fx, event->conn);
        break;
    default: break;
    }
}

static void on_alarm(struct testing_role *role, struct effects *fx)
{
    if (role->resume)
        fx_resume(fx, 0);
    if (role->io.token != 0)
        fx_io(fx, role->io);
}

static void note(char *to, size_t room, char sign, const struct event *event)
{
    size_t n = strlen(to);

    snprintf(to + n, room - n, "%c%d.%u ", sign, (int)event->peer.kind, event->peer.index);
}

static void on_told(struct testing_role *role, const struct event *event)
{
    size_t n = strlen(role->told);

    snprintf(role->told + n, sizeof(role->told) - n, "%d.%u:%.*s ", (int)event->peer.kind,
             event->peer.index, (int)event->bytes.n - 1, event->bytes.at + 1);
}

static void step(void *of, const struct event *event, struct effects *fx)
{
    struct testing_role *role = of;

    role->seen[event->kind]++;
    role->last = *event;
    switch (event->kind) {
    case EV_ACCEPT: role->accepted = *event; break;
    case EV_BYTES: on_bytes(role, event, fx); break;
    case EV_END:
        if (role->on_end != NULL)
            fx_send(fx, event->conn, bytes_of(role->on_end));
        fx_close(fx, event->conn);
        break;
    case EV_ALARM: on_alarm(role, fx); break;
    case EV_IO:
        role->io_token = event->token;
        snprintf(role->io_text, sizeof(role->io_text), "%.*s", (int)event->bytes.n,
                 event->bytes.at);
        break;
    case EV_TOLD: on_told(role, event); break;
    case EV_PEER_UP: note(role->peers, sizeof(role->peers), '+', event); break;
    case EV_PEER_DOWN: note(role->peers, sizeof(role->peers), '-', event); break;
    case EV_STOP: fx_exit(fx, 0); break;
    case EV_START: case EV_CLOSED: case EV_DRAINED: case EV_TURN: case EV_RELOAD: case EV_CHILD:
    case EV_CONNECTED: case EV_ASKED: case EV_RESOLVED: case EV_FETCHED:
        break;
    }
}

const struct role_ops testing_ops = {
    .name = "testing", .make = make, .step = step, .free = mem_free,
};

static struct sockaddr_in6 loopback6(int port)
{
    return (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port),
                                  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int bound(int family, int *ret_fd)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in v4 = loopback(0);
    struct sockaddr_in6 v6 = loopback6(0);
    bool is_v4 = family == AF_INET;

    if (fd < 0 || bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
                       is_v4 ? sizeof(v4) : sizeof(v6)) < 0) {
        assert_false(is_v4);
        return -1;
    }
    socklen_t n = sizeof(v6);
    assert_int_equal(listen(fd, 1024), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&v6, &n), 0);
    *ret_fd = fd;
    return ntohs(v6.sin6_port);     /* at the same place in both */
}

int testing_listen(struct conns *conns, int family, uint32_t index)
{
    int fd, port = bound(family, &fd);

    assert_true(port < 0 || conns_listen(conns, fd, index));
    return port;
}

int testing_listen_softly(struct conns *conns)
{
    int fd, port = bound(AF_INET, &fd);

    return conns_listen(conns, fd, 0) ? port : -1;
}

int testing_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = loopback(port);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

int testing_connect6(int port)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 to = loopback6(port);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

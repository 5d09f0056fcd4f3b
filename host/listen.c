/* SPDX-License-Identifier: ISC */
#include "host/listen.h"

#include "base/ip.h"
#include "base/number.h"
#include "host/address.h"
#include "host/folder.h"
#include "host/notify.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t any_v4[16] = { [10] = 0xFF, [11] = 0xFF };

unsigned listen_parse(struct bytes entry, struct net_address ret_addresses[static 2])
{
    size_t colon = bytes_find_last(entry, ':');
    struct bytes host = bytes_first(entry, colon);
    struct net_address address = { 0 };
    uint64_t port;

    if (colon == entry.n || !number_parse(bytes_skip(entry, colon + 1), &port) || port > 65535)
        return 0;
    address.port = (uint16_t)port;
    if (bytes_equal(host, BYTES("*"))) {
        ret_addresses[0] = ret_addresses[1] = address;
        memcpy(ret_addresses[0].ip, any_v4, sizeof(any_v4));
        return 2;
    }
    bool bracketed = host.n > 2 && host.at[0] == '[' && host.at[host.n - 1] == ']';
    if (bracketed ? !ip_parse_v6((struct bytes){ host.at + 1, host.n - 2 }, address.ip)
                  : !ip_parse_v4(host, address.ip))
        return 0;
    ret_addresses[0] = address;
    return 1;
}

static void complain(struct buffer *words, const char *setting, struct bytes entry, const char *why)
{
    buffer_put(words, BYTES("postern: "));
    buffer_put_text(words, setting);
    buffer_put_char(words, ' ');
    buffer_put(words, entry);
    buffer_put(words, BYTES(": "));
    buffer_put_text(words, why);
    buffer_put_char(words, '\n');
}

static bool set_flag(int fd, int level, int option)
{
    int on = 1;

    return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

/* A socket bound to the address, or the one that a service manager handed over (then all fronts
   share it); -1 and errno. What accept makes of it inherits TCP_NODELAY. */
static int bind_one(const struct net_address *address, bool shared)
{
    struct address_buffer at = address_write(address);
    int fd = notify_socket(address);

    if (fd >= 0)
        return fd;
    fd = socket(at.at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (!set_flag(fd, SOL_SOCKET, SO_REUSEADDR) || !set_flag(fd, IPPROTO_TCP, TCP_NODELAY)
        || (at.at.any.sa_family == AF_INET6 && !set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY))
        || (shared && !set_flag(fd, SOL_SOCKET, SO_REUSEPORT))
        || bind(fd, &at.at.any, at.n) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Our own sockets share a port, and so might those of another server of the same user, without a
   word. One that does not share finds that out. */
static bool port_is_free(const struct net_address *address)
{
    int fd = bind_one(address, false);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool add_socket(struct listen_set *set, struct net_address *address, bool shared,
                       uint32_t entry)
{
    int fd = bind_one(address, shared);

    if (fd < 0)
        return false;
    /* Port 0 is a free one: the other fronts take the same. */
    if (listen(fd, LISTEN_BACKLOG) < 0 || !address_of_socket(fd, address)) {
        int error = errno;
        close(fd);
        errno = error;
        return false;
    }
    set->fds[set->n] = fd;
    set->entries[set->n++] = entry;
    return true;
}

static bool add_address(struct listen_set *sets, size_t copies, struct net_address address,
                        uint32_t entry)
{
    if (copies > 1 && address.port != 0 && !port_is_free(&address))
        return false;
    for (size_t i = 0; i < copies; i++)
        if (!add_socket(&sets[i], &address, copies > 1, entry))
            return false;
    return true;
}

/* A machine without IPv6 still has the other half of "*". */
static bool no_such_family(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static bool add_entry(struct conf_texts entries, size_t at, size_t copies, struct listen_set *sets,
                      struct buffer *reterr_words)
{
    struct net_address addresses[2];
    unsigned n = listen_parse(entries.list[at], addresses);

    if (n == 0) {
        complain(reterr_words, "listen", entries.list[at],
                 "expected ADDRESS:PORT, [IPV6]:PORT or *:PORT");
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (sets[0].n == LISTEN_MOST) {
            complain(reterr_words, "listen", entries.list[at], "too many addresses");
            return false;
        }
        if (!add_address(sets, copies, addresses[i], (uint32_t)at)
            && !(i == 1 && no_such_family(errno))) {
            complain(reterr_words, "listen", entries.list[at], strerrordesc_np(errno));
            return false;
        }
    }
    return true;
}

bool listen_open(struct conf_texts entries, size_t copies, struct listen_set *ret_sets,
                 struct buffer *reterr_words)
{
    for (size_t i = 0; i < copies; i++)
        ret_sets[i].n = 0;
    for (size_t i = 0; i < entries.n; i++)
        if (!add_entry(entries, i, copies, ret_sets, reterr_words)) {
            listen_close(ret_sets, copies);
            return false;
        }
    return true;
}

void listen_close(struct listen_set *sets, size_t copies)
{
    for (size_t i = 0; i < copies; i++) {
        for (size_t j = 0; j < sets[i].n; j++)
            close(sets[i].fds[j]);
        sets[i].n = 0;
    }
}

/* ---- sockets with a name ---- */

enum { OURS_ALONE = 0117, ANYBODY = 0111 };     /* what umask takes away */

static bool make_name(struct bytes path, struct sockaddr_un *ret_name)
{
    *ret_name = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (path.n == 0 || path.n >= sizeof(ret_name->sun_path))
        return false;
    memcpy(ret_name->sun_path, path.at, path.n);
    return true;
}

/* Does a server that is alive stand behind it? */
static bool somebody_answers(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answers = fd >= 0 && (connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0
                               || errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return answers;
}

/* What is wrong with what stands at that name, or NULL: it is free now. */
static const char *clear_name(const struct sockaddr_un *name)
{
    struct stat found;

    if (lstat(name->sun_path, &found) < 0)
        return errno == ENOENT ? NULL : strerrordesc_np(errno);
    if (!S_ISSOCK(found.st_mode))
        return "something else than a socket has that name";
    if (somebody_answers(name))
        return "another server answers there";
    return unlink(name->sun_path) == 0 ? NULL : strerrordesc_np(errno);
}

static int bind_control(const struct sockaddr_un *name, mode_t mask)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t before = umask(mask);
    bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)name, sizeof(*name)) == 0
              && listen(fd, LISTEN_BACKLOG) == 0;
    int error = errno;

    umask(before);
    if (!bound && fd >= 0)
        close(fd);
    errno = error;
    return bound ? fd : -1;
}

static int listen_unix(const char *setting, struct bytes path, mode_t mask,
                       struct buffer *reterr_words)
{
    struct sockaddr_un name;
    const char *flaw = NULL;
    int fd = -1;

    if (!make_name(path, &name))
        flaw = "a socket's name has at most 107 octets";
    else if (!folder_make_above(path, 0755))
        flaw = strerrordesc_np(errno);
    else
        flaw = clear_name(&name);
    if (flaw == NULL) {
        fd = bind_control(&name, mask);
        flaw = fd < 0 ? strerrordesc_np(errno) : NULL;
    }
    if (flaw != NULL)
        complain(reterr_words, setting, path, flaw);
    return fd;
}

int listen_control(struct bytes path, struct buffer *reterr_words)
{
    return listen_unix("control", path, OURS_ALONE, reterr_words);
}

int listen_submit(struct bytes path, struct buffer *reterr_words)
{
    return listen_unix("submit", path, ANYBODY, reterr_words);
}

/* ---- the web */

static int listen_loopback(const struct net_address *address)
{
    int fd = bind_one(address, false);

    if (fd < 0 || listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int listen_web(const struct conf_web *web, struct bytes entry, struct buffer *reterr_words)
{
    int fd;

    if (web->path.n > 0)
        return listen_unix("web", web->path, OURS_ALONE, reterr_words);
    fd = listen_loopback(&web->at);
    if (fd < 0)
        complain(reterr_words, "web", entry, strerrordesc_np(errno));
    return fd;
}

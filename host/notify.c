/* SPDX-License-Identifier: ISC */
#include "host/notify.h"

#include "base/number.h"
#include "host/address.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FD = 3, SOCKETS_MOST = 256 };

/* The name of a socket in the file system, or with '@' in front one of the abstract kind. */
static socklen_t address_for(const char *name, struct sockaddr_un *ret_address)
{
    size_t n = strlen(name);

    *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(ret_address->sun_path))
        return 0;
    memcpy(ret_address->sun_path, name, n);
    if (name[0] == '@')
        ret_address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

void notify_send(const char *line)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t n = name == NULL ? 0 : address_for(name, &address);
    int fd = n == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    (void)sendto(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&address, n);
    close(fd);
}

static uint64_t number_in(const char *variable)
{
    const char *text = getenv(variable);
    uint64_t number = 0;

    return text != NULL && number_parse(bytes_of(text), &number) ? number : 0;
}

static unsigned sockets(void)
{
    uint64_t n = number_in("LISTEN_FDS");

    /* Meant for another process, which started this one. */
    if (number_in("LISTEN_PID") != (uint64_t)getpid())
        return 0;
    return n > SOCKETS_MOST ? SOCKETS_MOST : (unsigned)n;
}

static bool listens_at(int fd, const struct net_address *address)
{
    struct net_address own;
    int listens = 0, type = 0;
    socklen_t n = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) == 0 && listens
        && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM
        && address_of_socket(fd, &own) && !own.unix_peer && own.port == address->port
        && memcmp(own.ip, address->ip, sizeof(own.ip)) == 0;
}

int notify_socket(const struct net_address *address)
{
    for (int fd = FIRST_FD; fd < FIRST_FD + (int)sockets(); fd++)
        if (listens_at(fd, address) && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
            return fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return -1;
}

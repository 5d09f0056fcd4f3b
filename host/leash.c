/* SPDX-License-Identifier: ISC */
#include "host/leash.h"

#include "base/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both ends are this program: the machine's own layout will do, but its values are looked at. */
struct word {
    uint32_t said;              /* enum leash_said */
    uint32_t kind, index;
};

union passed {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

bool leash_pair(int ret_ends[static 2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_ends) == 0;
}

static bool send_word(int leash, struct word word, int fd)
{
    struct iovec part = { .iov_base = &word, .iov_len = sizeof(word) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    union passed passed = { 0 };
    ssize_t sent;

    if (fd >= 0) {
        message.msg_control = passed.room;
        message.msg_controllen = sizeof(passed.room);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    }
    do
        sent = sendmsg(leash, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof(word);
}

bool leash_send_peer(int leash, struct role_name peer, int fd)
{
    return send_word(leash, (struct word){ LEASH_PEER, (uint32_t)peer.kind, peer.index }, fd);
}

void leash_send_log(int leash, int fd)
{
    if (fd >= 0)
        (void)send_word(leash, (struct word){ LEASH_LOG, 0, 0 }, fd);
}

bool leash_send_flaw(int leash, struct role_name peer)
{
    return send_word(leash, (struct word){ LEASH_FLAW, (uint32_t)peer.kind, peer.index }, -1);
}

static int take_descriptor(struct msghdr *message)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    int fd = -1;

    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS
        && head->cmsg_len == CMSG_LEN(sizeof(fd)))
        memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    return fd;
}

enum leash_said leash_read(int leash, struct role_name *ret_peer, int *ret_fd)
{
    struct word word = { 0 };
    struct iovec part = { .iov_base = &word, .iov_len = sizeof(word) };
    union passed passed = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = passed.room,
                              .msg_controllen = sizeof(passed.room) };
    ssize_t got;

    do
        got = recvmsg(leash, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return LEASH_NOTHING;
    int fd = got < 0 ? -1 : take_descriptor(&message);
    bool named = got == (ssize_t)sizeof(word) && word.kind < ROLE_KINDS
              && word.index < LIMIT_FRONTS;
    if (named)
        *ret_peer = (struct role_name){ (enum role_kind)word.kind, word.index };
    if (named && (word.said == LEASH_PEER || word.said == LEASH_LOG) && fd >= 0) {
        *ret_fd = fd;
        return (enum leash_said)word.said;
    }
    if (fd >= 0)
        close(fd);
    return named && word.said == LEASH_FLAW ? LEASH_FLAW : LEASH_ENDED;
}

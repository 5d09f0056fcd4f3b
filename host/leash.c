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
    char user[LIMIT_USER_NAME + 1];
};

union passed {
    char room[CMSG_SPACE(LEASH_FDS * sizeof(int))];
    struct cmsghdr align;
};

bool leash_pair(int ret_ends[static 2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_ends) == 0;
}

static bool send_word(int leash, struct word word, const int *fds, size_t n)
{
    struct iovec part = { .iov_base = &word, .iov_len = sizeof(word) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    union passed passed = { 0 };
    ssize_t sent;

    if (n > LEASH_FDS)
        return false;
    if (n > 0) {
        message.msg_control = passed.room;
        message.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(head), fds, n * sizeof(int));
    }
    do
        sent = sendmsg(leash, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof(word);
}

bool leash_send_peer(int leash, struct role_name peer, int fd)
{
    return send_word(leash, (struct word){ LEASH_PEER, (uint32_t)peer.kind, peer.index, "" },
                     &fd, 1);
}

bool leash_send_reload(int leash, const int *fds, size_t n)
{
    return send_word(leash, (struct word){ LEASH_RELOAD, 0, 0, "" }, fds, n);
}

void leash_send_log(int leash, int fd)
{
    if (fd >= 0)
        (void)send_word(leash, (struct word){ LEASH_LOG, 0, 0, "" }, &fd, 1);
}

bool leash_send_flaw(int leash, struct role_name peer)
{
    return send_word(leash, (struct word){ LEASH_FLAW, (uint32_t)peer.kind, peer.index, "" },
                     NULL, 0);
}

bool leash_ask_reload(int leash)
{
    return send_word(leash, (struct word){ LEASH_RELOAD, 0, 0, "" }, NULL, 0);
}

bool leash_ask_user(int leash, uint32_t index, struct bytes name)
{
    struct word word = { LEASH_USER, ROLE_USER, index, "" };

    if (name.n > LIMIT_USER_NAME)
        return false;
    memcpy(word.user, name.at, name.n);
    return send_word(leash, word, NULL, 0);
}

static void take_descriptors(struct msghdr *message, struct leash_word *to)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(message);

    if (head == NULL || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return;
    to->n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(to->fds, CMSG_DATA(head), to->n * sizeof(int));
}

static void close_all(struct leash_word *word)
{
    for (size_t i = 0; i < word->n; i++)
        close(word->fds[i]);
    word->n = 0;
}

enum leash_said leash_read(int leash, struct leash_word *ret_word)
{
    struct word word = { 0 };
    struct iovec part = { .iov_base = &word, .iov_len = sizeof(word) };
    union passed passed = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = passed.room,
                              .msg_controllen = sizeof(passed.room) };
    ssize_t got;

    ret_word->n = 0;
    do
        got = recvmsg(leash, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return LEASH_NOTHING;
    if (got >= 0)
        take_descriptors(&message, ret_word);
    bool named = got == (ssize_t)sizeof(word) && word.kind < ROLE_KINDS
              && word.index < LIMIT_FRONTS && !(message.msg_flags & MSG_CTRUNC);
    if (named)
        ret_word->peer = (struct role_name){ (enum role_kind)word.kind, word.index };
    if (named && (word.said == LEASH_PEER || word.said == LEASH_LOG) && ret_word->n == 1)
        return (enum leash_said)word.said;
    if (named && word.said == LEASH_RELOAD)
        return LEASH_RELOAD;
    if (named && word.said == LEASH_USER && word.kind == ROLE_USER && ret_word->n == 0
        && word.user[LIMIT_USER_NAME] == '\0') {
        memcpy(ret_word->user, word.user, sizeof(word.user));
        return LEASH_USER;
    }
    close_all(ret_word);
    return named && word.said == LEASH_FLAW ? LEASH_FLAW : LEASH_ENDED;
}

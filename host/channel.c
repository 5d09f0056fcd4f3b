/* SPDX-License-Identifier: ISC */
#include "host/channel.h"

#include "base/arena.h"
#include "base/reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LENGTH_BYTES = 4 };
_Static_assert(CHANNEL_IN_LEAST * 16 == CHANNEL_IN_MOST, "it grows by four, twice");
_Static_assert(CHANNEL_IN_MOST >= 2 * (LIMIT_FRAME_BYTES + LENGTH_BYTES),
               "beside part of a frame there must be room to read on");

struct channel channel_of(int fd)
{
    return (struct channel){ .fd = fd, .out = buffer_with_most(CHANNEL_WAITING_MOST) };
}

void channel_done(struct channel *channel)
{
    if (channel->fd >= 0)
        close(channel->fd);
    buffer_done(&channel->out);
    mem_free(channel->in);
    *channel = channel_of(-1);
}

/* Sent octets are cut off only when they are the greater part, so that each is moved once at
   most. */
static void forget_sent(struct channel *channel)
{
    if (channel->sent == channel->out.n) {
        buffer_shrink(&channel->out, CHANNEL_IN_MOST);
        channel->sent = 0;
    } else if (channel->sent > channel->out.n / 2) {
        buffer_drop(&channel->out, channel->sent);
        channel->sent = 0;
    }
}

bool channel_put(struct channel *channel, struct bytes head, struct bytes body)
{
    assert(head.n + body.n > 0 && head.n + body.n <= LIMIT_FRAME_BYTES);
    if (!buffer_reserve(&channel->out, LENGTH_BYTES + head.n + body.n))
        return false;
    buffer_put_u32(&channel->out, (uint32_t)(head.n + body.n));
    buffer_put(&channel->out, head);
    buffer_put(&channel->out, body);
    return !channel->out.bad;
}

enum channel_state channel_flush(struct channel *channel)
{
    while (channel_waits(channel)) {
        ssize_t sent = send(channel->fd, channel->out.at + channel->sent,
                            channel->out.n - channel->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
            break;
        if (sent < 0)
            return CHANNEL_ENDED;
        channel->sent += (size_t)sent;
    }
    forget_sent(channel);
    return channel_waits(channel) ? CHANNEL_MORE : CHANNEL_FINE;
}

/* Room to read into; it grows when the last read filled it. */
static bool make_room(struct channel *channel)
{
    size_t room = channel->in_room == 0 ? CHANNEL_IN_LEAST : channel->in_room * 4;

    if ((channel->in_room == 0 || channel->filled) && room <= CHANNEL_IN_MOST) {
        char *in = mem_resize(channel->in, room);
        channel->in = in == NULL ? channel->in : in;
        channel->in_room = in == NULL ? channel->in_room : room;
    }
    return channel->in_n < channel->in_room;
}

/* Call back for the whole frames at the front; keep the part of one that is left. */
static enum channel_state take_frames(struct channel *channel, void *of,
                                      bool (*take)(void *of, struct bytes frame))
{
    size_t at = 0;

    while (channel->in_n - at >= LENGTH_BYTES) {
        struct reader in = reader_of((struct bytes){ channel->in + at, LENGTH_BYTES });
        size_t n = read_u32(&in);
        if (n == 0 || n > LIMIT_FRAME_BYTES)
            return CHANNEL_FLAWED;
        if (channel->in_n - at - LENGTH_BYTES < n)
            break;
        if (!take(of, (struct bytes){ channel->in + at + LENGTH_BYTES, n }))
            return CHANNEL_FLAWED;
        at += LENGTH_BYTES + n;
    }
    if (at > 0)
        memmove(channel->in, channel->in + at, channel->in_n - at);
    channel->in_n -= at;
    return CHANNEL_FINE;
}

enum channel_state channel_read(struct channel *channel, void *of,
                                bool (*take)(void *of, struct bytes frame))
{
    ssize_t got;
    size_t room;
    enum channel_state state;

    if (!make_room(channel))
        return CHANNEL_ENDED;
    room = channel->in_room - channel->in_n;
    do
        got = recv(channel->fd, channel->in + channel->in_n, room, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == ENOMEM))
        return CHANNEL_FINE;
    if (got <= 0)
        return CHANNEL_ENDED;
    channel->in_n += (size_t)got;
    channel->filled = (size_t)got == room;
    state = take_frames(channel, of, take);
    return state == CHANNEL_FINE && channel->filled ? CHANNEL_MORE : state;
}

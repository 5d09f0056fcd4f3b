/* SPDX-License-Identifier: ISC
 *
 * host/channel.h: frames between two processes, over a stream socketpair.
 *
 *   frame = length (u32, little-endian, 1 .. LIMIT_FRAME_BYTES), octets
 *
 * Never waits: what the socket does not take is kept, up to a bound. What comes is a stranger's:
 * a length out of range is a flaw, and the channel is no more.
 */
#ifndef POSTERN_HOST_CHANNEL_H
#define POSTERN_HOST_CHANNEL_H

#include "base/buffer.h"
#include "base/limits.h"

enum {
    CHANNEL_WAITING_MOST = 64 * 1024 * 1024,    /* to be sent; above, the peer is as good as dead */
    CHANNEL_IN_LEAST = 16 * 1024,
    CHANNEL_IN_MOST = 256 * 1024,
};

struct channel {
    int fd;
    struct buffer out;
    size_t sent;                /* octets of `out` that have left */
    char *in;
    size_t in_n, in_room;
    bool filled;                /* the last read took all the room there was */
};

enum channel_state {
    CHANNEL_FINE,
    CHANNEL_MORE,       /* reading: there may be more; writing: the socket is full */
    CHANNEL_ENDED,      /* the other side closed it, or is dead */
    CHANNEL_FLAWED,     /* it sent what is no frame, or a frame that was refused */
};

/* Takes over the descriptor, which must be non-blocking. Holds no memory yet. */
struct channel channel_of(int fd);
/* Close it and free what it holds. */
void channel_done(struct channel *channel);

/* Put a frame at the end of what waits: head, then body, 1 .. LIMIT_FRAME_BYTES together. False
   when the bound is reached or memory is short: close it. */
MUST_USE bool channel_put(struct channel *channel, struct bytes head, struct bytes body);
/* Send what waits, with one call where the socket takes it all. */
enum channel_state channel_flush(struct channel *channel);
static inline bool channel_waits(const struct channel *channel)
{
    return channel->out.n > channel->sent;
}

/* Read once and call back for each whole frame, in order. `take` returns false to refuse a
   frame. */
enum channel_state channel_read(struct channel *channel, void *of,
                                bool (*take)(void *of, struct bytes frame));

#endif

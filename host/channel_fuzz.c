/* SPDX-License-Identifier: ISC */
#include "host/channel.h"

#include <stdlib.h>
#include <sys/socket.h>

/* A sibling is a stranger: whatever it sends, cut wherever the first octet says, ends as frames
   or as a flaw, and the same ones however it was cut. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
    size_t frames, octets;
    uint32_t sum;
};

static bool take(void *of, struct bytes frame)
{
    struct seen *seen = of;

    if (frame.n == 0 || frame.n > LIMIT_FRAME_BYTES)
        abort();
    seen->frames++;
    seen->octets += frame.n;
    for (size_t i = 0; i < frame.n; i++)
        seen->sum = seen->sum * 31 + octet(frame.at[i]);
    return frame.at[0] != '!';
}

static enum channel_state feed(const uint8_t *data, size_t n, size_t step, struct seen *seen)
{
    int ends[2];
    enum channel_state state = CHANNEL_FINE;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    struct channel channel = channel_of(ends[0]), other = channel_of(ends[1]);
    for (size_t at = 0; at < n && (state == CHANNEL_FINE || state == CHANNEL_MORE);) {
        size_t some = n - at < step ? n - at : step;
        ssize_t sent = send(ends[1], data + at, some, MSG_NOSIGNAL);
        at += sent > 0 ? (size_t)sent : 0;
        state = channel_read(&channel, seen, take);
    }
    while (state == CHANNEL_MORE)
        state = channel_read(&channel, seen, take);
    channel_done(&channel);
    channel_done(&other);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct seen whole = { 0 }, cut = { 0 };
    size_t step = n == 0 ? 1 : 1 + data[0] % 64;

    if (n == 0 || n > 32 * 1024)
        return 0;
    enum channel_state a = feed(data + 1, n - 1, n, &whole);
    enum channel_state b = feed(data + 1, n - 1, step, &cut);
    if (a != b || whole.frames != cut.frames || whole.octets != cut.octets
        || whole.sum != cut.sum)
        abort();
    return 0;
}

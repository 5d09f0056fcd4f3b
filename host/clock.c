/* SPDX-License-Identifier: ISC */
#include "host/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static uint64_t milliseconds(clockid_t clock)
{
    struct timespec at = { 0 };

    if (clock_gettime(clock, &at) < 0 || at.tv_sec < 0)
        return 0;
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

struct moment clock_now(void)
{
    return (struct moment){ milliseconds(CLOCK_MONOTONIC), milliseconds(CLOCK_REALTIME) };
}

void entropy_fill(void *at, size_t n)
{
    char *to = at;

    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        to += got;
        n -= (size_t)got;
    }
}

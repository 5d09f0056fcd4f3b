/* SPDX-License-Identifier: ISC */
#include "sim/future.h"

#include "sim/room.h"

static bool before(const struct future *a, const struct future *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->tie < b->tie;
}

static void swap(struct future *a, struct future *b)
{
    struct future c = *a;

    *a = *b;
    *b = c;
}

void futures_add(struct futures *futures, struct future future)
{
    size_t i = futures->n++;

    futures->heap = room_for(futures->heap, &futures->room, futures->n, sizeof(future));
    futures->heap[i] = future;
    while (i > 0 && before(&futures->heap[i], &futures->heap[(i - 1) / 2])) {
        swap(&futures->heap[i], &futures->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

bool futures_take(struct futures *futures, struct future *ret_future)
{
    size_t i = 0;

    if (futures->n == 0)
        return false;
    *ret_future = futures->heap[0];
    futures->heap[0] = futures->heap[--futures->n];
    for (;;) {
        size_t least = i, left = 2 * i + 1, right = 2 * i + 2;
        if (left < futures->n && before(&futures->heap[left], &futures->heap[least]))
            least = left;
        if (right < futures->n && before(&futures->heap[right], &futures->heap[least]))
            least = right;
        if (least == i)
            return true;
        swap(&futures->heap[i], &futures->heap[least]);
        i = least;
    }
}

uint64_t futures_next_us(const struct futures *futures)
{
    return futures->n == 0 ? UINT64_MAX : futures->heap[0].at_us;
}

void futures_done(struct futures *futures)
{
    for (size_t i = 0; i < futures->n; i++)
        room_free((void *)(uintptr_t)futures->heap[i].bytes.at);
    room_free(futures->heap);
    *futures = (struct futures){ .heap = NULL };
}

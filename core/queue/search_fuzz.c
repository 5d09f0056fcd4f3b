/* SPDX-License-Identifier: ISC
 *
 * The history's files: the search may meet anything in them. Reads of an .idx get the input's first
 * half behind a good head, those of a .log the second half.
 */
#include "queue/day_int.h"
#include "queue/history.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char idx[1 << 17];

static void search(enum history_by by, struct bytes key, struct bytes index, struct bytes events)
{
    struct history_search *s = history_search_new(by, key, BYTES("2026-01-01.idx\n2026-01-01.log\n"
                                                                 "x\n2026-01-02.idx\n"));

    for (size_t steps = 0; s != NULL; steps++) {
        struct history_want want = history_search_next(s);
        struct history_event event;
        if (steps > 100000)
            abort();
        if (want.need == HISTORY_ENDS)
            break;
        if (want.need == HISTORY_HAS_EVENT && !history_read(want.event, &event))
            abort();
        if (want.need != HISTORY_NEEDS_READ)
            continue;
        struct bytes file = bytes_ends(want.name, BYTES(".idx")) ? index : events;
        history_search_give(s, bytes_first(bytes_skip(file, want.offset), want.count));
    }
    history_search_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t secret[16] = "0123456789abcdef";
    size_t half = n / 2 < sizeof(idx) - 64 ? n / 2 : sizeof(idx) - 64;
    struct bytes key = BYTES("a@example.org"), events = { (const char *)data + half, n - half };

    idx_head_write(idx, secret);
    if (half > 0)
        memcpy(idx + IDX_HEAD, data, half);
    for (size_t at = IDX_HEAD; at + IDX_ENTRY <= IDX_HEAD + half; at += 2 * IDX_ENTRY)
        day_store(idx + at, idx_hash(secret, history_key(HISTORY_BY_ADDRESS, key)));
    struct bytes index = { idx, IDX_HEAD + half };
    search(HISTORY_BY_ADDRESS, key, index, events);
    search(HISTORY_BY_ID, BYTES("06CQ4KZ0R2J8M"), index, events);
    if (n > 0)
        search(HISTORY_BY_MESSAGE_ID, key, events, index);
    return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Rows of the store, of which a sibling's or the disk's octets may be wrong, to text and JSON.
 */
#include "role/once.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Nothing of what comes out may move a terminal: line ends are ours, other controls nobody's. */
static void check_safe(const struct buffer *out)
{
    for (size_t i = 0; i < out->n; i++)
        if ((octet(out->at[i]) < ' ' && out->at[i] != '\n') || out->at[i] == 0x7F)
            __builtin_trap();
}

static void tell(struct bytes row, bool json)
{
    struct buffer out = buffer_with_most(1 << 20);
    static struct once_trace trace;
    struct once_queue queue = { .style = { json, true, 1000 } };
    struct history_event event;
    struct wire_queue_row waits;
    enum trace_by ways[2];

    trace = (struct once_trace){ .style = { json, true, 1000 } };
    if (history_read(row, &event)) {
        once_trace_event(&trace, &event, &out);
        once_trace_end(&trace, true, &out);
    }
    if (wire_read_queue_row(row, &waits)) {
        once_queue_row(&queue, &waits, &out);
        once_queue_end(&queue, &out);
    }
    for (size_t i = once_trace_ways(row, ways); i > 0; i--) {
        struct buffer key = buffer_with_most(4096);
        once_trace_key(row, ways[i - 1], &key);
        buffer_done(&key);
    }
    check_safe(&out);
    buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes row = { (const char *)data, n };

    tell(row, false);
    tell(row, true);
    return 0;
}

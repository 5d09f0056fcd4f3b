/* SPDX-License-Identifier: ISC */
#include "role/look_int.h"

static struct look_want end_trace(struct look *look, bool more)
{
    history_search_free(look->search);
    look->search = NULL;
    if (look->trace.letters == 0 && ++look->way < look->ways_n)
        return look_says(look, LOOK_OUT);       /* nothing yet: the other form */
    if (look->trace.letters == 0)
        return look_fails(look, "Nothing is known of it: no such letter came here, or its history"
                          " is no longer kept.\n", ONCE_FOUND_NOTHING);
    once_trace_end(&look->trace, more, &look->text);
    look->phase = PHASE_OVER;
    return look_says(look, LOOK_OUT);
}

static bool begin_search(struct look *look)
{
    struct buffer key = buffer_with_most(4096);

    once_trace_key(buffer_bytes(&look->word), look->ways[look->way], &key);
    if (!key.bad && !look->names.bad && look->way < look->ways_n)
        look->search = history_search_new((enum history_by)look->ways[look->way],
                                          buffer_bytes(&key), buffer_bytes(&look->names));
    buffer_done(&key);
    return look->search != NULL;
}

struct look_want look_search(struct look *look)
{
    struct history_event event;

    if (look->search == NULL && !begin_search(look))
        return look_fails(look, "postern: memory is short\n", ONCE_OS);
    struct history_want want = history_search_next(look->search);
    switch (want.need) {
    case HISTORY_NEEDS_READ:
        buffer_clear(&look->name);
        buffer_put(&look->name, BYTES("history/"));
        buffer_put(&look->name, want.name);
        return look_reads(buffer_bytes(&look->name), want.offset, want.count);
    case HISTORY_HAS_EVENT:
        if (history_read(want.event, &event))
            once_trace_event(&look->trace, &event, &look->text);
        return look_says(look, LOOK_OUT);
    case HISTORY_ENDS:
        break;
    }
    return end_trace(look, want.more);
}

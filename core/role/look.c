/* SPDX-License-Identifier: ISC */
#include "role/look_int.h"

static struct look *look_new(enum look_what what, struct once_style style)
{
    struct look *look = mem_new(sizeof(*look));

    if (look == NULL)
        return NULL;
    look->what = what;
    look->style = style;
    look->phase = what == LOOK_TRACE ? PHASE_HISTORY_NAMES : PHASE_LOG_NAMES;
    look->names = buffer_with_most(LOOK_NAMES_MOST);
    look->name = buffer_with_most(4096);
    look->text = buffer_with_most(LOOK_TEXT_MOST);
    look->word = buffer_with_most(4096);
    look->queue.style = style;
    look->trace.style = style;
    return look;
}

struct look *look_queue(struct once_style style)
{
    return look_new(LOOK_QUEUE, style);
}

struct look *look_trace(struct once_style style, struct bytes word)
{
    struct look *look = look_new(LOOK_TRACE, style);

    if (look == NULL)
        return NULL;
    buffer_put(&look->word, word);
    look->ways_n = once_trace_ways(buffer_bytes(&look->word), look->ways);
    return look;
}

struct look *look_check(struct once_style style)
{
    return look_new(LOOK_CHECK, style);
}

struct look *look_export(uint64_t id)
{
    struct look *look = look_new(LOOK_EXPORT, (struct once_style){ 0 });

    if (look != NULL)
        look->id = id;
    return look;
}

struct look *look_export_all(void)
{
    return look_new(LOOK_EXPORT_ALL, (struct once_style){ 0 });
}

void look_free(struct look *look)
{
    if (look == NULL)
        return;
    inspect_free(look->inspect);
    history_search_free(look->search);
    buffer_done(&look->names);
    buffer_done(&look->name);
    buffer_done(&look->text);
    buffer_done(&look->word);
    mem_free(look->letters);
    mem_free(look);
}

struct look_want look_says(struct look *look, enum look_to to)
{
    return (struct look_want){ .need = LOOK_SAYS, .to = to, .name = buffer_bytes(&look->name),
                               .text = buffer_bytes(&look->text) };
}

struct look_want look_reads(struct bytes name, uint64_t offset, uint32_t count)
{
    return (struct look_want){ .need = LOOK_NEEDS_READ, .name = name, .offset = offset,
                               .count = count };
}

struct look_want look_fails(struct look *look, const char *words, int status)
{
    look->status = status;
    look->phase = PHASE_OVER;
    buffer_clear(&look->text);
    buffer_put_text(&look->text, words);
    return look_says(look, LOOK_ERR);
}

static struct look_want names_of(struct bytes folder)
{
    return (struct look_want){ .need = LOOK_NEEDS_NAMES, .name = folder };
}

static struct look_want step(struct look *look)
{
    switch (look->phase) {
    case PHASE_LOG_NAMES:
        return names_of(BYTES("log"));
    case PHASE_BODY_NAMES:
        return names_of(BYTES("body"));
    case PHASE_HISTORY_NAMES:
        return names_of(BYTES("history"));
    case PHASE_SCAN:
        return look_scan(look);
    case PHASE_TAKE:
    case PHASE_TAKING:
        return look_take(look);
    case PHASE_SEARCH:
        return look_search(look);
    case PHASE_OVER:
        break;
    }
    return (struct look_want){ .need = LOOK_ENDS, .status = look->status };
}

struct look_want look_next(struct look *look)
{
    struct look_want want;

    buffer_clear(&look->text);
    do
        want = step(look);
    while (want.need == LOOK_SAYS && want.text.n == 0);
    return want;
}

static void take_log_names(struct look *look, struct bytes names)
{
    buffer_put(&look->names, names);
    look->phase = PHASE_BODY_NAMES;
}

static void take_body_names(struct look *look, struct bytes names)
{
    look->inspect = look->names.bad ? NULL : inspect_new(buffer_bytes(&look->names), names);
    look->phase = PHASE_SCAN;
}

void look_give(struct look *look, struct bytes octets)
{
    switch (look->phase) {
    case PHASE_LOG_NAMES:
        take_log_names(look, octets);
        break;
    case PHASE_BODY_NAMES:
        take_body_names(look, octets);
        break;
    case PHASE_HISTORY_NAMES:
        buffer_put(&look->names, octets);
        look->phase = PHASE_SEARCH;
        break;
    case PHASE_SCAN:
    case PHASE_TAKING:
        inspect_give(look->inspect, octets);
        break;
    case PHASE_SEARCH:
        history_search_give(look->search, octets);
        break;
    case PHASE_TAKE:
    case PHASE_OVER:
        break;
    }
}

/* SPDX-License-Identifier: ISC */
#include "role/once_int.h"

static const char *state_name(enum store_state state)
{
    static const char *const names[] = {
        [STORE_CLOSED] = "closed", [STORE_OPEN] = "open", [STORE_LOW] = "low",
        [STORE_READ_ONLY] = "read-only",
    };

    return names[state];
}

static const char *state_words(enum store_state state)
{
    static const char *const words[] = {
        [STORE_CLOSED] = "It is not ready yet: no letter is taken.",
        [STORE_OPEN] = "It takes letters.",
        [STORE_LOW] = "Its disk is nearly full: letters are refused for now (452 4.3.1).",
        [STORE_READ_ONLY] = "Its disk failed: letters are refused for now (451 4.3.0).",
    };

    return words[state];
}

static size_t fronts_of(const struct web_figures *figures)
{
    size_t n = 0;

    for (size_t i = 0; i < LIMIT_FRONTS; i++)
        n += figures->front_known[i];
    return n;
}

static void put_sessions(const struct web_figures *figures, struct buffer *to)
{
    struct web_front_figures sum = web_sum_fronts(figures);

    once_put_count(to, sum.sessions, "client");
    buffer_put(to, BYTES(" connected of at most "));
    buffer_put_uint(to, sum.sessions_most);
    buffer_put(to, BYTES(", at "));
    once_put_count(to, fronts_of(figures), "front");
    buffer_put_text(to, sum.stressed > 0 ? "; nearly full.\n" : ".\n");
}

static void put_status_json(enum store_state state, const struct wire_status_is *status,
                            const struct web_figures *figures, struct buffer *to)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "state", bytes_of(state_name(state)));
    once_json_moment(&json, "since", status->since_ms);
    json_put_uint(&json, "queued", status->letters);
    json_put_uint(&json, "accepted", status->accepted);
    json_put_uint(&json, "delivered", status->delivered);
    json_put_uint(&json, "deferred", status->deferred);
    json_put_uint(&json, "failed", status->failed);
    if (fronts_of(figures) > 0) {
        struct web_front_figures sum = web_sum_fronts(figures);
        json_put_uint(&json, "sessions", sum.sessions);
        json_put_uint(&json, "sessions_limit", sum.sessions_most);
        json_put_uint(&json, "fronts", fronts_of(figures));
    }
    json_put_object_end(&json);
    json_line_end(&json);
}

void once_status(const struct once_style *style, enum store_state state,
                 const struct wire_status_is *status, const struct web_figures *figures,
                 struct buffer *to)
{
    if (style->json) {
        put_status_json(state, status, figures, to);
        return;
    }
    buffer_put(to, BYTES("The store runs since "));
    once_put_moment(to, style, status->since_ms);
    buffer_put(to, BYTES(". "));
    buffer_put_text(to, state_words(state));
    buffer_put_char(to, '\n');
    once_put_count(to, status->letters, "letter");
    buffer_put(to, BYTES(" in the queue.\n"));
    if (fronts_of(figures) > 0)
        put_sessions(figures, to);
    buffer_put(to, BYTES("Since then: "));
    once_put_count(to, status->accepted, "letter");
    buffer_put(to, BYTES(" accepted; "));
    once_put_count(to, status->delivered, "recipient");
    buffer_put(to, BYTES(" delivered; "));
    once_put_count(to, status->deferred, "attempt");
    buffer_put(to, BYTES(" to be repeated, "));
    buffer_put_uint(to, status->failed);
    buffer_put(to, BYTES(" failed for good.\n"));
}

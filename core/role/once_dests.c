/* SPDX-License-Identifier: ISC
 *
 * `postern queue --destinations`: the queue, gathered by the recipients' domains; and what a
 * suspension and its end say.
 */
#include "role/once.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "mail/domain.h"
#include "role/once_int.h"

#include <string.h>

enum { DESTS_MOST = 4096, DESTS_TABLE = 2 * DESTS_MOST };

struct dest_row {
    struct buffer name, note, reason;   /* note: the last error */
    uint64_t waiting, held, at_work;
    uint64_t next_ms, noted_ms;         /* 0: none */
    bool suspended;
    uint64_t since_ms, until_ms;
    uint32_t uid;
};

struct once_dests {
    struct dest_row *list;              /* the last one: all for whom there was no room */
    uint16_t *table;                    /* places + 1, by the hash of the name */
    size_t n;
};

struct once_dests *once_dests_new(void)
{
    struct once_dests *dests = mem_new(sizeof(*dests));

    if (dests == NULL)
        return NULL;
    dests->list = mem_new(DESTS_MOST * sizeof(*dests->list));
    dests->table = mem_new(DESTS_TABLE * sizeof(*dests->table));
    if (dests->list == NULL || dests->table == NULL) {
        once_dests_free(dests);
        return NULL;
    }
    return dests;
}

void once_dests_free(struct once_dests *dests)
{
    if (dests == NULL)
        return;
    for (size_t i = 0; i < dests->n; i++) {
        buffer_done(&dests->list[i].name);
        buffer_done(&dests->list[i].note);
        buffer_done(&dests->list[i].reason);
    }
    mem_free(dests->list);
    mem_free(dests->table);
    mem_free(dests);
}

bool once_destination_put(struct buffer *to, struct bytes domain)
{
    size_t before = to->n;

    if (bytes_begins(domain, BYTES("["))) {
        buffer_put(to, domain);
        for (size_t i = before; i < to->n && !to->bad; i++)
            to->at[i] = (char)to_lower(to->at[i]);
        return domain.n > 2 && bytes_ends(domain, BYTES("]"));
    }
    if (!domain_to_ascii(domain, to))
        return false;
    for (size_t i = before; i < to->n && !to->bad; i++)
        if (!is_alnum(to->at[i]) && to->at[i] != '-' && to->at[i] != '.' && to->at[i] != '_')
            return false;
    return true;
}

/* ---- gathered */

static struct dest_row *row_of(struct once_dests *dests, struct bytes name)
{
    static const uint8_t fixed[16] = "postern: dests..";
    size_t at = siphash(fixed, name) % DESTS_TABLE;

    while (dests->table[at] != 0) {
        struct dest_row *row = &dests->list[dests->table[at] - 1];
        if (bytes_equal(buffer_bytes(&row->name), name))
            return row;
        at = (at + 1) % DESTS_TABLE;
    }
    if (dests->n == DESTS_MOST)
        return &dests->list[DESTS_MOST - 1];
    struct dest_row *row = &dests->list[dests->n++];
    *row = (struct dest_row){ .name = buffer_with_most(LIMIT_PATH),
                              .note = buffer_with_most(ONCE_WORDS_MOST),
                              .reason = buffer_with_most(ONCE_WORDS_MOST) };
    buffer_put(&row->name, dests->n == DESTS_MOST ? BYTES("others") : name);
    dests->table[at] = (uint16_t)dests->n;
    return row;
}

void once_dests_add(struct once_dests *dests, const struct wire_queue_row *row)
{
    struct bytes address = once_address(row->to);
    struct buffer name = buffer_with_most(LIMIT_PATH);
    struct bytes domain = bytes_skip(address, bytes_find_last(address, '@') + 1);

    if (!once_destination_put(&name, domain) || name.bad) {
        buffer_clear(&name);
        buffer_put(&name, bytes_first(domain, LIMIT_PATH));
    }
    struct dest_row *dest = row_of(dests, buffer_bytes(&name));
    dest->held += row->held != 0;
    dest->at_work += row->at_work != 0;
    dest->waiting += row->held == 0 && row->at_work == 0;
    if (row->held == 0 && row->at_work == 0 && (dest->next_ms == 0 || row->due_ms < dest->next_ms))
        dest->next_ms = row->due_ms;
    if (row->note.n > 0 && row->noted_ms >= dest->noted_ms) {
        dest->noted_ms = row->noted_ms;
        buffer_clear(&dest->note);
        buffer_put(&dest->note, bytes_first(row->note, ONCE_WORDS_MOST));
    }
    buffer_done(&name);
}

void once_dests_hold(struct once_dests *dests, const struct wire_hold_row *hold)
{
    struct dest_row *dest = row_of(dests, bytes_first(hold->destination, LIMIT_PATH));

    dest->suspended = true;
    dest->since_ms = hold->since_ms;
    dest->until_ms = hold->until_ms;
    dest->uid = hold->uid;
    buffer_clear(&dest->reason);
    buffer_put(&dest->reason, bytes_first(hold->reason, ONCE_WORDS_MOST));
}

/* ---- shown */

static void json_moment(struct json *json, const char *key, uint64_t wall_ms)
{
    if (wall_ms != 0) {
        once_json_moment(json, key, wall_ms);
        return;
    }
    json_key(json, key);
    json_put_null(json);
}

static void put_json(const struct dest_row *dest, struct buffer *to)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "destination", buffer_bytes(&dest->name));
    json_put_uint(&json, "waiting", dest->waiting);
    json_put_uint(&json, "in_flight", dest->at_work);
    json_put_uint(&json, "held", dest->held);
    json_moment(&json, "next_attempt", dest->next_ms);
    json_put_text(&json, "last_error", buffer_bytes(&dest->note));
    json_moment(&json, "last_error_at", dest->noted_ms);
    json_put_bool(&json, "suspended", dest->suspended);
    if (dest->suspended) {
        json_moment(&json, "suspended_since", dest->since_ms);
        json_moment(&json, "suspended_until", dest->until_ms);
        json_put_uint(&json, "suspended_by", dest->uid);
        json_put_text(&json, "suspended_why", buffer_bytes(&dest->reason));
    }
    json_put_object_end(&json);
    json_line_end(&json);
}

static void put_suspended(const struct once_style *style, const struct dest_row *dest,
                          struct buffer *to)
{
    buffer_put(to, BYTES("    suspended by uid "));
    buffer_put_uint(to, dest->uid);
    buffer_put(to, BYTES(" at "));
    once_put_moment(to, style, dest->since_ms);
    if (dest->until_ms != 0) {
        buffer_put(to, BYTES(", until "));
        once_put_moment(to, style, dest->until_ms);
    } else {
        buffer_put(to, BYTES(", until it is resumed"));
    }
    if (dest->reason.n > 0) {
        buffer_put(to, BYTES(": "));
        once_put_words(to, buffer_bytes(&dest->reason));
    }
    buffer_put_char(to, '\n');
}

static void put_text(const struct once_style *style, const struct dest_row *dest,
                     struct buffer *to)
{
    once_put_words(to, buffer_bytes(&dest->name));
    buffer_put(to, BYTES("  "));
    buffer_put_uint(to, dest->waiting);
    buffer_put(to, BYTES(" waiting, "));
    buffer_put_uint(to, dest->at_work);
    buffer_put(to, BYTES(" in flight"));
    if (dest->held > 0) {
        buffer_put(to, BYTES(", "));
        buffer_put_uint(to, dest->held);
        buffer_put(to, BYTES(" held"));
    }
    if (dest->next_ms != 0) {
        buffer_put(to, BYTES(", next try at "));
        once_put_moment(to, style, dest->next_ms);
    }
    buffer_put_char(to, '\n');
    if (dest->suspended)
        put_suspended(style, dest, to);
    if (dest->note.n > 0) {
        buffer_put(to, BYTES("    last error: "));
        once_put_words(to, buffer_bytes(&dest->note));
        buffer_put_char(to, '\n');
    }
}

bool once_dests_put(const struct once_dests *dests, const struct once_style *style, size_t i,
                    struct buffer *to)
{
    if (i >= dests->n) {
        if (dests->n == 0 && !style->json)
            buffer_put(to, BYTES("Nothing waits, and no destination is suspended.\n"));
        return false;
    }
    if (style->json)
        put_json(&dests->list[i], to);
    else
        put_text(style, &dests->list[i], to);
    return true;
}

/* ---- suspend, resume */

void once_held_put(const struct once_style *style, const struct once_request *request,
                   uint64_t until_ms, struct buffer *to)
{
    bool on = request->verb == ONCE_SUSPEND;

    if (style->json) {
        struct json json = json_to(to);
        json_put_object(&json);
        json_put_text(&json, "verb", bytes_of(once_verb_word(request->verb)));
        json_put_text(&json, "destination", request->destination);
        if (on)
            json_moment(&json, "suspended_until", until_ms);
        json_put_object_end(&json);
        json_line_end(&json);
        return;
    }
    buffer_put(to, BYTES("Mail for "));
    once_put_words(to, request->destination);
    buffer_put_text(to, !on ? " goes out again.\n"
                    : until_ms == 0 ? " waits until it is resumed" : " waits until ");
    if (on && until_ms != 0)
        once_put_moment(to, style, until_ms);
    if (on)
        buffer_put(to, BYTES("; what is on its way to a server already is not stopped.\n"));
}

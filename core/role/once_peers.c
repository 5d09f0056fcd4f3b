/* SPDX-License-Identifier: ISC
 *
 * role/once_peers.c: postern peers: the best TLS ever seen at each destination, and what it has
 * now.
 */
#include "base/safe.h"
#include "plan/conf.h"
#include "role/once_int.h"

static void put_json(const struct ledger_entry *entry, struct buffer *to)
{
    struct json json = json_to(to);

    json_put_object(&json);
    json_put_text(&json, "destination", conf_destination_shown(entry->name));
    json_put_text(&json, "best", bytes_of(ledger_level_name(entry->best)));
    json_put_text(&json, "now", bytes_of(ledger_level_name(entry->now)));
    once_json_moment(&json, "first", entry->first_ms);
    once_json_moment(&json, "best-last", entry->best_ms);
    once_json_moment(&json, "since", entry->since_ms);
    if (entry->clear_ms != 0)
        once_json_moment(&json, "first-clear", entry->clear_ms);
    if (entry->missed_ms != 0)
        once_json_moment(&json, "missed-since", entry->missed_ms);
    if (entry->why.n > 0)
        json_put_text(&json, "why", entry->why);
    json_put_object_end(&json);
    json_line_end(&json);
}

static void put_text(const struct once_style *style, const struct ledger_entry *entry,
                     struct buffer *to)
{
    safe_put_plain(to, conf_destination_shown(entry->name));
    buffer_put_text(to, ": ");
    buffer_put_text(to, ledger_level_name(entry->now));
    buffer_put_text(to, " since ");
    once_put_moment(to, style, entry->since_ms);
    if (entry->now < entry->best) {
        buffer_put_text(to, "\n    it was better: ");
        buffer_put_text(to, ledger_level_name(entry->best));
        buffer_put_text(to, ", last ");
        once_put_moment(to, style, entry->best_ms);
    }
    if (entry->missed_ms != 0) {
        buffer_put_text(to, "\n    TLS is missed since ");
        once_put_moment(to, style, entry->missed_ms);
        buffer_put_text(to, ", and mail waits for it");
    }
    if (entry->why.n > 0) {
        buffer_put_text(to, "\n    ");
        once_put_words(to, entry->why);
    }
    buffer_put_char(to, '\n');
}

void once_peer_row(const struct once_style *style, struct bytes saved, struct buffer *to)
{
    struct ledger_entry entry;

    if (!ledger_entry_read(saved, &entry))
        to->bad = true;
    else if (style->json)
        put_json(&entry, to);
    else
        put_text(style, &entry, to);
}

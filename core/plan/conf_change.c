/* SPDX-License-Identifier: ISC */
#include "plan/conf_change.h"

#include "base/safe.h"
#include "plan/conf_int.h"

enum { VALUE_MOST = 4 * LIMIT_CONF_BYTES };     /* escaped */

/* What is opened or made before anything else runs. */
static bool is_fixed(size_t i)
{
    static const uint8_t fixed[] = {
        CONF_AT_mailboxes, CONF_AT_spool, CONF_AT_control, CONF_AT_log, CONF_AT_fronts,
        CONF_AT_segment, CONF_AT_users, CONF_AT_certificates, CONF_AT_web,
        CONF_AT_submit,
        CONF_AT_resolver, CONF_AT_trust_anchor,
    };

    for (size_t at = 0; at < COUNT(fixed); at++)
        if (fixed[at] == i)
            return true;
    return false;
}

static const void *field_of(const struct conf *conf, size_t i)
{
    return (const char *)conf + conf_settings[i].field;
}

/* ---- values as they are written in the file */

/* The number in the largest unit that divides it. */
static void put_in_unit(struct buffer *to, uint64_t number, const uint64_t *sizes,
                        const char *const *units, size_t n)
{
    size_t i = 0;

    while (i + 1 < n && (number == 0 || number % sizes[i] != 0))
        i++;
    buffer_put_uint(to, number / sizes[i]);
    buffer_put_text(to, units[i]);
}

static void put_size(struct buffer *to, uint64_t octets)
{
    static const uint64_t sizes[] = { 1 << 30, 1 << 20, 1 << 10, 1 };
    static const char *const units[] = { "G", "M", "K", "" };

    put_in_unit(to, octets, sizes, units, COUNT(sizes));
}

static void put_span(struct buffer *to, uint64_t ms)
{
    static const uint64_t sizes[] = { 86400000, 3600000, 60000, 1000, 1 };
    static const char *const units[] = { "d", "h", "m", "s", "ms" };

    put_in_unit(to, ms, sizes, units, COUNT(sizes));
}

static void put_spans(struct buffer *to, const struct conf_spans *spans)
{
    for (size_t i = 0; i < spans->n; i++) {
        if (i > 0)
            buffer_put_char(to, ' ');
        put_span(to, spans->ms[i]);
    }
}

static void put_list(struct buffer *to, const struct conf_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (i > 0)
            buffer_put_char(to, ' ');
        safe_put_plain(to, texts->list[i]);
    }
}

static void put_listens(struct buffer *to, const struct conf *conf, const struct conf_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (i > 0)
            buffer_put_char(to, ' ');
        safe_put_plain(to, texts->list[i]);
        if (conf_listen_is_tls(conf, (uint32_t)i))
            buffer_put(to, BYTES(" tls"));
    }
}

static void put_value(struct buffer *to, const struct conf *conf, size_t i)
{
    const void *field = field_of(conf, i);

    switch (conf_settings[i].kind) {
    case CONF_name: case CONF_path: case CONF_sign: case CONF_mail:
        safe_put_plain(to, *(const struct bytes *)field);
        break;
    case CONF_listens: put_listens(to, conf, field); break;
    case CONF_names: case CONF_routes: case CONF_nets: case CONF_webs:
    case CONF_servers: case CONF_hops: case CONF_policies: case CONF_fors:
        put_list(to, field);
        break;
    case CONF_count: buffer_put_uint(to, *(const uint64_t *)field); break;
    case CONF_size: put_size(to, *(const uint64_t *)field); break;
    case CONF_span: put_span(to, *(const uint64_t *)field); break;
    case CONF_spans: put_spans(to, field); break;
    case CONF_flag: buffer_put_text(to, *(const bool *)field ? "yes" : "no"); break;
    case CONF_KINDS: break;
    }
}

/* ---- the difference */

/* A value too long to be shown whole is shown in part. */
static void put_shown(struct buffer *to, const struct buffer *value)
{
    enum { SHOWN_MOST = 400 };

    buffer_put(to, value->n == 0 ? BYTES("(none)")
                                 : bytes_first(buffer_bytes(value), SHOWN_MOST));
    if (value->n > SHOWN_MOST)
        buffer_put(to, BYTES("..."));
}

/* True when they differ. */
static bool put_change(struct buffer *to, const struct conf *before, const struct conf *after,
                       size_t i)
{
    struct buffer was = buffer_with_most(VALUE_MOST), is = buffer_with_most(VALUE_MOST);

    put_value(&was, before, i);
    put_value(&is, after, i);
    bool differs = !bytes_equal(buffer_bytes(&was), buffer_bytes(&is));
    if (differs) {
        buffer_put_text(to, conf_settings[i].word);
        buffer_put(to, BYTES(": "));
        put_shown(to, &was);
        buffer_put(to, BYTES(" -> "));
        put_shown(to, &is);
        buffer_put_text(to, is_fixed(i) ? " (needs a restart)\n" : "\n");
    }
    buffer_done(&was);
    buffer_done(&is);
    return differs;
}

size_t conf_put_changes(struct buffer *to, const struct conf *before, const struct conf *after)
{
    size_t n = 0;

    for (size_t i = 0; i < CONF_SETTINGS; i++)
        n += put_change(to, before, after, i);
    return n;
}

/* ---- what stays */

static bool keep_path(const struct bytes *from, struct arena *arena, struct bytes *to)
{
    *to = from->n == 0 ? BYTES_NONE : arena_copy(arena, *from);
    return from->n == 0 || to->at != NULL;
}

static bool keep_texts(const struct conf_texts *from, struct arena *arena, struct conf_texts *to)
{
    struct bytes *list = from->n == 0 ? NULL : arena_take(arena, from->n * sizeof(*list));

    if (from->n > 0 && list == NULL)
        return false;
    for (size_t i = 0; i < from->n; i++)
        if (!keep_path(&from->list[i], arena, &list[i]))
            return false;
    *to = (struct conf_texts){ list, from->n };
    return true;
}

bool conf_keep_fixed(const struct conf *before, struct arena *arena, struct conf *after)
{
    after->fronts = before->fronts;
    after->segment = before->segment;
    after->users = before->users;
    return keep_path(&before->mailboxes, arena, &after->mailboxes)
        && keep_path(&before->spool, arena, &after->spool)
        && keep_path(&before->control, arena, &after->control)
        && keep_path(&before->certificates, arena, &after->certificates)
        && keep_path(&before->log, arena, &after->log)
        && keep_texts(&before->web, arena, &after->web);
}

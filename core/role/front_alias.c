/* SPDX-License-Identifier: ISC
 *
 * role/front_alias.c: which recipients a letter has, when all aliases are followed.
 *
 * Aliases are followed where a letter is taken: what the store keeps are the addresses that it is
 * for. The one that the client named stays with each as its original recipient (RFC 3461, 5.2.7),
 * so that a report can speak of it.
 */
#include "role/front_int.h"

#include "base/hash.h"
#include "base/reader.h"
#include "mail/xtext.h"

#include <string.h>

static size_t count_blocks(struct bytes blocks)
{
    struct reader in = reader_of(blocks);
    size_t n = 0;

    for (; !reader_empty(&in); n++)
        (void)read_block(&in);
    return n;
}

enum smtp_verdict alias_take(struct front *front, struct session *session, size_t targets)
{
    size_t taken = smtp_server_recipients(session->smtp);

    if (taken == 0)
        session->targets = 0;
    if (session->targets + targets > LIMIT_RECIPIENTS_MOST)
        return SMTP_NO_SPACE;
    session->hows.n = session->hows.n < taken ? session->hows.n : taken;
    buffer_put_char(&session->hows, (char)session->how);
    if (session->hows.bad) {
        buffer_clear(&session->hows);
        return SMTP_NOT_NOW;
    }
    session->targets += targets;
    return SMTP_YES;
}

bool alias_decides(struct front *front, struct session *session, enum smtp_verdict *ret_verdict)
{
    enum route_verdict verdict;

    buffer_clear(&front->targets);
    verdict = routes_expand(front->routes, session->rcpt.whole, session->how == HOW_MISSING,
                            &front->targets);
    switch (verdict) {
    case ROUTES_SAME: return false;
    case ROUTES_CHANGED:
        *ret_verdict = alias_take(front, session, count_blocks(buffer_bytes(&front->targets)));
        return true;
    case ROUTES_LOOP: *ret_verdict = SMTP_LOOP; return true;
    case ROUTES_MANY: *ret_verdict = SMTP_NO_SPACE; return true;
    case ROUTES_NO_MEMORY: *ret_verdict = SMTP_NOT_NOW; return true;
    }
    return false;
}

/* ---- a letter's recipients */

/* Was it there before? If not, it is now. */
static bool is_double(struct front *front, struct bytes text)
{
    struct address address;
    uint64_t hash, other;

    buffer_clear(&front->address);
    if (address_parse(text, true, &address, NULL))
        address_put_normal(&front->address, address);
    else
        buffer_put(&front->address, text);
    hash = siphash(front->key, buffer_bytes(&front->address));
    for (size_t at = 0; at < front->hashes.n; at += sizeof(other)) {
        memcpy(&other, front->hashes.at + at, sizeof(other));
        if (other == hash)
            return true;
    }
    buffer_put(&front->hashes, (struct bytes){ (const char *)&hash, sizeof(hash) });
    return false;
}

static void put_entry(struct front *front, const struct recipient *recipient)
{
    buffer_clear(&front->to);
    recipient_put(&front->to, recipient);
    buffer_put_block(&front->expanded, buffer_bytes(&front->to));
    if (front->to.bad)
        front->expanded.bad = true;
}

static enum how how_of(const struct session *session, size_t i)
{
    return i < session->hows.n ? (enum how)session->hows.at[i] : HOW_SELF;
}

/* For whom the i-th recipient stands, as blocks in front->targets. */
static void put_targets(struct front *front, enum how how, struct bytes address)
{
    struct buffer base = buffer_with_most(4 * LIMIT_PATH);

    buffer_clear(&front->targets);
    if (how == HOW_BASE && routes_base(front->routes, address, &base))
        buffer_put_block(&front->targets, buffer_bytes(&base));
    else if (how != HOW_ALIAS && how != HOW_MISSING)
        buffer_put_block(&front->targets, address);
    else if (routes_expand(front->routes, address, how == HOW_MISSING, &front->targets)
             != ROUTES_CHANGED)
        front->expanded.bad = true;
    if (front->targets.bad || base.bad)
        front->expanded.bad = true;
    buffer_done(&base);
}

bool alias_was_here(struct front *front, const struct session *session,
                    const struct header_scan *scan)
{
    size_t n = smtp_server_recipients(session->smtp);
    bool was = false;

    for (size_t i = 0; i < n && !was; i++) {
        enum how how = how_of(session, i);
        if (how == HOW_SELF)
            continue;
        put_targets(front, how, smtp_server_recipient(session->smtp, i));
        struct reader in = reader_of(buffer_bytes(&front->targets));
        while (!reader_empty(&in) && !was)
            was = header_scan_was_delivered_to(scan, read_block(&in));
    }
    return was;
}

void alias_expand(struct front *front, const struct session *session)
{
    size_t n = smtp_server_recipients(session->smtp);
    struct buffer original = buffer_with_most(ORCPT_MOST);

    buffer_clear(&front->expanded);
    buffer_clear(&front->hashes);
    for (size_t i = 0; i < n && !front->expanded.bad; i++) {
        struct bytes named = smtp_server_recipient(session->smtp, i);
        struct recipient recipient = { .notify = smtp_server_notify(session->smtp, i),
                                       .orcpt = smtp_server_orcpt(session->smtp, i) };
        enum how how = how_of(session, i);

        put_targets(front, how, named);
        buffer_clear(&original);
        if (recipient.orcpt.n == 0 && how != HOW_SELF) {
            orcpt_put(&original, named);
            recipient.orcpt = original.bad ? BYTES_NONE : buffer_bytes(&original);
        }
        struct reader in = reader_of(buffer_bytes(&front->targets));
        while (!reader_empty(&in) && !front->expanded.bad) {
            recipient.address = read_block(&in);
            if ((how == HOW_SELF && n == 1) || !is_double(front, recipient.address))
                put_entry(front, &recipient);
        }
    }
    if (front->hashes.bad)
        front->expanded.bad = true;
    buffer_done(&original);
}

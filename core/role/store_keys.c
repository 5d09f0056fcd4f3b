/* SPDX-License-Identifier: ISC */
#include "role/store_int.h"

#include "base/reader.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/xtext.h"
#include "queue/history.h"

static void put_key(struct store *store, enum history_by by, struct bytes text)
{
    uint64_t key = history_key(by, text);

    buffer_put(&store->keys, (struct bytes){ (const char *)&key, sizeof(key) });
}

/* An address under its normal form; what does not parse under what it is. */
static void put_address(struct store *store, struct bytes text)
{
    struct address address;

    buffer_clear(&store->normal);
    if (!address_parse(text, true, &address, NULL)) {
        put_key(store, HISTORY_BY_ADDRESS, text);
        return;
    }
    address_put_normal(&store->normal, address);
    put_key(store, HISTORY_BY_ADDRESS, buffer_bytes(&store->normal));
}

/* As a report says it again: decoded (RFC 3464, 2.2.1). */
static void put_envid(struct store *store, struct bytes envid)
{
    buffer_clear(&store->normal);
    if (xtext_decode(envid, &store->normal))
        put_key(store, HISTORY_BY_ENVID, buffer_bytes(&store->normal));
}

struct queue_keys store_keys(struct store *store, struct bytes head, struct bytes to)
{
    struct reader in = reader_of(to);
    struct envelope envelope;
    struct recipient recipient;

    buffer_clear(&store->keys);
    if (envelope_read(head, &envelope)) {
        if (envelope.message_id.n > 0)
            put_key(store, HISTORY_BY_MESSAGE_ID, envelope.message_id);
        if (envelope.envid.n > 0)
            put_envid(store, envelope.envid);
        if (envelope.sender.n > 0)
            put_address(store, envelope.sender);
    }
    while (reader_ok(&in) && !reader_empty(&in))
        if (recipient_read(read_block(&in), &recipient))
            put_address(store, recipient.address);
    struct bytes keys = buffer_bytes(&store->keys);
    return (struct queue_keys){ (const uint64_t *)(const void *)keys.at,
                                keys.n / sizeof(uint64_t) };
}

/* SPDX-License-Identifier: ISC */
#include "queue/history.h"

#include "base/hash.h"
#include "base/reader.h"

enum { EVENT_VERSION = 1 };

void history_put(struct buffer *to, const struct history_event *event)
{
    buffer_put_u8(to, EVENT_VERSION);
    buffer_put_u8(to, (uint8_t)event->what);
    buffer_put_u64(to, event->id);
    buffer_put_u64(to, event->at_ms);
    buffer_put_u64(to, event->begun_ms);
    buffer_put_u64(to, event->size);
    buffer_put_u32(to, event->recipient);
    buffer_put_u32(to, event->attempt);
    buffer_put_u64(to, event->due_ms);
    buffer_put_u8(to, event->class);
    buffer_put_u16(to, event->subject);
    buffer_put_u16(to, event->detail);
    buffer_put_block(to, event->head);
    buffer_put_block(to, event->to);
    buffer_put(to, event->words);
}

bool history_read(struct bytes text, struct history_event *ret_event)
{
    struct reader in = reader_of(text);
    struct history_event event = { 0 };
    bool known = read_u8(&in) == EVENT_VERSION;

    event.what = (enum history_what)read_u8(&in);
    event.id = read_u64(&in);
    event.at_ms = read_u64(&in);
    event.begun_ms = read_u64(&in);
    event.size = read_u64(&in);
    event.recipient = read_u32(&in);
    event.attempt = read_u32(&in);
    event.due_ms = read_u64(&in);
    event.class = read_u8(&in);
    event.subject = read_u16(&in);
    event.detail = read_u16(&in);
    event.head = read_block(&in);
    event.to = read_block(&in);
    event.words = read_rest(&in);
    if (!known || !reader_ok(&in) || event.what < HISTORY_ACCEPTED || event.what >= HISTORY_WHATS)
        return false;
    *ret_event = event;
    return true;
}

uint64_t history_key(enum history_by by, struct bytes text)
{
    const uint8_t key[16] = { 'h', 'i', 's', 't', 'o', 'r', 'y', (uint8_t)by };

    return siphash(key, text);
}

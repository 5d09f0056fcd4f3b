/* SPDX-License-Identifier: ISC */
#include "queue/record_int.h"

#include "base/hash.h"
#include "base/plant.h"
#include "base/reader.h"

#include <assert.h>
#include <string.h>

/* A cursor that writes into room that was reserved beforehand. */
static char *put(char *at, uint64_t number, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (char)(uint8_t)(number >> (8 * i));
    return at + n;
}

static char *put_octets(char *at, struct bytes text)
{
    if (text.n > 0)
        memcpy(at, text.at, text.n);
    return at + text.n;
}

static char *put_block(char *at, struct bytes text)
{
    return put_octets(put(at, text.n, 4), text);
}

/* Asserted where a record is written; the same is tested where one is read. */
static bool sound(const struct record *record)
{
    return record->kind > RECORD_NONE && record->kind < RECORD_KINDS
        && record->length <= LIMIT_RECORD_BYTES && record->durable <= record->lsn
        && (record->flags & ~(RECORD_MORE | RECORD_GOES_ON)) == 0
        && lsn_offset(record->lsn) >= SEGMENT_HEAD && record->lsn % 8 == 0;
}

void record_finish(char *at, const struct record *record, const uint8_t key[static STORE_KEY])
{
    size_t whole = record_size(record->length);
    char *to = at;

    assert(sound(record));
    to = put(to, record->lsn, 8);
    to = put(to, record->length, 4);
    to = put(to, (uint64_t)record->kind, 1);
    to = put(to, record->flags, 1);
    to = put(to, 0, 2);
    to = put(to, record->epoch, 4);
    to = put(to, 0, 4);
    to = put(to, record->durable, 8);
    to = put(to, record->id, 8);
    to = put(to, siphash(key, (struct bytes){ at, 40 }), 8);
    memset(at + RECORD_HEAD + record->length, 0, whole - RECORD_HEAD - record->length);
    uint32_t crc = crc32c(0, (struct bytes){ at, 48 });
    crc = crc32c(crc, (struct bytes){ at + RECORD_HEAD, whole - RECORD_HEAD });
    put(put(to, crc, 4), 0, 4);
}

enum record_is record_read(struct bytes text, uint64_t lsn, const uint8_t key[static STORE_KEY],
                           struct record *ret_record)
{
    struct reader in = reader_of(text);
    struct record record = { .lsn = read_u64(&in) };

    if (record.lsn != lsn || text.n < RECORD_HEAD)
        return RECORD_IS_NOT;
    record.length = read_u32(&in);
    record.kind = read_u8(&in);
    record.flags = read_u8(&in);
    uint32_t zero = read_u16(&in);
    record.epoch = read_u32(&in);
    zero |= read_u32(&in);
    record.durable = read_u64(&in);
    record.id = read_u64(&in);
    uint64_t check = read_u64(&in);
    uint32_t crc = read_u32(&in);
    bool clean = read_u32(&in) == 0;
    if (zero != 0 || !sound(&record) || check != siphash(key, bytes_first(text, 40)))
        return RECORD_IS_NOT;
    *ret_record = record;
    if (text.n < record_size(record.length))
        return RECORD_IS_SHORT;
    uint32_t is = crc32c(0, bytes_first(text, 48));
    struct bytes rest = { text.at + RECORD_HEAD, record_size(record.length) - RECORD_HEAD };
    if ((!clean || crc32c(is, rest) != crc) && !PLANTED(torn_tail_accepted))
        return RECORD_IS_BROKEN;
    ret_record->payload = bytes_first(rest, record.length);
    return RECORD_IS_WHOLE;
}

enum { HEAD_COPY = 64, HEAD_SECOND = 2048, HEAD_VERSION = 1 };
static const struct bytes magic = BYTES_INIT("PSTNLOG\n");

static void head_copy(char *at, const struct segment_head *head)
{
    char *to = put_octets(at, magic);

    to = put(to, HEAD_VERSION, 4);
    to = put(to, head->number, 4);
    to = put_octets(to, (struct bytes){ (const char *)head->key, STORE_KEY });
    to = put(to, head->epoch, 4);
    to = put(to, head->last_id, 8);
    to = put(to, head->wall_ms, 8);
    put(to, siphash(head->key, (struct bytes){ at, 52 }), 8);
    put(at + 60, crc32c(0, (struct bytes){ at, 60 }), 4);
}

void segment_head_write(char ret_page[static SEGMENT_HEAD], const struct segment_head *head)
{
    memset(ret_page, 0, SEGMENT_HEAD);
    head_copy(ret_page, head);
    head_copy(ret_page + HEAD_SECOND, head);
}

static bool head_read_copy(struct bytes text, struct segment_head *ret_head)
{
    struct reader in = reader_of(bytes_first(text, HEAD_COPY));
    struct segment_head head = { 0 };

    bool known = bytes_equal(read_bytes(&in, magic.n), magic) && read_u32(&in) == HEAD_VERSION;
    head.number = read_u32(&in);
    struct bytes key = read_bytes(&in, STORE_KEY);
    head.epoch = read_u32(&in);
    head.last_id = read_u64(&in);
    head.wall_ms = read_u64(&in);
    uint64_t check = read_u64(&in);
    uint32_t crc = read_u32(&in);
    if (!known || !reader_ok(&in) || crc != crc32c(0, bytes_first(text, 60)))
        return false;
    memcpy(head.key, key.at, STORE_KEY);
    if (check != siphash(head.key, bytes_first(text, 52)))
        return false;
    *ret_head = head;
    return true;
}

bool segment_head_read(struct bytes page, struct segment_head *ret_head, bool *ret_damaged)
{
    struct segment_head second;
    bool one = head_read_copy(page, ret_head);
    bool two = head_read_copy(bytes_skip(page, HEAD_SECOND), &second);

    if (ret_damaged != NULL)
        *ret_damaged = !one || !two;
    if (!one && two)
        *ret_head = second;
    return one || two;
}

enum { PAYLOAD_VERSION = 1 };

void letter_record_write(char *ret_payload, const struct letter_record *letter)
{
    char *to = put(ret_payload, PAYLOAD_VERSION, 1);

    to = put(to, letter->flags, 1);
    to = put(to, letter->recipients, 4);
    to = put(to, letter->crc, 4);
    to = put(to, letter->received_ms, 8);
    to = put(to, letter->size, 8);
    to = put(to, letter->body, 8);
    to = put_block(to, letter->head);
    to = put_block(to, letter->to);
    put_octets(to, letter->text);
}

bool letter_record_read(struct bytes payload, struct letter_record *ret_letter)
{
    struct reader in = reader_of(payload);
    struct letter_record letter = { 0 };
    bool known = read_u8(&in) == PAYLOAD_VERSION;
    uint32_t recipients = 0;

    letter.flags = read_u8(&in);
    letter.recipients = read_u32(&in);
    letter.crc = read_u32(&in);
    letter.received_ms = read_u64(&in);
    letter.size = read_u64(&in);
    letter.body = read_u64(&in);
    letter.head = read_block(&in);
    letter.to = read_block(&in);
    letter.text = read_rest(&in);
    bool in_body = (letter.flags & LETTER_BODY) != 0;
    if (!known || !reader_ok(&in) || !recipients_count(letter.to, &recipients)
        || recipients != letter.recipients || in_body != (letter.body != 0)
        || (in_body ? letter.text.n != 0 : letter.text.n != letter.size))
        return false;
    *ret_letter = letter;
    return true;
}

bool recipients_count(struct bytes to, uint32_t *ret_count)
{
    struct reader in = reader_of(to);
    uint32_t count = 0;

    while (reader_ok(&in) && !reader_empty(&in)) {
        read_block(&in);
        count++;
    }
    if (!reader_ok(&in) || count == 0 || count > LIMIT_RECIPIENTS_MOST)
        return false;
    *ret_count = count;
    return true;
}

struct bytes recipients_nth(struct bytes to, uint32_t n)
{
    struct reader in = reader_of(to);

    for (uint32_t i = 0; i < n; i++)
        read_block(&in);
    return read_block(&in);
}

void state_record_write(char *ret_payload, const struct state_record *state)
{
    char *to = put(ret_payload, PAYLOAD_VERSION, 1);

    to = put(to, state->outcome, 1);
    to = put(to, state->recipient, 4);
    to = put(to, state->attempt, 4);
    to = put(to, state->at_ms, 8);
    to = put(to, state->due_ms, 8);
    to = put(to, state->wait_ms, 8);
    to = put(to, state->class, 1);
    to = put(to, state->subject, 2);
    to = put(to, state->detail, 2);
    put_octets(to, state->words);
}

bool state_record_read(struct bytes payload, struct state_record *ret_state)
{
    struct reader in = reader_of(payload);
    struct state_record state = { 0 };
    bool known = read_u8(&in) == PAYLOAD_VERSION;

    state.outcome = read_u8(&in);
    state.recipient = read_u32(&in);
    state.attempt = read_u32(&in);
    state.at_ms = read_u64(&in);
    state.due_ms = read_u64(&in);
    state.wait_ms = read_u64(&in);
    state.class = read_u8(&in);
    state.subject = read_u16(&in);
    state.detail = read_u16(&in);
    state.words = read_rest(&in);
    if (!known || !reader_ok(&in) || state.outcome < 1
        || state.outcome > STATE_DELAYED)
        return false;
    *ret_state = state;
    return true;
}

void cut_write(char *ret_payload, const struct cut *cuts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret_payload = put(put(ret_payload, cuts[i].segment, 4), cuts[i].end, 8);
}

size_t cut_read(struct bytes payload, struct cut ret_cuts[static CUTS_MOST])
{
    struct reader in = reader_of(payload);
    size_t n = 0;

    while (n < CUTS_MOST && !reader_empty(&in)) {
        struct cut cut = { .segment = read_u32(&in) };
        cut.end = read_u64(&in);
        if (!reader_ok(&in))
            break;
        ret_cuts[n++] = cut;
    }
    return n;
}

void mark_write(char *ret_payload, uint64_t last_id, uint64_t wall_ms)
{
    put(put(ret_payload, last_id, 8), wall_ms, 8);
}

bool mark_read(struct bytes payload, uint64_t *ret_last_id)
{
    struct reader in = reader_of(payload);
    uint64_t last_id = read_u64(&in);

    read_u64(&in);
    if (!reader_finished(&in))
        return false;
    *ret_last_id = last_id;
    return true;
}

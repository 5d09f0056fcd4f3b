/* SPDX-License-Identifier: ISC
 *
 * queue/record_int.h: the octets of the log: segment heads, records, and what stands in them.
 *
 * A place in the log is an LSN: segment number times 64 MiB plus the offset in its file. Every
 * record says its own LSN, so octets of a recycled file are never taken for records of the new one.
 *
 *   head of a record, 56 octets, little-endian      flags
 *    0 u64 lsn       where this record must lie      1 MORE     the atomic group goes on behind it
 *    8 u32 length    of the payload                  2 GOES_ON  it belongs to the record before it
 *   12 u8 kind, u8 flags, u16 zero
 *   16 u32 epoch     grows with each start of a store
 *   20 u32 zero
 *   24 u64 durable   all below this LSN was known synced when it was written
 *   32 u64 id        of the letter it is about, or 0
 *   40 u64 check     SipHash of octets 0-39 with the store's secret: no text can hold one
 *   48 u32 crc       CRC-32C of octets 0-47, the payload and its padding
 *   52 u32 zero
 *
 * The payload follows, padded with zeroes to a multiple of 8.
 */
#ifndef POSTERN_QUEUE_RECORD_INT_H
#define POSTERN_QUEUE_RECORD_INT_H

#include "base/buffer.h"
#include "base/limits.h"

enum record_kind {
    RECORD_NONE,
    RECORD_LETTER,      /* a letter was accepted, or moved forward */
    RECORD_STATE,       /* one recipient of a letter: delivered, to be tried again, failed */
    RECORD_MARK,        /* nothing new; but what it calls durable is */
    RECORD_SEAL,        /* the segment ends here, whole */
    RECORD_CUT,         /* the first record of a segment: where others end, whatever stands there */
    RECORD_KINDS
};

enum { RECORD_MORE = 1, RECORD_GOES_ON = 2 };
enum { RECORD_HEAD = 56, SEGMENT_HEAD = 4096, STORE_KEY = 16 };
/* What must stay free at the end of a segment for its seal. */
enum { SEAL_BYTES = RECORD_HEAD };

struct record {
    uint64_t lsn, durable, id;
    uint32_t length, epoch;
    enum record_kind kind;
    uint8_t flags;
    struct bytes payload;
};

static inline uint64_t lsn_of(uint32_t segment, uint64_t offset)
{
    return segment * (uint64_t)LIMIT_SEGMENT_BYTES + offset;
}
static inline uint32_t lsn_segment(uint64_t lsn) { return (uint32_t)(lsn / LIMIT_SEGMENT_BYTES); }
static inline uint64_t lsn_offset(uint64_t lsn) { return lsn % LIMIT_SEGMENT_BYTES; }

/* What a record with such a payload takes in the file. */
static inline uint64_t record_size(uint64_t length) { return (RECORD_HEAD + length + 7) / 8 * 8; }

/* Write head and checks around a payload that already lies at `at` + RECORD_HEAD. */
void record_finish(char *at, const struct record *record, const uint8_t key[static STORE_KEY]);

enum record_is {
    RECORD_IS_WHOLE,
    RECORD_IS_SHORT,    /* the head is right, but octets are lacking: more of the file is needed */
    /* the head is right, the whole is not: ret_record has all but the payload */
    RECORD_IS_BROKEN,
    RECORD_IS_NOT,      /* nothing of ours begins here */
};
/* What lies at the start of the text, which is at `lsn` of the log. ret_record borrows the
   payload. */
enum record_is record_read(struct bytes text, uint64_t lsn, const uint8_t key[static STORE_KEY],
                           struct record *ret_record);

struct segment_head {
    uint32_t number, epoch;
    /* random, the same in all segments of a store: its id and its secret */
    uint8_t key[STORE_KEY];
    uint64_t last_id, wall_ms;
};
/* It is written twice, 2 KiB apart, so that one bad sector does not hide the key. */
void segment_head_write(char ret_page[static SEGMENT_HEAD], const struct segment_head *head);
/* From the first SEGMENT_HEAD octets. ret_damaged (may be NULL): one of the two copies is wrong. */
MUST_USE bool segment_head_read(struct bytes page, struct segment_head *ret_head,
                                bool *ret_damaged);

enum { LETTER_BINARY = 1, LETTER_BODY = 2, LETTER_MOVED = 4 };
struct letter_record {
    uint8_t flags;
    uint32_t recipients, crc;   /* crc: of the body file */
    uint64_t received_ms, size, body;
    struct bytes head, to, text;
};
/* Payload octets of a letter whose text lies in the record (or elsewhere, when text is empty). */
static inline uint64_t letter_record_size(const struct letter_record *letter)
{
    return 1 + 1 + 4 + 4 + 8 + 8 + 8 + 4 + letter->head.n + 4 + letter->to.n + letter->text.n;
}
void letter_record_write(char *ret_payload, const struct letter_record *letter);
MUST_USE bool letter_record_read(struct bytes payload, struct letter_record *ret_letter);
/* How many recipients a list of blocks names; false when it does not read or names none. */
MUST_USE bool recipients_count(struct bytes to, uint32_t *ret_count);
/* The n-th block, from 0; empty when there is none. */
struct bytes recipients_nth(struct bytes to, uint32_t n);

/* Outcomes of a state record beside those of enum queue_outcome. */
enum state_outcome {
    STATE_SETTLED = 4,          /* failed, and done with: the sender was told, or wants no word */
    STATE_DELAYED,              /* to be tried again, and the sender was told of the delay */
};
struct state_record {
    uint8_t outcome;            /* enum queue_outcome, enum state_outcome */
    uint32_t recipient, attempt;
    uint64_t at_ms, due_ms, wait_ms;
    uint8_t class;
    uint16_t subject, detail;
    struct bytes words;
};
enum { STATE_WORDS = 512, STATE_FIXED = 1 + 1 + 4 + 4 + 8 + 8 + 8 + 1 + 2 + 2 };
static inline uint64_t state_record_size(const struct state_record *state)
{
    return STATE_FIXED + state->words.n;
}
void state_record_write(char *ret_payload, const struct state_record *state);
MUST_USE bool state_record_read(struct bytes payload, struct state_record *ret_state);

/* A CUT: pairs (u32 segment, u64 LSN where it ends). */
struct cut { uint32_t segment; uint64_t end; };
enum { CUT_BYTES = 12, CUTS_MOST = 8 };
void cut_write(char *ret_payload, const struct cut *cuts, size_t n);
/* The number of pairs, at most CUTS_MOST. */
size_t cut_read(struct bytes payload, struct cut ret_cuts[static CUTS_MOST]);

enum { MARK_BYTES = 16 };
void mark_write(char *ret_payload, uint64_t last_id, uint64_t wall_ms);
MUST_USE bool mark_read(struct bytes payload, uint64_t *ret_last_id);

#endif

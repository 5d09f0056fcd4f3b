/* SPDX-License-Identifier: ISC */
#include "queue/image_test.h"

#include <assert.h>
#include <string.h>

static const uint8_t key[STORE_KEY] = "a secret of ours";

void image_begin(struct image *image)
{
    struct segment_head head = { .number = 1, .epoch = 1 };

    memset(image->octets, 0, IMAGE_SIZE);
    memcpy(head.key, key, STORE_KEY);
    segment_head_write(image->octets, &head);
    image->at = SEGMENT_HEAD;
    image->durable = lsn_of(1, SEGMENT_HEAD);
}

void image_put(struct image *image, enum record_kind kind, uint64_t id, struct bytes payload)
{
    struct record record = { .lsn = lsn_of(1, image->at), .kind = kind, .id = id, .epoch = 1,
                             .length = (uint32_t)payload.n, .durable = image->durable };

    assert(image->at + record_size(payload.n) <= IMAGE_SIZE);
    if (payload.n > 0)
        memmove(image->octets + image->at + RECORD_HEAD, payload.at, payload.n);
    record_finish(image->octets + image->at, &record, key);
    image->at += record_size(payload.n);
}

bool image_letter(struct image *image, uint64_t id, struct bytes text)
{
    static char payload[IMAGE_SIZE];
    struct letter_record letter = { .recipients = 2, .size = text.n, .head = BYTES("head"),
                                    .to = BYTES("\x01\0\0\0a\x01\0\0\0b"), .text = text };
    uint64_t n = letter_record_size(&letter);

    if (image->at + record_size(n) > IMAGE_SIZE)
        return false;
    letter_record_write(payload, &letter);
    image_put(image, RECORD_LETTER, id, (struct bytes){ payload, n });
    return true;
}

void image_state(struct image *image, uint64_t id, uint32_t recipient, uint8_t outcome)
{
    char payload[STATE_FIXED];
    struct state_record state = { .outcome = outcome, .recipient = recipient, .attempt = 1 };

    state_record_write(payload, &state);
    image_put(image, RECORD_STATE, id, (struct bytes){ payload, sizeof(payload) });
}

static struct bytes read_image(const struct image *image, struct bytes name, uint64_t offset,
                               uint32_t count)
{
    if (!bytes_equal(name, BYTES("log/0000000001")) || offset > IMAGE_SIZE)
        return BYTES_NONE;
    return bytes_first((struct bytes){ image->octets + offset, IMAGE_SIZE - offset }, count);
}

void image_inspect(const struct image *image, struct image_told *ret_told)
{
    struct image_told told = { .inspect = inspect_new(BYTES("0000000001\n"), BYTES_NONE) };

    assert(told.inspect != NULL);
    for (;;) {
        struct inspect_want want = inspect_next(told.inspect);
        if (want.need == INSPECT_NEEDS_READ) {
            inspect_give(told.inspect, read_image(image, want.name, want.offset, want.count));
        } else if (want.need == INSPECT_LETTER) {
            if (told.letters_n < COUNT(told.letters))
                told.letters[told.letters_n++] = want.letter.id;
        } else if (want.need == INSPECT_ENDS) {
            told.totals = want.totals;
            break;
        }
    }
    *ret_told = told;
}

enum inspect_taken image_take(const struct image *image, struct inspect *inspect, uint64_t id,
                              struct buffer *text)
{
    if (!inspect_open(inspect, id))
        return TAKE_DAMAGED;
    for (;;) {
        struct inspect_piece piece = inspect_take(inspect);
        if (piece.kind == TAKE_NEEDS_READ)
            inspect_give(inspect, read_image(image, piece.name, piece.offset, piece.count));
        else if (piece.kind == TAKE_TEXT)
            buffer_put(text, piece.text);
        else if (piece.kind != TAKE_HEAD)
            return piece.kind;
    }
}

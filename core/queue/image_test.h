/* SPDX-License-Identifier: ISC
 *
 * queue/image_test.h: for tests and fuzz harnesses: one segment of a log in memory, and a walk
 * through it with the inspection that `postern store` runs.
 */
#ifndef POSTERN_QUEUE_IMAGE_TEST_H
#define POSTERN_QUEUE_IMAGE_TEST_H

#include "queue/inspect.h"
#include "queue/record_int.h"

enum { IMAGE_SIZE = 65536 };

struct image {
    char octets[IMAGE_SIZE];
    size_t at;              /* the next record goes here */
    uint64_t durable;
};

void image_begin(struct image *image);
void image_put(struct image *image, enum record_kind kind, uint64_t id, struct bytes payload);
/* A letter for two recipients; false when the image is full. */
bool image_letter(struct image *image, uint64_t id, struct bytes text);
void image_state(struct image *image, uint64_t id, uint32_t recipient, uint8_t outcome);

/* What the inspection told of it. */
struct image_told {
    struct inspect *inspect;
    struct inspect_totals totals;
    uint64_t letters[64];
    size_t letters_n;
};
/* Answer reads of log/0000000001 from the image; the caller frees ret_told->inspect. */
void image_inspect(const struct image *image, struct image_told *ret_told);
/* Take a letter out: its text goes to `text`. What the last piece said. */
enum inspect_taken image_take(const struct image *image, struct inspect *inspect, uint64_t id,
                              struct buffer *text);

#endif

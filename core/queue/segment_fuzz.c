/* SPDX-License-Identifier: ISC
 *
 * A segment's octets: recovery and inspection may meet anything. The input is first laid down as it
 * is behind a good head; then it says which octets of a good log are changed.
 */
#include "queue/image_test.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct image image;

static void inspect(size_t letters_most)
{
    struct image_told told;
    struct buffer text = buffer_with_most(IMAGE_SIZE);

    image_inspect(&image, &told);
    if (told.letters_n > letters_most)
        abort();
    for (size_t i = 0; i < told.letters_n; i++) {
        buffer_clear(&text);
        enum inspect_taken end = image_take(&image, told.inspect, told.letters[i], &text);
        bool whole = bytes_equal(buffer_bytes(&text), BYTES("a text that must not change"));
        if (letters_most == 4 && (end != TAKE_END || !whole))
            abort();    /* what is told of a letter is what was written, or nothing */
    }
    inspect_free(told.inspect);
    buffer_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t raw = n < IMAGE_SIZE - SEGMENT_HEAD ? n : IMAGE_SIZE - SEGMENT_HEAD;

    image_begin(&image);
    if (raw > 0)
        memcpy(image.octets + SEGMENT_HEAD, data, raw);
    inspect(COUNT(((struct image_told *)0)->letters));
    image_begin(&image);
    for (uint64_t id = 1; id <= 4; id++) {
        image_letter(&image, id, BYTES("a text that must not change"));
        image.durable = lsn_of(1, id == 3 ? image.at : SEGMENT_HEAD);
        image_state(&image, id, 0, 1);
    }
    for (size_t i = 0; i + 3 <= n && i < 300; i += 3) {
        size_t at = (data[i] | (size_t)data[i + 1] << 8) % 1200;
        image.octets[SEGMENT_HEAD + at] ^= (char)data[i + 2];
    }
    inspect(4);
    return 0;
}

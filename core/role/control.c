/* SPDX-License-Identifier: ISC */
#include "role/control.h"

#include "base/reader.h"

void control_put_request(struct buffer *to, const struct bytes *words, size_t n)
{
    size_t length = 0;

    for (size_t i = 0; i < n; i++) {
        length += words[i].n + 1;
        if (words[i].n >= LIMIT_CONTROL_FRAME || bytes_find(words[i], '\0') < words[i].n)
            to->bad = true;
    }
    if (to->bad || n == 0 || n > CONTROL_WORDS_MOST || length > LIMIT_CONTROL_FRAME) {
        to->bad = true;
        return;
    }
    buffer_put_u32(to, (uint32_t)length);
    for (size_t i = 0; i < n; i++) {
        buffer_put(to, words[i]);
        buffer_put_char(to, '\0');
    }
}

/* The length at the front, when it is there and can be. */
static enum control_took take_length(struct reader *in, size_t *ret_length)
{
    uint32_t length = read_u32(in);

    if (!reader_ok(in))
        return CONTROL_NEEDS_MORE;
    if (length == 0 || length > LIMIT_CONTROL_FRAME)
        return CONTROL_FLAW;
    *ret_length = length;
    return CONTROL_TOOK;
}

enum control_took control_take_request(struct bytes text,
                                       struct bytes ret_words[static CONTROL_WORDS_MOST],
                                       size_t *ret_n)
{
    struct reader in = reader_of(text);
    size_t length = 0, n = 0;
    enum control_took took = take_length(&in, &length);
    struct bytes rest = reader_left(&in);

    if (took != CONTROL_TOOK)
        return took;
    if (rest.n < length)
        return CONTROL_NEEDS_MORE;
    if (rest.n > length || rest.at[length - 1] != '\0')
        return CONTROL_FLAW;
    while (n < CONTROL_WORDS_MOST && bytes_cut(&rest, '\0', &ret_words[n]))
        n++;
    if (rest.n > 0)
        return CONTROL_FLAW;
    *ret_n = n;
    return CONTROL_TOOK;
}

void control_put(struct buffer *to, enum control_kind kind, struct bytes octets)
{
    enum { PART = LIMIT_CONTROL_FRAME - 1 };

    while (octets.n > 0) {
        struct bytes part = bytes_first(octets, PART);
        buffer_put_u32(to, (uint32_t)(part.n + 1));
        buffer_put_u8(to, (uint8_t)kind);
        buffer_put(to, part);
        octets = bytes_skip(octets, part.n);
    }
}

void control_put_exit(struct buffer *to, int status)
{
    char octets[] = { (char)status };

    control_put(to, CONTROL_EXIT, (struct bytes){ octets, 1 });
}

enum control_took control_take(struct bytes text, struct control_frame *ret_frame,
                               size_t *ret_used)
{
    struct reader in = reader_of(text);
    struct control_frame frame = { .octets = BYTES_NONE };
    size_t length = 0;
    enum control_took took = take_length(&in, &length);

    if (took != CONTROL_TOOK)
        return took;
    if (reader_left(&in).n < length)
        return CONTROL_NEEDS_MORE;
    uint8_t kind = read_u8(&in);
    if (kind < CONTROL_OUT || kind > CONTROL_EXIT)
        return CONTROL_FLAW;
    frame.kind = (enum control_kind)kind;
    frame.octets = read_bytes(&in, length - 1);
    if (frame.kind == CONTROL_EXIT && frame.octets.n != 1)
        return CONTROL_FLAW;
    if (frame.kind == CONTROL_EXIT)
        frame.status = octet(frame.octets.at[0]);
    *ret_frame = frame;
    *ret_used = in.at;
    return CONTROL_TOOK;
}

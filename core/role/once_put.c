/* SPDX-License-Identifier: ISC */
#include "role/once_int.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/safe.h"
#include "mail/envelope.h"

void once_put_path(struct buffer *to, struct bytes address)
{
    buffer_put_char(to, '<');
    safe_put_plain(to, address);
    buffer_put_char(to, '>');
}

void once_put_moment(struct buffer *to, const struct once_style *style, uint64_t wall_ms)
{
    clock_put(to, wall_ms);
    if (!style->relative)
        return;
    buffer_put_text(to, wall_ms > style->now_ms ? " (in " : " (");
    span_put(to, wall_ms > style->now_ms ? wall_ms - style->now_ms : style->now_ms - wall_ms);
    buffer_put_text(to, wall_ms > style->now_ms ? ")" : " ago)");
}

void once_put_count(struct buffer *to, uint64_t count, const char *noun)
{
    buffer_put_uint(to, count);
    buffer_put_char(to, ' ');
    buffer_put_text(to, noun);
    if (count != 1)
        buffer_put_char(to, 's');
}

void once_put_words(struct buffer *to, struct bytes words)
{
    safe_put_plain(to, bytes_first(words, ONCE_WORDS_MOST));
    if (words.n > ONCE_WORDS_MOST)
        buffer_put(to, BYTES("..."));
}

void once_json_id(struct json *json, const char *key, uint64_t id)
{
    char text[ID_TEXT];

    id_write(id, text);
    json_put_text(json, key, (struct bytes){ text, ID_TEXT });
}

void once_json_moment(struct json *json, const char *key, uint64_t wall_ms)
{
    struct buffer text = buffer_with_most(64);

    clock_put(&text, wall_ms);
    json_put_text(json, key, buffer_bytes(&text));
    buffer_done(&text);
}

struct bytes once_address(struct bytes entry)
{
    struct recipient recipient;

    return recipient_read(entry, &recipient) ? recipient.address
                                             : BYTES("an entry that cannot be read");
}

void once_json_recipients(struct json *json, struct reader *entries)
{
    json_key(json, "recipients");
    json_put_array(json);
    while (!reader_empty(entries)) {
        struct bytes entry = read_block(entries);
        if (!reader_ok(entries))
            break;
        json_text(json, once_address(entry));
    }
    json_put_array_end(json);
}

bool once_refuse(struct buffer *to, const char *what, struct bytes word, const char *after)
{
    enum { WORD_MOST = 100 };

    buffer_put_text(to, what);
    buffer_put(to, BYTES(" \""));
    safe_put(to, bytes_first(word, WORD_MOST));
    buffer_put_text(to, word.n > WORD_MOST ? "...\"" : "\"");
    buffer_put_text(to, after);
    buffer_put_char(to, '\n');
    return false;
}

/* SPDX-License-Identifier: ISC */
#include "bounce/head_int.h"

#include <string.h>

static const struct { const char *name; uint8_t n; } names[HEAD_FIELDS] = {
#define ROW(NAME, text) [HEAD_##NAME] = { text, sizeof(text) - 1 },
    HEAD_LIST(ROW)
#undef ROW
};

/* A bit for each length that a name which matters has. */
#define ROW(NAME, text) | UINT64_C(1) << (sizeof(text) - 1)
static const uint64_t lengths = 0 HEAD_LIST(ROW);
#undef ROW

/* The length of a field's name, or 0: the line is none. */
static size_t name_length(struct bytes line)
{
    size_t i = 0;

    while (i < line.n && octet(line.at[i]) > ' ' && octet(line.at[i]) < 127 && line.at[i] != ':')
        i++;
    size_t n = i;
    while (i < line.n && is_space(line.at[i]))
        i++;
    return n < 80 && i < line.n && line.at[i] == ':' ? n : 0;
}

bool head_is_field(struct bytes line)
{
    return name_length(line) > 0;
}

static bool name_is(struct bytes line, const char *name, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (to_lower(line.at[i]) != name[i])
            return false;
    }
    return true;
}

static enum head_field field_of(struct bytes line, size_t n)
{
    char first = to_lower(line.at[0]);

    if (n >= 64 || (lengths >> n & 1) == 0)
        return HEAD_FIELDS;
    for (enum head_field i = 0; i < HEAD_FIELDS; i++) {
        if (names[i].n == n && names[i].name[0] == first && name_is(line, names[i].name, n))
            return i;
    }
    return HEAD_FIELDS;
}

/* 'Content-Type: multipart/mixed;' and then 'boundary="..."' at the margin: some fold so. */
static bool is_lost_fold(const struct head *head, enum head_field last, struct bytes line)
{
    struct bytes type = head->field[HEAD_CONTENT_TYPE];

    return last == HEAD_CONTENT_TYPE && type.n > 0 && type.at[type.n - 1] == ';'
        && bytes_begins_nocase(line, BYTES("boundary="));
}

void head_read(struct lines *lines, struct head *ret_head)
{
    struct head head = { 0 };
    enum head_field last = HEAD_FIELDS;
    struct lines before = *lines;
    struct bytes line;

    while (lines_next(lines, &line)) {
        if (line.n == 0)
            break;
        if (is_space(line.at[0])) {
            if (is_blank(line) && head.fields > 0 && last == HEAD_FIELDS)
                break;
            if (last != HEAD_FIELDS)
                head.field[last].n = (size_t)(line.at + line.n - head.field[last].at);
            before = *lines;
            continue;
        }
        if (is_lost_fold(&head, last, line)) {
            head.field[last].n = (size_t)(line.at + line.n - head.field[last].at);
            before = *lines;
            continue;
        }
        size_t n = name_length(line);
        bool mbox = head.fields == 0 && (bytes_begins(line, BYTES("From "))
                                         || bytes_begins(line, BYTES(">From ")));
        if (n == 0 && !mbox) {
            *lines = before;
            break;
        }
        before = *lines;
        last = mbox ? HEAD_FIELDS : field_of(line, n);
        head.fields += !mbox;
        if (last == HEAD_FIELDS)
            continue;
        if (head.field[last].at != NULL && head.field[last].n > 0) {
            last = HEAD_FIELDS;         /* the first one counts */
            continue;
        }
        head.field[last] = bytes_skip(line, bytes_find(line, ':') + 1);
    }
    *ret_head = head;
}

struct bytes head_unfold(struct arena *arena, struct bytes body)
{
    body = bytes_trim(body);
    if (body.n == 0 || (memchr(body.at, '\n', body.n) == NULL
                        && memchr(body.at, '\r', body.n) == NULL))
        return body;
    char *to = arena_take(arena, body.n);
    size_t n = 0;
    if (to == NULL)
        return bytes_trim(bytes_upto(body, '\n'));
    for (size_t i = 0; i < body.n; i++) {
        char c = body.at[i];
        if (c == '\r' || c == '\n')
            continue;
        if (is_space(c) && i > 0 && (body.at[i - 1] == '\n' || body.at[i - 1] == '\r')) {
            while (i + 1 < body.n && is_space(body.at[i + 1]))
                i++;
            c = ' ';
        }
        to[n++] = c;
    }
    return (struct bytes){ to, n };
}

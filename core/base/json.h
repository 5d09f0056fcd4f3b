/* SPDX-License-Identifier: ISC
 *
 * base/json.h: JSON (RFC 8259) written straight into a buffer, value by value.
 *
 * The writer puts commas and colons where they belong. Asking for something that is no JSON (a
 * value without a key inside an object, an end without a beginning) is our own mistake and meets
 * an assert; what a text holds is not: anything a stranger sent comes out as a valid string that
 * is safe on a terminal. Its names keep clear of those of jansson, which reads JSON for us.
 */
#ifndef POSTERN_BASE_JSON_H
#define POSTERN_BASE_JSON_H

#include "base/buffer.h"

enum { JSON_DEPTH_MOST = 32 };

struct json {
    struct buffer *to;
    unsigned depth;
    uint32_t objects;           /* a bit for each depth: set inside an object */
    uint32_t begun;             /* a bit for each depth: a member was written */
    bool keyed;                 /* a key was written, its value is due */
};

/* A writer of values behind what the buffer holds. What does not fit makes to->bad. */
struct json json_to(struct buffer *to);

void json_put_object(struct json *json);
void json_put_object_end(struct json *json);
void json_put_array(struct json *json);
void json_put_array_end(struct json *json);
/* A member's name: a word of ours, written as it is; never a stranger's. */
void json_key(struct json *json, const char *key);
/* A string: quotes, backslashes, controls, bidirectional and invisible characters as \uXXXX or the
   short escapes; each octet that is no UTF-8 as \ufffd. */
void json_text(struct json *json, struct bytes text);
void json_uint(struct json *json, uint64_t number);
void json_int(struct json *json, int64_t number);
void json_bool(struct json *json, bool value);
void json_put_null(struct json *json);
/* After a whole value: the line end that parts it from the next (newline-delimited JSON). */
void json_line_end(struct json *json);

/* A key and its value at once. */
void json_put_text(struct json *json, const char *key, struct bytes text);
void json_put_uint(struct json *json, const char *key, uint64_t number);
void json_put_bool(struct json *json, const char *key, bool value);

#endif

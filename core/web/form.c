/* SPDX-License-Identifier: ISC */
#include "web/form.h"

#include "web/web_int.h"

static bool is_type(struct bytes content_type, struct bytes type)
{
    return bytes_equal_nocase(bytes_trim(bytes_upto(content_type, ';')), type);
}

static bool is_multipart(struct bytes content_type)
{
    return is_type(content_type, BYTES("multipart/form-data"));
}

bool form_is(struct bytes content_type)
{
    return is_multipart(content_type)
        || is_type(content_type, BYTES("application/x-www-form-urlencoded"));
}

/* `name="value"` or `name=value` among parameters; empty: not there. */
static struct bytes parameter(struct bytes field, struct bytes name)
{
    struct bytes piece;

    (void)bytes_cut(&field, ';', &piece);
    while (bytes_cut(&field, ';', &piece)) {
        struct bytes key = bytes_upto(piece, '=');
        struct bytes value = bytes_trim(bytes_skip(piece, key.n + 1));
        if (!bytes_equal_nocase(bytes_trim(key), name))
            continue;
        if (value.n >= 2 && value.at[0] == '"' && value.at[value.n - 1] == '"')
            value = (struct bytes){ value.at + 1, value.n - 2 };
        return value;
    }
    return BYTES_NONE;
}

/* What stands before the next delimiter line; *rest is what follows that. False: no delimiter. */
static bool cut_part(struct bytes *rest, struct bytes delimiter, struct bytes *ret_part)
{
    size_t at = bytes_search(*rest, delimiter);

    if (at == rest->n)
        return false;
    *ret_part = bytes_first(*rest, at);
    *rest = bytes_skip(*rest, at + delimiter.n);
    return true;
}

/* Is it the part of that name? Then its body. */
static bool is_part(struct bytes part, struct bytes name, struct bytes *ret_value)
{
    size_t head = bytes_search(part, BYTES("\r\n\r\n"));
    struct bytes fields = bytes_first(part, head), line;

    if (head == part.n)
        return false;
    while (bytes_cut(&fields, '\n', &line)) {
        struct bytes key = bytes_upto(line, ':');
        if (bytes_equal_nocase(bytes_trim(key), BYTES("content-disposition"))
            && bytes_equal(parameter(bytes_trim(bytes_skip(line, key.n + 1)), BYTES("name")),
                           name)) {
            *ret_value = bytes_skip(part, head + 4);
            return true;
        }
    }
    return false;
}

static bool multipart_field(struct bytes content_type, struct bytes body, struct bytes name,
                            struct bytes *ret_value)
{
    enum { BOUNDARY_MOST = 70 };        /* RFC 2046, 5.1.1 */
    struct bytes boundary = parameter(content_type, BYTES("boundary"));
    char text[BOUNDARY_MOST + 4] = "\r\n--";
    struct bytes delimiter = { text, boundary.n + 4 }, part;

    if (boundary.n == 0 || boundary.n > BOUNDARY_MOST)
        return false;
    for (size_t i = 0; i < boundary.n; i++)
        text[4 + i] = boundary.at[i];
    /* the first delimiter has no line end before it */
    if (!bytes_begins(body, bytes_skip(delimiter, 2)))
        return false;
    body = bytes_skip(body, delimiter.n - 2);
    for (size_t i = 0; i < FORM_PARTS_MOST && cut_part(&body, delimiter, &part); i++)
        if (is_part(part, name, ret_value))
            return true;
    return false;
}

bool form_field(struct bytes content_type, struct bytes body, struct bytes name,
                struct buffer *room, struct bytes *ret_value)
{
    if (is_multipart(content_type))
        return multipart_field(content_type, body, name, ret_value);
    if (!form_is(content_type) || !web_read_field(body, name, room))
        return false;
    *ret_value = buffer_bytes(room);
    return true;
}

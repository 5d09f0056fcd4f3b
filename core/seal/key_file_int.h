/* SPDX-License-Identifier: ISC
 *
 * seal/key_file_int.h: what the readers of key files share: lines, base64, items.
 */
#ifndef POSTERN_SEAL_KEY_FILE_INT_H
#define POSTERN_SEAL_KEY_FILE_INT_H

#include "seal/key_file.h"

/* A cursor over lines that counts them. */
struct key_lines {
    struct bytes rest;
    uint32_t line;              /* of the one taken last */
};
/* The next line without its end and without blanks behind it; false at the end. */
bool key_next_line(struct key_lines *lines, struct bytes *ret_line);
/* What key_next_line would give. */
bool key_peek_line(const struct key_lines *lines, struct bytes *ret_line);

struct key_reading {
    struct arena *arena;
    struct key_file *file;
    struct key_item *last;
};
/* A new item at the end of the file; NULL: no room, and the file is bad. */
struct key_item *key_new_item(struct key_reading *reading, enum key_item_kind kind,
                              uint32_t line);
void key_new_broken(struct key_reading *reading, uint32_t line, const char *words);
/* The octets of base64 that may have blanks and line ends in it, in the arena; empty when it holds
   other signs, or nothing. */
struct bytes key_base64(struct arena *arena, struct bytes text);

/* One record of RIPEM's, from its first line on: to the next blank line, comment of a boundary or
   end. `open`: a BEGIN line stood before it. */
void ripem_read_record(struct key_reading *reading, struct key_lines *lines);
/* Is this the first line of a record: "Name:" that RIPEM knows? */
bool ripem_is_field(struct bytes line);

#endif

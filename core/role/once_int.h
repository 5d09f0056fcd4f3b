/* SPDX-License-Identifier: ISC
 *
 * role/once_int.h: what the answers of the commands share: how moments, addresses and a
 * stranger's words are written.
 */
#ifndef POSTERN_ROLE_ONCE_INT_H
#define POSTERN_ROLE_ONCE_INT_H

#include "base/json.h"
#include "base/reader.h"
#include "dns/ledger.h"
#include "role/once.h"

enum { ONCE_WORDS_MOST = 1000 };    /* of a reason, before escaping */

/* "<a@b.example>", escaped. */
void once_put_path(struct buffer *to, struct bytes address);
/* The moment, and with style->relative " (3 minutes ago)" or " (in 3 minutes)". */
void once_put_moment(struct buffer *to, const struct once_style *style, uint64_t wall_ms);
/* "1 letter", "2 letters": the count and the noun. */
void once_put_count(struct buffer *to, uint64_t count, const char *noun);
/* Cut at ONCE_WORDS_MOST and escaped. */
void once_put_words(struct buffer *to, struct bytes words);

/* What is wrong with a word of the command line: WHAT "WORD"AFTER, where AFTER may be
   "; see --help". Returns false. */
bool once_refuse(struct buffer *to, const char *what, struct bytes word, const char *after);

void once_json_id(struct json *json, const char *key, uint64_t id);
void once_json_moment(struct json *json, const char *key, uint64_t wall_ms);

/* The addresses of recipients' entries, blocks, as the array "recipients". */
void once_json_recipients(struct json *json, struct reader *entries);
/* The address of a recipient's entry; when it cannot be read, words that say so. */
struct bytes once_address(struct bytes entry);

#endif

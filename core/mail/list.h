/* SPDX-License-Identifier: ISC
 *
 * mail/list.h: the mailboxes of a header field: From, To, Reply-To and their like (RFC 5322, 3.4
 * and 4.4).
 *
 * It reads what is sent, wrong or right, and gives each mailbox once, in order. Nothing is
 * decoded: a name is for mail/words.h to show, an address is what its octets are. Nothing
 * recurses; groups inside groups are read as one. Linear; comments nest to LIMIT_COMMENT_DEPTH.
 */
#ifndef POSTERN_MAIL_LIST_H
#define POSTERN_MAIL_LIST_H

#include "base/buffer.h"
#include "base/reader.h"

enum list_flaw {
    LIST_BAD_COMMENT = 1 << 0,      /* without an end, or too deep: what is behind it is not read */
    LIST_OPEN_QUOTE = 1 << 1,
    LIST_OPEN_ANGLE = 1 << 2,       /* "<" without ">" */
    LIST_STRAY = 1 << 3,            /* a ">" or "<" too many, or words behind an address */
    LIST_NESTED_GROUP = 1 << 4,
    LIST_OPEN_GROUP = 1 << 5,       /* a group without ";" */
    LIST_ROUTE = 1 << 6,            /* a source route was dropped */
};

/* Slices live until the next call. */
struct list_item {
    struct bytes name;          /* display name, or a comment in its place; quotes taken off */
    struct bytes address;       /* quotes kept, comments and white space around its parts taken
                                   off; may be empty, and need not be valid: address_parse says */
    struct bytes group;         /* name of the group it stands in */
    bool in_group;
    bool group_itself;          /* not a mailbox: an empty group's name */
};

struct list_reader {
    struct reader in;
    struct buffer group, name, word, angle, comment;
    size_t bare_at, bare_n;     /* where in `name` the first word lies that could be the address */
    bool in_group, group_used, group_ends, angle_seen;
    unsigned flaws;             /* enum list_flaw, all that were seen */
};

/* Reads a field's body, folded or not. */
struct list_reader list_of(struct bytes body);
void list_done(struct list_reader *list);
/* The next mailbox; false at the end. With no memory names or addresses come out empty. */
bool list_next(struct list_reader *list, struct list_item *ret_item);

#endif

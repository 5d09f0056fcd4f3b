/* SPDX-License-Identifier: ISC */
#include "smtp/transaction_int.h"

#include "base/limits.h"

#include <assert.h>
#include <string.h>

enum { KEPT_NAMES = 256, KEPT_ENDS = 64 };

struct transaction transaction_none(uint32_t recipients_most)
{
    size_t names = (size_t)recipients_most + 2;         /* the sender, and one that is asked for */

    return (struct transaction){
        .names = buffer_with_most(names * LIMIT_PATH),
        .ends = buffer_with_most(names * sizeof(struct transaction_end)),
    };
}

void transaction_done(struct transaction *transaction)
{
    buffer_done(&transaction->names);
    buffer_done(&transaction->ends);
    restore_free(transaction->restore);
    transaction->restore = NULL;
}

void transaction_reset(struct transaction *transaction)
{
    struct buffer names = transaction->names, ends = transaction->ends;

    buffer_shrink(&names, KEPT_NAMES);
    buffer_shrink(&ends, KEPT_ENDS);
    restore_free(transaction->restore);
    *transaction = (struct transaction){ .names = names, .ends = ends };
}

static size_t kept(const struct transaction *transaction)
{
    return transaction->ends.n / sizeof(struct transaction_end);
}

/* Of the i-th name; of none before the first. */
static struct transaction_end end_of(const struct transaction *transaction, size_t i)
{
    struct transaction_end end = { .end = 0 };

    if (i > 0)
        memcpy(&end, transaction->ends.at + (i - 1) * sizeof(end), sizeof(end));
    return end;
}

static struct bytes piece(const struct transaction *transaction, size_t from, size_t end)
{
    return from == end ? BYTES_NONE
                       : (struct bytes){ transaction->names.at + from, end - from };
}

static struct bytes name_at(const struct transaction *transaction, size_t i)
{
    assert(i < kept(transaction));
    struct transaction_end end = end_of(transaction, i + 1);
    return piece(transaction, end_of(transaction, i).end, end.end - end.note_n);
}

static struct bytes note_at(const struct transaction *transaction, size_t i)
{
    assert(i < kept(transaction));
    struct transaction_end end = end_of(transaction, i + 1);
    return piece(transaction, end.end - end.note_n, end.end);
}

struct bytes transaction_add(struct transaction *transaction, struct bytes name,
                             struct bytes note, uint8_t notify)
{
    size_t from = end_of(transaction, kept(transaction)).end;

    transaction->names.n = from;        /* an earlier one that was not kept */
    transaction->names.bad = false;
    buffer_put(&transaction->names, name);
    buffer_put(&transaction->names, note);
    if (transaction->names.bad)
        return (struct bytes){ NULL, 0 };
    transaction->asked = (struct transaction_end){
        .end = (uint32_t)transaction->names.n, .note_n = (uint16_t)note.n, .notify = notify };
    return name.n == 0 ? BYTES_NONE : (struct bytes){ transaction->names.at + from, name.n };
}

bool transaction_keep(struct transaction *transaction)
{
    transaction->ends.bad = false;
    buffer_put(&transaction->ends, (struct bytes){ (const char *)&transaction->asked,
                                                   sizeof(transaction->asked) });
    return !transaction->ends.bad;
}

struct bytes transaction_sender(const struct transaction *transaction)
{
    return kept(transaction) == 0 ? BYTES_NONE : name_at(transaction, 0);
}

struct bytes transaction_envid(const struct transaction *transaction)
{
    return kept(transaction) == 0 ? BYTES_NONE : note_at(transaction, 0);
}

size_t transaction_recipients(const struct transaction *transaction)
{
    return kept(transaction) == 0 ? 0 : kept(transaction) - 1;
}

struct bytes transaction_recipient(const struct transaction *transaction, size_t i)
{
    return name_at(transaction, i + 1);
}

struct bytes transaction_orcpt(const struct transaction *transaction, size_t i)
{
    return note_at(transaction, i + 1);
}

uint8_t transaction_notify(const struct transaction *transaction, size_t i)
{
    return end_of(transaction, i + 2).notify;
}

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
        .ends = buffer_with_most(names * sizeof(uint32_t)),
    };
}

void transaction_done(struct transaction *transaction)
{
    buffer_done(&transaction->names);
    buffer_done(&transaction->ends);
}

void transaction_reset(struct transaction *transaction)
{
    struct buffer names = transaction->names, ends = transaction->ends;

    buffer_shrink(&names, KEPT_NAMES);
    buffer_shrink(&ends, KEPT_ENDS);
    *transaction = (struct transaction){ .names = names, .ends = ends };
}

static size_t kept(const struct transaction *transaction)
{
    return transaction->ends.n / sizeof(uint32_t);
}

/* Where the first i names end. */
static size_t end_of(const struct transaction *transaction, size_t i)
{
    uint32_t end;

    if (i == 0)
        return 0;
    memcpy(&end, transaction->ends.at + (i - 1) * sizeof(end), sizeof(end));
    return end;
}

static struct bytes name_at(const struct transaction *transaction, size_t i)
{
    assert(i < kept(transaction));
    size_t from = end_of(transaction, i), end = end_of(transaction, i + 1);
    return from == end ? BYTES_NONE
                       : (struct bytes){ transaction->names.at + from, end - from };
}

struct bytes transaction_add(struct transaction *transaction, struct bytes name)
{
    size_t from = end_of(transaction, kept(transaction));

    transaction->names.n = from;        /* an earlier one that was not kept */
    transaction->names.bad = false;
    if (name.n == 0)
        return BYTES_NONE;
    buffer_put(&transaction->names, name);
    if (transaction->names.bad)
        return (struct bytes){ NULL, 0 };
    return (struct bytes){ transaction->names.at + from, name.n };
}

bool transaction_keep(struct transaction *transaction)
{
    uint32_t end = (uint32_t)transaction->names.n;

    transaction->ends.bad = false;
    buffer_put(&transaction->ends, (struct bytes){ (const char *)&end, sizeof(end) });
    return !transaction->ends.bad;
}

struct bytes transaction_sender(const struct transaction *transaction)
{
    return kept(transaction) == 0 ? BYTES_NONE : name_at(transaction, 0);
}

size_t transaction_recipients(const struct transaction *transaction)
{
    return kept(transaction) == 0 ? 0 : kept(transaction) - 1;
}

struct bytes transaction_recipient(const struct transaction *transaction, size_t i)
{
    return name_at(transaction, i + 1);
}

/* SPDX-License-Identifier: ISC */
#include "host/listen.h"

#include "base/arena.h"

#include <unistd.h>

/* One set of sockets is changed into another; `made` says which of the new ones are not among the
   old. */
struct change {
    size_t copies;
    struct listen_set *sets;            /* as they are */
    struct listen_set *next;            /* as they shall be; `copies` of them */
    struct listen_set *one;             /* of one entry, being made */
    bool made[LISTEN_MOST];
    bool kept[LISTEN_MOST];             /* of the old ones */
    bool full;                          /* more than LISTEN_MOST */
};

static void close_at(const struct listen_set *sets, size_t copies, size_t at)
{
    for (size_t i = 0; i < copies; i++)
        close(sets[i].fds[at]);
}

static bool add(struct change *change, const struct listen_set *from, size_t at, uint32_t entry)
{
    size_t n = change->next[0].n;

    change->full = change->full || n == LISTEN_MOST;
    if (change->full)
        return false;
    for (size_t i = 0; i < change->copies; i++) {
        struct listen_set *next = &change->next[i];
        next->fds[next->n] = from[i].fds[at];
        next->entries[next->n++] = entry;
    }
    change->made[n] = from == change->one;
    return true;
}

/* The sockets that this entry has already; false when it has none. */
static bool keep(struct change *change, struct conf_texts before, struct bytes text, uint32_t entry)
{
    bool found = false;

    for (size_t i = 0; i < change->sets[0].n; i++) {
        uint32_t was = change->sets[0].entries[i];
        if (change->kept[i] || was >= before.n || !bytes_equal(before.list[was], text))
            continue;
        change->kept[i] = add(change, change->sets, i, entry);
        found = true;
    }
    return found;
}

static bool make(struct change *change, const struct bytes *text, uint32_t entry,
                 struct buffer *reterr_words)
{
    struct conf_texts alone = { text, 1 };

    if (!listen_open(alone, change->copies, change->one, reterr_words))
        return false;
    for (size_t i = 0; i < change->one[0].n; i++)
        if (!add(change, change->one, i, entry))
            close_at(change->one, change->copies, i);
    return true;
}

/* It came to nothing: all that was made goes. */
static void undo(struct change *change)
{
    for (size_t i = 0; i < change->next[0].n; i++)
        if (change->made[i])
            close_at(change->next, change->copies, i);
}

static void commit(struct change *change)
{
    for (size_t i = 0; i < change->sets[0].n; i++)
        if (!change->kept[i])
            close_at(change->sets, change->copies, i);
    for (size_t i = 0; i < change->copies; i++)
        change->sets[i] = change->next[i];
}

bool listen_change(struct conf_texts before, struct conf_texts after, size_t copies,
                   struct listen_set *sets, struct buffer *reterr_words)
{
    struct listen_set *room = mem_new(2 * copies * sizeof(*room));
    struct change change = { .copies = copies, .sets = sets, .next = room };
    bool well = room != NULL;

    if (!well)
        buffer_put(reterr_words, BYTES("postern: listen: memory is short\n"));
    else
        change.one = room + copies;
    for (size_t i = 0; i < after.n && well; i++)
        if (!keep(&change, before, after.list[i], (uint32_t)i))
            well = make(&change, &after.list[i], (uint32_t)i, reterr_words);
    if (change.full) {
        buffer_put(reterr_words, BYTES("postern: listen: too many addresses\n"));
        well = false;
    }
    if (well)
        commit(&change);
    else if (room != NULL)
        undo(&change);
    mem_free(room);
    return well;
}

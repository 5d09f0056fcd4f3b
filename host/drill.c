/* SPDX-License-Identifier: ISC */
#include "host/drill.h"

#include "base/log.h"
#include "host/drill_int.h"
#include "role/rights.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct bytes magic = BYTES_INIT("POSTERN-DRILL ");

/* ROLE NUMBER PID FOLDER: the sibling to be attacked, and where the server's files lie. */
struct order {
    struct bytes role;
    size_t number;
    struct prey prey;
};

static struct bytes word_of(struct bytes *rest)
{
    struct bytes word = bytes_upto(*rest, ' ');

    *rest = bytes_skip(*rest, word.n < rest->n ? word.n + 1 : word.n);
    return word;
}

static size_t number_of(struct bytes word)
{
    char text[24] = "";

    memcpy(text, word.at, word.n < sizeof(text) ? word.n : 0);
    return strtoul(text, NULL, 10);
}

static struct order read_order(struct bytes text)
{
    struct bytes rest = bytes_skip(text, magic.n);
    struct order order = { .role = word_of(&rest) };

    order.number = number_of(word_of(&rest));
    order.prey.pid = (int)number_of(word_of(&rest));
    rest = bytes_upto(rest, '\r');
    if (rest.n < sizeof(order.prey.folder))
        memcpy(order.prey.folder, rest.at, rest.n);
    return order;
}

static void say(const struct actor *actor, const char *event, const struct order *order,
                const char *result, int error)
{
    struct buffer line = buffer_with_most(LIMIT_LOG_LINE);

    log_begin(&line, event);
    log_uint(&line, "number", order->number);
    if (order->number < drill_attempts)
        log_ours(&line, "attempt", bytes_of(drill_name(order->number)));
    log_ours(&line, "result", bytes_of(result));
    log_uint(&line, "errno", (uint64_t)error);
    actor_log(actor, LOG_WARN, &line);
    buffer_done(&line);
    log_sink_flush(actor->loop->log);
}

static void attempt(const struct actor *actor, const struct order *order)
{
    long got;

    if (order->number >= drill_attempts) {
        say(actor, "drill-over", order, "none", 0);
        return;
    }
    say(actor, "drill-tries", order, "open", 0);
    errno = 0;
    got = drill_try(order->number, &order->prey);
    say(actor, "drill-tried", order, got < 0 ? "denied" : "ALLOWED", got < 0 ? errno : 0);
}

/* The user lives for one letter only: local has one made that waits for none. It is there, or the
   order comes again. */
static void make_user(struct actor *actor, struct role_name user)
{
    if (actor->links.list[link_place(user)] == NULL)
        actor->loop->spawner->user(actor->loop->spawner, user.index, BYTES("postern-drilled"));
}

static void pass_on(struct actor *actor, const struct order *order, struct bytes text)
{
    static const struct role_name user = { ROLE_USER, LIMIT_USERS - 1 };

    if (actor->name.kind == ROLE_LOCAL && bytes_equal(order->role, BYTES("user"))) {
        make_user(actor, user);
        link_tell(actor, user, text, BYTES_NONE);
    }
    bool relay = actor->name.kind == ROLE_RELAY;
    if (actor->name.kind != ROLE_FRONT && actor->name.kind != ROLE_STORE && !relay)
        return;
    for (enum role_kind kind = 0; kind < ROLE_KINDS; kind++)
        if (kind != ROLE_FRONT && kind != ROLE_USER && !(relay && kind == ROLE_STORE)
            && rights_talk(actor->name.kind, kind))
            link_tell(actor, (struct role_name){ kind, 0 }, text, BYTES_NONE);
}

bool drill_read(struct actor *actor, struct bytes octets)
{
    if (!bytes_equal(bytes_first(octets, magic.n), magic))
        return false;
    struct order order = read_order(octets);
    if (bytes_equal(order.role, bytes_of(rights_of(actor->name.kind)->name)))
        attempt(actor, &order);
    else
        pass_on(actor, &order, octets);
    return true;
}

/* SPDX-License-Identifier: ISC
 *
 * Is there such a mailbox?
 */
#include "role/local_int.h"

#include "plan/route.h"

/* Tokens of questions carry the store's own, and which store it was: the next one begins to count
   anew. */
enum { ASKER_BIT = 32 };

struct bytes local_home(const struct local *local)
{
    return local->conf->domains.n > 0 ? local->conf->domains.list[0] : BYTES_NONE;
}

static void answer_ask(struct local *local, struct effects *fx, uint32_t token,
                       enum mailbox_is verdict)
{
    local->answered = true;
    wire_tell_mailbox_is(fx, local->boss, &(struct wire_mailbox_is){ token, (uint8_t)verdict });
}

/* Is it an address of a system user? True when it was seen to. */
static bool ask_for_user(struct local *local, const struct wire_mailbox_ask *ask,
                         struct bytes frame, struct effects *fx)
{
    struct buffer name = buffer_with_most(LIMIT_USER_NAME);
    bool theirs = routes_place(local->routes, ask->address, NULL) == ROUTE_SYSTEM;

    if (theirs && routes_user(local->routes, ask->address, &name))
        errands_ask(&local->errands, buffer_bytes(&name), ask, frame, fx);
    else if (theirs)
        answer_ask(local, fx, ask->token, name.bad ? MAILBOX_UNKNOWN : MAILBOX_NO);
    buffer_done(&name);
    return theirs;
}

void local_on_ask(struct local *local, const struct wire_mailbox_ask *ask, struct bytes frame,
                  struct effects *fx)
{
    struct buffer folder = buffer_with_most(LOCAL_FOLDER_MOST);
    uint64_t token = LOCAL_ASK_BIT | (uint64_t)local->asker << ASKER_BIT | ask->token;

    if (local->is_user)
        answer_ask(local, fx, ask->token, home_is(local->home));
    else if (ask_for_user(local, ask, frame, fx))
        ;
    else if (!local_folder(ask->address, local_home(local), &folder))
        answer_ask(local, fx, ask->token, folder.bad ? MAILBOX_UNKNOWN : MAILBOX_NO);
    else if (routes_place(local->routes, ask->address, NULL) == ROUTE_ELSEWHERE)
        answer_ask(local, fx, ask->token, MAILBOX_UNKNOWN);     /* memory is short: it is ours */
    else
        fx_io(fx, (struct io){ .kind = IO_STAT, .root = IN_MAIL, .lane = LOCAL_ASK_LANE,
                               .token = token,
                               .name = fx_keep(fx, buffer_bytes(&folder)) });
    buffer_done(&folder);
}

void local_on_stat(struct local *local, const struct event *event, struct effects *fx)
{
    enum { IS_FOLDER = 1 };
    enum mailbox_is verdict = MAILBOX_UNKNOWN;

    if ((event->token & ~LOCAL_ASK_BIT) >> ASKER_BIT != local->asker)
        return;
    if (event->fault == OK)
        verdict = event->number == IS_FOLDER ? MAILBOX_YES : MAILBOX_NO;
    else if (event->fault == FAULT_GONE)
        verdict = MAILBOX_NO;
    answer_ask(local, fx, (uint32_t)event->token, verdict);
}

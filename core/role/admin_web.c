/* SPDX-License-Identifier: ISC
 *
 * Who asks over HTTP gets what web/ says. For some of it the figures are asked for first: one
 * question is under way at a time, and all who wait are told what comes of it.
 */
#include "role/admin_int.h"

#include <assert.h>

static const struct role_name to_store = { ROLE_STORE, 0 };

/* ---- figures */

void admin_gather(struct admin *admin, struct moment now, struct effects *fx)
{
    struct gathering *gathering = &admin->gathering;

    if (gathering->open)
        return;
    gathering->figures = (struct web_figures){ 0 };
    gathering->open = true;
    gathering->token = ++admin->tokens;
    gathering->deadline_ms = now.mono_ms + FIGURES_MS;
    wire_tell_figures_ask(fx, to_store, &(struct wire_figures_ask){ gathering->token });
}

static void on_front(struct gathering *gathering, const struct wire_figures_front *told)
{
    struct web_figures *figures = &gathering->figures;
    uint32_t front = told->front;

    if (told->token != gathering->token || front >= LIMIT_FRONTS || figures->front_known[front])
        return;
    figures->front_known[front] = web_read_front_figures(told->figures, &figures->fronts[front]);
    gathering->fronts_left -= gathering->fronts_left > 0;
}

void admin_figures(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct gathering *gathering = &admin->gathering;
    struct wire_figures_store store;
    struct wire_figures_front front;

    if (!gathering->open)
        return;
    if (wire_read_figures_store(event->bytes, &store) && store.token == gathering->token) {
        gathering->figures.store_known =
            web_read_store_figures(store.figures, &gathering->figures.store);
        gathering->fronts_left = store.fronts;
    } else if (wire_read_figures_front(event->bytes, &front)) {
        on_front(gathering, &front);
    }
    if (gathering->figures.store_known && gathering->fronts_left == 0)
        admin_figures_end(admin, event->now, fx);
}

/* ---- answers */

static void answer(struct admin *admin, struct web_client *client, struct moment now,
                   struct effects *fx)
{
    struct web_facts facts = {
        .wall_ms = now.wall_ms, .figures = &admin->gathering.figures, .server = true,
        .store = (enum web_store)admin->store,
    };

    client->response = web_response_new();
    web_answer(client->request, &facts, &client->response);
    fx_answer(fx, client->asked, &client->response);
    client->used = client->waits = false;
    client->request = NULL;
}

void admin_figures_end(struct admin *admin, struct moment now, struct effects *fx)
{
    admin->gathering.open = false;
    for (size_t i = 0; i < COUNT(admin->web); i++)
        if (admin->web[i].used && admin->web[i].waits)
            answer(admin, &admin->web[i], now, fx);
    for (size_t i = 0; i < COUNT(admin->clients); i++)
        if (admin->clients[i].state == CLIENT_FIGURES)
            admin_figured(admin, &admin->clients[i], now, fx);
}

static struct web_client *free_client(struct admin *admin)
{
    for (size_t i = 0; i < COUNT(admin->web); i++)
        if (!admin->web[i].used)
            return &admin->web[i];
    return NULL;
}

void admin_asked(struct admin *admin, const struct event *event, struct effects *fx)
{
    struct web_client *client = free_client(admin);

    /* The world has no more of them than we have places. */
    assert(client != NULL);
    *client = (struct web_client){ .used = true, .asked = event->token, .request = event->web };
    if (!admin->store_up || !web_needs_figures(client->request)) {
        answer(admin, client, event->now, fx);
        return;
    }
    client->waits = true;
    admin_gather(admin, event->now, fx);
}

void admin_web_clear(struct admin *admin)
{
    for (size_t i = 0; i < COUNT(admin->web); i++)
        if (!admin->web[i].used)
            web_response_done(&admin->web[i].response);
}

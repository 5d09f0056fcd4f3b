/* SPDX-License-Identifier: ISC
 *
 * role/admin_int.h: what the files of the admin role share: its clients, and how they are answered.
 */
#ifndef POSTERN_ROLE_ADMIN_INT_H
#define POSTERN_ROLE_ADMIN_INT_H

#include "base/effects.h"
#include "queue/queue.h"
#include "role/control.h"
#include "role/once.h"
#include "web/web.h"

enum {
    PAGE_ROWS = 100,
    REQUEST_MS = 10 * 1000,         /* for the whole request */
    STORE_MS = 60 * 1000,           /* for the store to answer */
    FIGURES_MS = 3 * 1000,          /* for figures: better some than none */
    BACKUP_MS = 6 * 60 * 60 * 1000, /* for the client to copy the files */
    DRAIN_MS = 60 * 1000,           /* for the client to take a page */
    ANSWER_MOST = 1024 * 1024,      /* of one row, rendered */
    UNSENT_MOST = 8 * 1024 * 1024,  /* of one page */
    ORDER_TO_MOST = LIMIT_FRAME_BYTES / 2,  /* the entries of one order */
};

enum client_state {
    CLIENT_FREE, CLIENT_REQUEST, CLIENT_FIGURES, CLIENT_STORE, CLIENT_BACKUP,
    CLIENT_WORLD, CLIENT_DRAIN, CLIENT_CLOSING
};

struct client {
    enum client_state state;
    uint32_t conn, uid;
    uint64_t deadline_ms;           /* monotonic */
    struct buffer request;
    struct once_request asks;       /* its slices lie in `request` */
    uint32_t token;                 /* of the question now with the store */
    bool holds;                     /* the store keeps its files for it */
    size_t unsent;                  /* octets since the client last took all */
    size_t rows;                    /* of the page under way */
    uint64_t last_letter;           /* queue: of the last row, shown or not; tlsrpt: how many */
    enum trace_by ways[2];          /* trace: what the word may be, in order */
    size_t ways_n, way;
    struct once_queue queue;
    struct once_trace trace;
    /* a verb: orders of this page, and what all of them came to */
    struct once_orders orders;
    uint32_t orders_open;           /* given, not answered */
    bool page_ended, more;          /* the page's rows all came; there are others behind it */
    uint64_t order_letter;          /* the order being gathered, or 0 */
    struct buffer order_recipients, order_to;
    struct once_dests *dests;       /* queue --destinations */
    uint64_t until_ms;              /* suspend */
};

/* Somebody who asks over HTTP. */
struct web_client {
    bool used, waits;               /* waits: for figures */
    uint64_t asked;                 /* the world's name for it */
    const struct web_request *request;  /* the world's, until the answer */
    struct web_response response;   /* of the last answer: it lives until our next step */
};

/* The figures as last told, and the question for newer ones that is under way. */
struct gathering {
    bool open;
    uint32_t token;
    uint32_t fronts_left;           /* that have not answered; known when the store has */
    uint64_t deadline_ms;
    struct web_figures figures;
};

struct admin {
    struct client clients[LIMIT_CONTROL_CLIENTS];
    struct web_client web[LIMIT_WEB_CLIENTS];
    struct gathering gathering;
    enum store_state store;
    bool store_up, stopping;
    uint32_t tokens;
    uint64_t alarm_ms;              /* as last asked for; UINT64_MAX: none */
    struct buffer text, frames;     /* for one row */
};


/* What was rendered into admin->text, as frames for standard output. */
void admin_send_text(struct admin *admin, struct client *client, struct effects *fx);
/* The last of an answer: words for standard error (or none), the status, and goodbye. */
void admin_finish(struct admin *admin, struct client *client, const char *words, int status,
                  uint64_t now_ms, struct effects *fx);
/* Send what is left, and goodbye. */
void admin_close(struct client *client, uint64_t now_ms, struct effects *fx);
struct once_style admin_style(const struct client *client, const struct event *event);

/* A whole request: read it, answer it or ask the store. */
void admin_run(struct admin *admin, struct client *client, const struct event *event,
               const struct bytes *words, size_t n, struct effects *fx);
/* The figures are there that this client waited for. */
void admin_figured(struct admin *admin, struct client *client, struct moment now,
                   struct effects *fx);
/* The store need not keep its files for it any more; `told`: the client waits for how it went. */
void admin_release(struct admin *admin, struct client *client, bool told, uint64_t now_ms,
                   struct effects *fx);
/* Ask the store for the (next page of the) answer. */
void admin_ask(struct admin *admin, struct client *client, uint64_t now_ms, struct effects *fx);

/* ---- admin_web.c: those who ask over HTTP, and the figures */
void admin_asked(struct admin *admin, const struct event *event, struct effects *fx);
/* Ask for them; admin_figures_end follows, soon. */
void admin_gather(struct admin *admin, struct moment now, struct effects *fx);
/* The frame holds figures. */
void admin_figures(struct admin *admin, const struct event *event, struct effects *fx);
/* No more figures will come now: answer those who wait with what there is. */
void admin_figures_end(struct admin *admin, struct moment now, struct effects *fx);
/* Before each step: what was answered in the one before is with the world now. */
void admin_web_clear(struct admin *admin);

/* ---- admin_order.c: `postern queue VERB` */
void admin_order_row(struct admin *admin, struct client *client, const struct wire_queue_row *row,
                     const struct event *event, struct effects *fx);
/* The page ended: go on when its orders are answered. */
void admin_order_page(struct admin *admin, struct client *client, bool more,
                      const struct event *event, struct effects *fx);
void admin_ordered(struct admin *admin, struct client *client,
                   const struct wire_queue_ordered *ordered, const struct event *event,
                   struct effects *fx);

/* ---- admin_held.c: suspend, resume, and --destinations */
void admin_held_ask(struct admin *admin, struct client *client, struct moment now,
                    struct effects *fx);
void admin_held_told(struct admin *admin, struct client *client, enum hold_result result,
                     const struct event *event, struct effects *fx);
/* A row of the queue, gathered; false: no memory. */
bool admin_dests_row(struct client *client, const struct wire_queue_row *row);
/* All rows came: now those that are suspended. */
void admin_dests_holds(struct admin *admin, struct client *client, uint64_t now_ms,
                       struct effects *fx);
void admin_dests_hold(struct client *client, const struct wire_hold_row *row);
void admin_dests_end(struct admin *admin, struct client *client, const struct event *event,
                     struct effects *fx);

/* How a reload went, for those who asked for it. */
void admin_reloaded(struct admin *admin, const struct event *event, struct effects *fx);
/* A frame of the store: rows and ends of answers, its state. */
void admin_told(struct admin *admin, const struct event *event, struct effects *fx);

#endif

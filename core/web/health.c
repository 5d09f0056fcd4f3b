/* SPDX-License-Identifier: ISC */
#include "web/web_int.h"

#include "base/json.h"

/* Why no letter is taken; NULL: letters are. */
static const char *flaw_of(enum web_store store)
{
    switch (store) {
    case WEB_STORE_OPEN: return NULL;
    case WEB_STORE_CLOSED: return "The queue is not ready: it is being started.";
    case WEB_STORE_LOW: return "The disk of the queue is nearly full: letters are refused for now.";
    case WEB_STORE_READ_ONLY: return "The disk of the queue failed: letters are refused for now.";
    }
    return "The queue is in a state without a name.";
}

static const char *name_of(enum web_store store)
{
    switch (store) {
    case WEB_STORE_OPEN: return "open";
    case WEB_STORE_CLOSED: return "closed";
    case WEB_STORE_LOW: return "low";
    case WEB_STORE_READ_ONLY: return "read-only";
    }
    return "unknown";
}

void web_healthz(const struct web_asked *asked, struct web_response *response)
{
    const char *flaw = flaw_of(asked->facts->store);
    struct json json = json_to(&response->body);

    response->status = flaw == NULL ? 200 : 503;
    response->type = "application/json";
    json_put_object(&json);
    json_put_text(&json, "status", flaw == NULL ? BYTES("ok") : BYTES("unavailable"));
    json_put_text(&json, "store", bytes_of(name_of(asked->facts->store)));
    if (flaw != NULL)
        json_put_text(&json, "why", bytes_of(flaw));
    json_put_object_end(&json);
    json_line_end(&json);
}
